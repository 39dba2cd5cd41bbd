package federation

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
)

// DepartRequest is what the app's login asks of the provider.
type DepartRequest struct {
	// Tx is the login's transaction id, made by us: 1–64 letters, digits, - and _.
	// It comes back in front of the state, so that the callback finds its cookie.
	Tx string
	// LoginHint is sent on unless the connection says off.
	LoginHint profile.Email
	// ForceLogin demands that the person signs in again, and proof of it.
	ForceLogin bool
	// MaxAge in seconds since the person last signed in there; nil for any.
	MaxAge    *int64
	UILocales string
	// Host is the Host of the request that began the login; "" is the public
	// URL's. The provider sends the browser back there.
	Host string
	// Parameters of the app's request that its record lets it forward.
	Parameters map[string]string
	// Session reads attributes of the person's session, if there is one.
	Session Lookup
}

// Departure is where to send the browser, and what to keep until it is back.
type Departure struct {
	URL  string
	Flow Flow
}

// Flow is what Return needs of a departure. It holds the secrets of one login
// and lives only in the sealed cookie of the browser that started it.
type Flow struct {
	ConnectionID string    `json:"c"`
	Revision     int64     `json:"r"`
	State        string    `json:"s"`
	Nonce        string    `json:"n,omitempty"`
	Verifier     string    `json:"v,omitempty"`
	StartedAt    time.Time `json:"t"`
	MaxAge       *int64    `json:"m,omitempty"`
	ForceLogin   bool      `json:"f,omitempty"`
	// RedirectURI, when it is not the public URL's.
	RedirectURI string `json:"u,omitempty"`
	// Lent is what app and session lent to the connection's parameters.
	Lent map[int]string `json:"l,omitempty"`
}

// FlowLifetime is how long a person may take at the provider.
const FlowLifetime = 15 * time.Minute

var (
	txPattern      = regexp.MustCompile(`\A[A-Za-z0-9_-]{1,64}\z`)
	localesPattern = regexp.MustCompile(`\A[A-Za-z0-9-]{1,35}( [A-Za-z0-9-]{1,35}){0,9}\z`)
)

// StateTx reads the transaction id out of a state that came back, for finding
// the login's cookie. It proves nothing; Return compares the whole state.
func StateTx(state string) (tx string, ok bool) {
	tx, _, ok = strings.Cut(state, ".")
	return tx, ok && txPattern.MatchString(tx)
}

// usesNonce: plain OAuth 2.0 has no ID token that could bring it back.
func usesNonce(conn *store.Connection) bool {
	return !conn.InsecureNoNonce && conn.Kind != store.KindOAuth2
}

// Depart prepares the way to the connection's provider. It may fetch the
// discovery document; errors are *Error.
func (f *Federation) Depart(ctx context.Context, conn store.Connection, r DepartRequest) (Departure, error) {
	ctx, cancel := context.WithTimeout(ctx, f.timing.step)
	defer cancel()
	switch {
	case conn.Disabled:
		return Departure{}, fault(BlameOurs, CodeConnectionDisabled, "connection is switched off")
	case !txPattern.MatchString(r.Tx):
		return Departure{}, fault(BlameOurs, CodeRequestInvalid, "transaction id is not made of 1-64 letters, digits, - and _")
	case r.MaxAge != nil && *r.MaxAge < 0:
		return Departure{}, fault(BlameApp, CodeRequestInvalid, "max_age is negative")
	case conn.Kind == store.KindLocal:
		return Departure{}, fault(BlameOurs, CodeGrantUnfit, "people of local accounts sign in here: there is no provider to go to")
	case conn.Grant != "":
		return Departure{}, fault(BlameOurs, CodeGrantUnfit, "this connection signs people in without a browser (grant %s)", conn.Grant)
	case conn.Kind == store.KindOAuth2 && (r.ForceLogin || r.MaxAge != nil || len(conn.ACRValues) > 0):
		// Plain OAuth 2.0 has no auth_time: what nobody can prove is not promised (A12).
		return Departure{}, fault(BlameApp, CodeFreshUnprovable, "a recent or strong sign-in was demanded, and this provider has no way to prove one")
	}
	u := f.upstream(&conn)
	md, err := f.metadata(ctx, &conn, u)
	if err != nil {
		return Departure{}, err
	}
	target, err := url.Parse(md.authorize)
	if err != nil {
		return Departure{}, fault(BlameOurs, CodeConnectionInvalid, "authorize endpoint is no URL")
	}
	redirectURI, err := f.redirectURI(&conn, r.Host)
	if err != nil {
		return Departure{}, err
	}
	lent, err := lenders{r.Parameters, r.Session}.resolve(&conn)
	if err != nil {
		return Departure{}, err
	}
	flow := Flow{
		ConnectionID: conn.ID, Revision: conn.Revision, StartedAt: f.now().UTC(),
		State: r.Tx + "." + rand.Text(), MaxAge: r.MaxAge, ForceLogin: r.ForceLogin, Lent: lent,
	}
	if redirectURI != f.RedirectURI(conn.ID) {
		flow.RedirectURI = redirectURI
	}
	q := target.Query()
	if err := parameters(&conn, inAuthorize, grantAuthorizationCode, lent, carrier{query: q}); err != nil {
		return Departure{}, err
	}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set("response_type", "code")
	set("client_id", conn.ClientID)
	set("redirect_uri", redirectURI)
	set("response_mode", conn.ResponseMode)
	set("scope", strings.Join(conn.Scopes, " "))
	set("state", flow.State)
	if usesNonce(&conn) {
		flow.Nonce = rand.Text()
		set("nonce", flow.Nonce)
	}
	// Sent to every provider: one that ignores PKCE loses nothing (P9).
	if !conn.InsecureNoPKCE {
		flow.Verifier = rand.Text() + rand.Text() // 52 characters, 260 bits
		sum := sha256.Sum256([]byte(flow.Verifier))
		set(cmp.Or(conn.PKCENames.Challenge, "code_challenge"), base64.RawURLEncoding.EncodeToString(sum[:]))
		set(cmp.Or(conn.PKCENames.Method, "code_challenge_method"), "S256")
	}
	for name, value := range hints(&conn, r.LoginHint) {
		set(name, value)
	}
	// A12: the provider must hear it, and must prove by auth_time that it obeyed.
	if r.ForceLogin {
		set("prompt", "login")
		set("max_age", "0")
	} else if r.MaxAge != nil {
		set("max_age", strconv.FormatInt(*r.MaxAge, 10))
	}
	set("acr_values", strings.Join(conn.ACRValues, " "))
	if localesPattern.MatchString(r.UILocales) {
		set("ui_locales", r.UILocales)
	}
	store.Note(ctx, departed(&conn, target, q)...)
	if pushes(&conn, md) {
		pushed, err := f.push(ctx, &conn, u, md, q)
		if err != nil {
			return Departure{}, err
		}
		own := target.Query()
		for name, values := range pushed {
			own[name] = values
		}
		q = own
	}
	target.RawQuery = q.Encode()
	return Departure{URL: target.String(), Flow: flow}, nil
}
