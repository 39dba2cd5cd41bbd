package federation

import (
	"fmt"
	"strings"
	"testing"

	"gatehouse/federation/mockidp"
	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// canaries are credentials that must appear nowhere.
const (
	canaryPassword  = "canary-password-7f3a"
	canaryAssertion = "canary-assertion-91bc"
)

func TestDirect_Grants(t *testing.T) {
	t.Parallel()
	const extension = "urn:acme:grant:badge"
	for _, tc := range []struct {
		grant string
		conn  func(*store.Connection)
		ask   DirectRequest
		want  string // code
	}{
		{store.GrantPassword, nil, DirectRequest{Username: "alice", Password: canaryPassword}, "ok"},
		{store.GrantPassword, nil, DirectRequest{Username: "alice", Password: canaryPassword + "x"}, CodeCredentialsRefused},
		{store.GrantPassword, nil, DirectRequest{Username: "alice"}, CodeRequestInvalid},
		{store.GrantPassword, nil, DirectRequest{Username: "alice\r\n", Password: canaryPassword}, CodeRequestInvalid},
		{store.GrantExtension, func(c *store.Connection) {
			c.ExtensionGrantType = extension
			c.Parameters = []store.Parameter{{Name: "username", Source: store.FromRequest, Value: "badge", In: []string{"token"}, As: "form"}}
		}, DirectRequest{Parameters: map[string]string{"badge": "alice"}}, "ok"},
		{store.GrantExtension, func(c *store.Connection) { c.ExtensionGrantType = extension }, DirectRequest{}, CodeCredentialsRefused},
		{store.GrantJWTBearer, func(c *store.Connection) { c.AssertionConnection = "" }, DirectRequest{Assertion: canaryAssertion}, CodeCredentialsRefused},
		{store.GrantJWTBearer, nil, DirectRequest{}, CodeRequestInvalid},
		{"", nil, DirectRequest{Username: "alice", Password: canaryPassword}, CodeGrantUnfit},
	} {
		t.Run(fmt.Sprintf("%s %s", tc.grant, tc.want), func(t *testing.T) {
			t.Parallel()
			w := newPlainWorld(t, mockidp.Shape{Passwords: map[string]string{"alice": canaryPassword}, ExtensionGrants: []string{extension}}, nil)
			w.conn.Grant = tc.grant
			if tc.conn != nil {
				tc.conn(&w.conn)
			}
			w.conn.Revision++
			id, err := w.Direct(t.Context(), w.conn, tc.ask)
			wantCode(t, err, tc.want)
			if err == nil && (!id.Valid() || id.Subject() != "a-1" || id.UpstreamRefresh() != "") {
				t.Errorf("identity %+v", id)
			}
			if text := fmt.Sprintf("%v %+v %+v", err, id, tc.ask); strings.Contains(text, "canary") {
				t.Errorf("a credential is shown: %s", text)
			}
		})
	}
}

// The provider's own service account, described by the token response alone.
func TestDirect_ClientCredentials(t *testing.T) {
	t.Parallel()
	w := newPlainWorld(t, mockidp.Shape{}, func(c *store.Connection) {
		c.Grant = store.GrantClientCredentials
		c.Scopes = []string{"svc-7"}
		c.Profile = store.ProfileSource{Kind: store.ProfileTokenResponse}
		c.Selectors = profile.Selectors{FederationID: profile.Selector{Path: "scope", Source: profile.FromTokenResponse}}
	})
	id, err := w.Direct(t.Context(), w.conn, DirectRequest{})
	if err != nil || id.Subject() != "svc-7" {
		t.Errorf("%q, %v", id.Subject(), err)
	}
}

// An OpenID provider's ID token is verified as after any other login.
func TestDirect_VerifiesIDTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockidp.Config{AlwaysRefreshToken: true, Shape: mockidp.Shape{Passwords: map[string]string{"alice": canaryPassword}}})
	w.conn.Grant = store.GrantPassword
	ask := DirectRequest{Username: "alice", Password: canaryPassword}
	id, err := w.Direct(t.Context(), w.conn, ask)
	if err != nil || id.Email() != address(t, "alice@acme.test") || id.UpstreamRefresh() != "" {
		t.Fatalf("%v, %v", id.Email(), err)
	}
	for fault, want := range map[string]string{
		"wrong_aud": CodeIDTokenAudience, "bad_signature": CodeIDTokenSignature, "token_no_id_token": CodeIDTokenMissing,
		"userinfo_wrong_sub": CodeUserinfoSubject, "token_503": CodeUnavailable, "expired": CodeIDTokenExpired,
	} {
		w.idp.SetFault(fault, 1)
		_, err := w.Direct(t.Context(), w.conn, ask)
		wantCode(t, err, want)
		w.idp.ClearFaults()
	}
	w.conn.Disabled = true
	_, err = w.Direct(t.Context(), w.conn, ask)
	wantCode(t, err, CodeConnectionDisabled)
}

// Only an ID token of the named connection goes to the provider as assertion.
func TestDirect_AssertionOfAnotherConnection(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	source, target := newWorld(t, mockidp.Config{}), newWorld(t, mockidp.Config{})
	source.conn.ID = "hr"
	target.Federation = newFederation(t, Config{Store: st})
	err := st.Change(t.Context(), store.Actor{UserID: "test", Via: "test"}, func(ch *store.Change) error {
		if err := st.Connections.Insert(ch.Tx, source.conn); err != nil {
			return err
		}
		return ch.Record("test.change", "test/1", nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	target.conn.Grant, target.conn.AssertionConnection = store.GrantJWTBearer, "hr"
	token := func(faults ...string) store.Secret {
		t.Helper()
		d, err := source.depart(DepartRequest{})
		if err != nil {
			t.Fatal(err)
		}
		params := source.visit(d, faults...)
		u := source.upstream(&source.conn)
		md, err := source.metadata(t.Context(), &source.conn, u)
		if err != nil {
			t.Fatal(err)
		}
		tokens, err := source.redeem(t.Context(), &source.conn, u, md, params.Get("code"), d.Flow)
		if err != nil {
			t.Fatal(err)
		}
		return store.Secret(tokens.idToken)
	}
	id, err := target.Direct(t.Context(), target.conn, DirectRequest{Assertion: token()})
	if err != nil || id.Email() != address(t, "alice@acme.test") {
		t.Fatalf("%v, %v", id.Email(), err)
	}
	before := target.count("token")
	for _, fault := range []string{"expired", "bad_signature", "wrong_aud", "wrong_iss", "alg_none", "typ_at_jwt"} {
		_, err := target.Direct(t.Context(), target.conn, DirectRequest{Assertion: token(fault)})
		wantCode(t, err, CodeAssertionRefused)
	}
	_, err = target.Direct(t.Context(), target.conn, DirectRequest{Assertion: "x.y.z"})
	wantCode(t, err, CodeAssertionRefused)
	if n := target.count("token") - before; n != 0 {
		t.Errorf("%d bad assertions were sent on", n)
	}
	target.conn.AssertionConnection = "gone"
	_, err = target.Direct(t.Context(), target.conn, DirectRequest{Assertion: token()})
	wantCode(t, err, CodeConnectionInvalid)
}
