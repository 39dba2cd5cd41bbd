package federation

import (
	"fmt"
	"strings"
	"testing"

	"gatehouse/federation/mockidp"
	"gatehouse/store"
)

func newRefreshWorld(t *testing.T, cfg mockidp.Config) (*world, store.Secret) {
	t.Helper()
	cfg.AlwaysRefreshToken = true
	w := newWorld(t, cfg)
	w.set(func(c *store.Connection) { c.RefreshLogin = true })
	id, err := w.login()
	if err != nil {
		t.Fatal(err)
	}
	if id.UpstreamRefresh() == "" {
		t.Fatal("no refresh token")
	}
	return w, id.UpstreamRefresh()
}

func TestRefresh_Yes(t *testing.T) {
	t.Parallel()
	w, kept := newRefreshWorld(t, mockidp.Config{})
	w.set(func(c *store.Connection) {
		c.Parameters = []store.Parameter{
			{Name: "reason", Source: store.FromRequest, Value: "why", In: []string{"refresh"}},
			{Name: "code_only", Source: store.FromConstant, Value: "x", In: []string{"token"}},
		}
	})
	got, err := w.Refresh(t.Context(), w.conn, RefreshRequest{Token: kept, Parameters: map[string]string{"why": "renewal"}})
	if err != nil || got.Rotated || got.Token != kept || got.CheckedAt.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
	if q := w.last("token"); q.Param("grant_type") != "refresh_token" || q.Param("reason") != "renewal" || q.Param("code_only") != "" {
		t.Errorf("%+v", q.Form)
	}
	w.idp.SetFault("refresh_no_id_token", 1)
	_, err = w.Refresh(t.Context(), w.conn, RefreshRequest{Token: kept})
	wantCode(t, err, "ok")
}

func TestRefresh_Rotation(t *testing.T) {
	t.Parallel()
	w, first := newRefreshWorld(t, mockidp.Config{RotateRefreshTokens: true})
	second, err := w.Refresh(t.Context(), w.conn, RefreshRequest{Token: first})
	if err != nil || !second.Rotated || second.Token == first {
		t.Fatalf("%+v, %v", second, err)
	}
	if _, err := w.Refresh(t.Context(), w.conn, RefreshRequest{Token: second.Token}); err != nil {
		t.Error(err)
	}
	_, err = w.Refresh(t.Context(), w.conn, RefreshRequest{Token: first})
	if !RefreshDenied(err) {
		t.Errorf("a used token: %v", err)
	}
}

func TestT9_RefreshedByAnother(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]struct {
		code   string
		denied bool
	}{
		"refresh_wrong_sub":     {CodeRefreshMismatch, true},
		"refresh_wrong_iss":     {CodeRefreshMismatch, true},
		"refresh_wrong_aud":     {CodeRefreshMismatch, true},
		"refresh_invalid_grant": {CodeRefreshRefused, true},
		"refresh_503":           {CodeUnavailable, false},
		"token_html":            {CodeResponseType, false},
		"token_invalid_client":  {CodeClientRejected, false},
		"token_cut":             {CodeUnreachable, false},
		"token_garbage":         {CodeResponseInvalid, false},
		"token_404":             {CodeResponseStatus, false},
		"bad_signature":         {CodeIDTokenSignature, false},
	} {
		w, kept := newRefreshWorld(t, mockidp.Config{})
		w.idp.SetFault(fault, 1)
		_, err := w.Refresh(t.Context(), w.conn, RefreshRequest{Token: kept})
		if code(err) != want.code || RefreshDenied(err) != want.denied {
			t.Errorf("%s: %v (definite no: %t), want %s, %t", fault, err, RefreshDenied(err), want.code, want.denied)
		}
		if plainText, _ := openRefresh(kept); strings.Contains(fmt.Sprint(err), plainText.Token) {
			t.Errorf("%s: the token is shown: %v", fault, err)
		}
	}
}

// A connection that leads to another provider now never gets the old one's token.
func TestT9_TokenStaysWithItsProvider(t *testing.T) {
	t.Parallel()
	w, kept := newRefreshWorld(t, mockidp.Config{})
	other := newWorld(t, mockidp.Config{})
	moved := other.conn
	moved.RefreshLogin = true
	_, err := w.Refresh(t.Context(), moved, RefreshRequest{Token: kept})
	wantCode(t, err, CodeRefreshMismatch)
	if other.count("token") != 0 {
		t.Error("the token was sent to another provider")
	}
	renamed := w.conn
	renamed.ClientID = "another"
	_, err = w.Refresh(t.Context(), renamed, RefreshRequest{Token: kept})
	wantCode(t, err, CodeRefreshMismatch)
	for _, tc := range []struct {
		change func(*store.Connection)
		token  store.Secret
		want   string
	}{
		{func(c *store.Connection) { c.Disabled = true }, kept, CodeConnectionDisabled},
		{func(c *store.Connection) { c.RefreshLogin = false }, kept, CodeConnectionInvalid},
		{func(*store.Connection) {}, "", CodeRequestInvalid},
		{func(*store.Connection) {}, "not json", CodeRequestInvalid},
	} {
		conn := w.conn
		tc.change(&conn)
		_, err := w.Refresh(t.Context(), conn, RefreshRequest{Token: tc.token})
		wantCode(t, err, tc.want)
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	w, kept := newRefreshWorld(t, mockidp.Config{})
	w.RevokeLater(w.conn, kept)
	w.settle()
	_, err := w.Refresh(t.Context(), w.conn, RefreshRequest{Token: kept})
	if !RefreshDenied(err) {
		t.Errorf("after revocation: %v", err)
	}
	if w.last("revoke").Param("token_type_hint") != "refresh_token" {
		t.Errorf("%+v", w.last("revoke"))
	}
}

func TestU4_RefreshOfPlainOAuth2(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockidp.Config{AlwaysRefreshToken: true, Users: plainPeople(), AutoLogin: "alice", Shape: mockidp.Shape{PlainOAuth2: true}})
	w.conn = plainConnection(w.idp.URL)
	w.set(func(c *store.Connection) { c.RefreshLogin = true })
	id, err := w.login()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Refresh(t.Context(), w.conn, RefreshRequest{Token: id.UpstreamRefresh()}); err != nil {
		t.Error(err)
	}
	w.idp.SetFault("refresh_invalid_grant", 1)
	_, err = w.Refresh(t.Context(), w.conn, RefreshRequest{Token: id.UpstreamRefresh()})
	wantCode(t, err, CodeRefreshRefused)
}
