package admin

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"strings"
	"time"

	"gatehouse/store"
)

// Operator is the user id of whoever runs the process and works on its data
// without the network. Audit entries carry it.
const Operator = "operator"

// Ways a principal came in, as audit entries show them.
const (
	viaConsole = "console"
	viaAPI     = "api"
	viaCLI     = "cli"
)

// Principal is the caller of a request. The zero value is nobody.
type Principal struct {
	UserID string
	Role   string // platform role: owner, admin or empty
	Via    string
	Name   string // what the console's header shows

	language string // chosen on the account, or ""

	// companies are the caller's ranks in organizations, besides Role.
	companies map[string]int
	// scopes narrow what an API token may do; empty: nothing is taken away.
	scopes []string

	provenAt time.Time // of a session: the last proof of who it is
	// connection is through which company the caller signed in to the console.
	// Such a session has the caller's role in only (that organization) and no
	// other: whoever runs a company's provider could sign in as any of its people.
	connection string
	only       string

	credential credential
	gate       gate // what the request had to pass
	from       string
	requestID  string
}

// SignedIn reports whether the caller proved who they are.
func (p Principal) SignedIn() bool { return p.UserID != "" }

func (p Principal) actor() store.Actor {
	return store.Actor{UserID: p.UserID, Via: p.Via, From: p.from, RequestID: p.requestID}
}

// credential is what a request carries, before it is looked up.
type credential struct {
	sessionHash string // HashToken of the cookie
	tokenHash   string // HashToken of the bearer token
	operator    bool
}

type contextKey int

const (
	operatorKey contextKey = iota
	principalKey
)

// errBearer: the Authorization header is there but is not a token of ours.
var errBearer = errors.New("admin: not an API token")

// credentialOf reads the request. A bearer token wins over a cookie and a bad
// one never falls back to it. Tokens in the URL are not looked at (Z2).
func (h *Handler) credentialOf(r *http.Request) (credential, error) {
	if op, _ := r.Context().Value(operatorKey).(bool); op {
		return credential{operator: true}, nil
	}
	if values := r.Header.Values("Authorization"); len(values) > 0 {
		scheme, token, _ := strings.Cut(values[0], " ")
		if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") || !strings.HasPrefix(token, tokenPrefix) || len(token) > 128 {
			return credential{}, errBearer
		}
		return credential{tokenHash: store.HashToken(token)}, nil
	}
	if id := h.cookies.session(r); id != "" {
		return credential{sessionHash: store.HashToken(id)}, nil
	}
	return credential{}, nil
}

// resolve looks a credential up. Nobody comes back for everything that does
// not count: unknown, expired, revoked, user disabled or gone (B10, L4, L5).
func (h *Handler) resolve(tx store.Tx, c credential) (Principal, error) {
	var userID, via string
	var scopes []string
	var provenAt time.Time
	var connection, only string
	switch {
	case c.operator:
		return Principal{UserID: Operator, Role: store.RoleOwner, Via: viaCLI, Name: Operator, credential: c}, nil
	case c.tokenHash != "":
		t, err := h.store.APITokens.Get(tx, c.tokenHash)
		if errors.Is(err, store.ErrNotFound) || err == nil && !h.now().Before(t.ExpiresAt) {
			return Principal{}, nil
		}
		if err != nil {
			return Principal{}, err
		}
		userID, via, scopes, only = t.UserID, viaAPI, t.Scopes, t.OrganizationID
	case c.sessionHash != "":
		s, err := h.validSession(tx, c.sessionHash)
		if errors.Is(err, store.ErrNotFound) {
			return Principal{}, nil
		}
		if err != nil {
			return Principal{}, err
		}
		userID, via, provenAt, connection, only = s.UserID, viaConsole, s.FactorAt, s.ConnectionID, s.OrganizationID
	default:
		return Principal{}, nil
	}
	u, err := h.store.Users.Get(tx, userID)
	if errors.Is(err, store.ErrNotFound) || err == nil && u.Status != store.UserActive {
		return Principal{}, nil
	}
	if err != nil {
		return Principal{}, err
	}
	p := Principal{
		UserID: u.ID, Role: u.PlatformRole, Via: via, Name: nameOf(u), language: u.Language, scopes: scopes, provenAt: provenAt,
		connection: connection, only: only, credential: c,
	}
	if p.companies, err = h.companiesOf(tx, u.ID); err != nil {
		return Principal{}, err
	}
	if only != "" {
		p.Role = ""
		maps.DeleteFunc(p.companies, func(organization string, _ int) bool { return organization != only })
	}
	return p, nil
}

// authenticate finds out who sends a request and whether they may pass a gate,
// in one View. err says why not; p is who it is all the same.
func (h *Handler) authenticate(r *http.Request, g gate, page bool) (p Principal, err error) {
	c, err := h.credentialOf(r)
	if errors.Is(err, errBearer) || page && c.tokenHash != "" { // pages are for browsers
		c, err = credential{}, nil
	}
	if err != nil {
		return Principal{}, err
	}
	err = h.store.View(r.Context(), func(tx store.Tx) error {
		if c != (credential{}) {
			if p, err = h.resolve(tx, c); err != nil {
				return err
			}
		}
		return h.admit(tx, p, g, false)
	})
	p.gate, p.from, p.requestID = g, remoteHost(r), r.Header.Get("X-Request-Id")
	return p, err
}

// change is the only way this package writes on behalf of a caller. It looks
// the caller up again inside the transaction and asks the gate again, so that
// an admin who was disabled a moment ago cannot finish what they began (B10).
// What fn looks at of p still holds, or the change fails.
func (h *Handler) change(ctx context.Context, p Principal, fn func(*store.Change) error) error {
	return h.store.Change(ctx, p.actor(), func(ch *store.Change) error {
		again, err := h.resolve(ch.Tx, p.credential)
		if err != nil {
			return err
		}
		if !again.SignedIn() || again.UserID != p.UserID {
			return errForbidden
		}
		if err := h.admit(ch.Tx, again, p.gate, true); err != nil {
			return err
		}
		if !again.sameStanding(p) {
			return errStanding
		}
		return fn(ch)
	})
}

func remoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func principalFrom(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey).(Principal)
	return p
}
