package admin

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"

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

	credential credential
	required   Level
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
		userID, via = t.UserID, viaAPI
	case c.sessionHash != "":
		s, err := h.validSession(tx, c.sessionHash)
		if errors.Is(err, store.ErrNotFound) {
			return Principal{}, nil
		}
		if err != nil {
			return Principal{}, err
		}
		userID, via = s.UserID, viaConsole
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
	return Principal{UserID: u.ID, Role: u.PlatformRole, Via: via, Name: nameOf(u), credential: c}, nil
}

// authenticate finds out who sends a request.
func (h *Handler) authenticate(r *http.Request) (Principal, error) {
	c, err := h.credentialOf(r)
	if errors.Is(err, errBearer) {
		return Principal{}, nil
	}
	if c == (credential{}) {
		return Principal{}, nil
	}
	var p Principal
	if err := h.store.View(r.Context(), func(tx store.Tx) (err error) {
		p, err = h.resolve(tx, c)
		return err
	}); err != nil {
		return Principal{}, err
	}
	p.from, p.requestID = remoteHost(r), r.Header.Get("X-Request-Id")
	return p, nil
}

// change is the only way this package writes on behalf of a caller. It looks
// the caller up again inside the transaction, so that an admin who was
// disabled a moment ago cannot finish what they began (B10).
func (h *Handler) change(ctx context.Context, p Principal, fn func(*store.Change) error) error {
	return h.store.Change(ctx, p.actor(), func(ch *store.Change) error {
		again, err := h.resolve(ch.Tx, p.credential)
		if err != nil {
			return err
		}
		if again.UserID != p.UserID || !p.required.Allows(again, Object{}) {
			return errForbidden
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
