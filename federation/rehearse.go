package federation

import (
	"context"
	"net/url"

	"gatehouse/profile"
	"gatehouse/store"
)

// Seen is what a rehearsal saw of the provider. It holds secrets.
type Seen struct {
	// Answers of the token and profile endpoints, in order.
	Answers []Answer
	// Documents are what selectors read, as far as it came. The ID token's
	// claims are in it only when the token was verified.
	Documents profile.Documents
}

// Answer is one answer of a provider.
type Answer struct {
	Endpoint  string // token, userinfo, profile, profile_link
	From      string // URL without its query
	Status    int
	MediaType string
	Body      []byte
}

// RehearseDepart is Depart apart from all logins: nothing is cached for the
// connection of that id, counted or held against it, so that a record nobody
// saved cannot change how people sign in. A connection that is switched off
// departs as if it were on.
func (f *Federation) RehearseDepart(ctx context.Context, conn store.Connection, r DepartRequest) (Departure, error) {
	apart := f.apart(nil)
	defer apart.end()
	conn.Disabled = false
	return apart.Depart(ctx, conn, r)
}

// RehearseReturn is Return apart from all logins, and tells what it saw, also
// when it fails. The identity is as verified as any, and the caller must let
// nobody in with it: its connection is the one given, not the stored one.
func (f *Federation) RehearseReturn(ctx context.Context, conn store.Connection, flow Flow, params url.Values) (VerifiedIdentity, Seen, error) {
	seen := Seen{}
	apart := f.apart(&seen)
	defer apart.end()
	conn.Disabled = false
	id, err := apart.Return(ctx, conn, flow, params)
	return id, seen, err
}

// apart is a Federation for one call: it shares the outgoing client and its
// address policy, and nothing else.
func (f *Federation) apart(seen *Seen) *Federation {
	a := &Federation{
		store: f.store, publicURL: f.publicURL, now: f.now, logger: f.logger, client: f.client, timing: f.timing,
		upstreams: map[string]*upstream{}, seen: seen,
	}
	a.background, a.stop = context.WithCancel(f.background)
	return a
}

// end waits for what the call left running.
func (f *Federation) end() {
	f.mu.Lock()
	f.stop()
	f.mu.Unlock()
	f.running.Wait()
}

// answered keeps an answer of the endpoints that a test shows; discovery and
// keys are fetched by other goroutines and are not among them.
func (s *Seen) answered(req request, resp response) {
	if s == nil || resp.status == 0 {
		return
	}
	switch req.endpoint {
	case "token", "userinfo", "profile", "profile_link":
		from := req.url
		if u, err := url.Parse(req.url); err == nil {
			u.RawQuery, u.Fragment, u.User = "", "", nil
			from = u.String()
		}
		s.Answers = append(s.Answers, Answer{req.endpoint, from, resp.status, resp.header.Get("Content-Type"), resp.body})
	}
}

func (s *Seen) read(d profile.Documents) {
	if s != nil {
		s.Documents = d
	}
}

// OwnsAs is Owns as it would be with conn stored and switched on.
func (f *Federation) OwnsAs(tx store.Tx, conn store.Connection, e profile.Email) (bool, error) {
	if e.IsZero() {
		return false, nil
	}
	return owns(rulesWith{f.rulebook(tx), &conn}, conn.ID, e)
}

// rulesWith is a rulebook in which one connection stands as it would be.
type rulesWith struct {
	rulebook
	conn *store.Connection
}

func (r rulesWith) holders(base string, wildcard bool) ([]*store.Connection, error) {
	stored, err := r.rulebook.holders(base, wildcard)
	if err != nil {
		return nil, err
	}
	var out []*store.Connection
	for _, c := range stored {
		if c.ID != r.conn.ID {
			out = append(out, c)
		}
	}
	for _, rule := range r.conn.Domains {
		if b, w := splitRule(rule); b == base && w == wildcard {
			out = append(out, r.conn)
			break
		}
	}
	return out, nil
}
