package broker

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"gatehouse/federation"
	"gatehouse/store"
)

// postedLife is how long a posted answer may take to come back as a GET.
const postedLife = time.Minute

// postedAnswer is what a provider posted (response_mode=form_post), on its way
// to the GET that reads it. It is sealed: a code in a URL would stay in
// histories and logs.
type postedAnswer struct {
	Expires int64      `json:"x"` // Unix seconds
	Params  url.Values `json:"p"`
}

// callbackPosted takes a provider's form post. It comes from another site, so
// the browser sends no cookie along and whose login it is cannot be told: it
// reads and keeps nothing, and sends the browser on to a GET of the same path,
// which needs the cookie and does all the checking (SECURITY-CASES S5).
func (b *Broker) callbackPosted(w http.ResponseWriter, r *http.Request) {
	f, err := readForm(r)
	if err != nil || r.URL.RawQuery != "" {
		b.refusePage(w, r, formFault(err))
		return
	}
	connection := r.PathValue("connection")
	var conn store.Connection
	err = b.store.View(r.Context(), func(tx store.Tx) (err error) {
		conn, err = b.store.Connections.Get(tx, connection)
		return err
	})
	switch {
	case b.rehearsals != nil && b.rehearsals.Posted(connection): // of a record that nobody saved, perhaps
	case errors.Is(err, store.ErrNotFound), err == nil && conn.ResponseMode != "form_post":
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest, cause: errors.New("a form was posted to a connection that expects none")})
		return
	case err != nil:
		b.refusePage(w, r, &pageError{Kind: pageInternal, Status: http.StatusServiceUnavailable, cause: err})
		return
	}
	answer := postedAnswer{Expires: b.now().Add(postedLife).Unix(), Params: url.Values{}}
	// What federation reads of a callback; repeated ones stay repeated, so that
	// it can refuse them.
	for name, limit := range map[string]int{"code": 4096, "state": 256, "iss": 2048, "error": 256} {
		for i, v := range f.Values[name] {
			if i < 2 {
				answer.Params.Add(name, v[:min(len(v), limit+1)])
			}
		}
	}
	// Apple's word about the person: names, and nothing else of it travels on.
	if users := f.Values["user"]; len(users) == 1 {
		if user, ok := federation.PostedUser(users[0]); ok {
			answer.Params.Set("user", user)
		}
	}
	raw, err := json.Marshal(answer)
	if err != nil {
		b.refusePage(w, r, &pageError{Kind: pageInternal, Status: http.StatusInternalServerError, cause: err})
		return
	}
	box := base64.RawURLEncoding.EncodeToString(b.postedSealer().Seal(raw, []byte(connection)))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", b.homeOf(b.hostOf(r))+"/login/callback/"+url.PathEscape(connection)+"?r="+box)
	w.WriteHeader(http.StatusSeeOther)
}

func (b *Broker) postedSealer() *store.Sealer { return b.store.Keyring().Sealer("callback-post") }

// callbackParams are the provider's answer: the query, or what it posted a
// moment ago to this connection's callback.
func (b *Broker) callbackParams(r *http.Request) (url.Values, error) {
	query := r.URL.Query()
	if !query.Has("r") {
		return query, nil
	}
	refused := errors.New("posted answer is not ours, of another connection or too old")
	if len(query) != 1 || len(query["r"]) != 1 {
		return nil, refused
	}
	box, err := base64.RawURLEncoding.DecodeString(query.Get("r"))
	if err != nil {
		return nil, refused
	}
	raw, _, err := b.postedSealer().Open(box, []byte(r.PathValue("connection")))
	if err != nil {
		return nil, refused
	}
	var answer postedAnswer
	if err := json.Unmarshal(raw, &answer); err != nil || b.now().Unix() >= answer.Expires || time.Unix(answer.Expires, 0).Sub(b.now()) > 2*postedLife {
		return nil, refused
	}
	return answer.Params, nil
}
