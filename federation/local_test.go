package federation

import (
	"strings"
	"testing"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
)

// TestLocal_CheckConnection: a connection of local accounts has few fields, and
// whatever is about a provider is refused by name.
func TestLocal_CheckConnection(t *testing.T) {
	t.Parallel()
	f := New(Config{PublicURL: "https://login.example"})
	t.Cleanup(f.Close)
	good := store.Connection{
		ID: "contractors", OrganizationID: "acme", Kind: store.KindLocal, Title: "Contractors", Domains: []string{"Contractor.Test", "*"},
		Join: store.JoinRequest, MaxSessionSeconds: 3600, IdleSessionSeconds: 600, ConcurrentLogins: "one", ServerOnly: true,
	}
	conn := good
	if err := f.CheckConnection(&conn); err != nil {
		t.Fatal(err)
	}
	if conn.Domains[0] != "contractor.test" || conn.ClientAuth != "" || len(conn.Scopes) != 0 || conn.TrustEmail != "" {
		t.Errorf("normalised to %+v", conn)
	}
	for field, set := range map[string]func(*store.Connection){
		"issuer":                func(c *store.Connection) { c.Issuer = "https://idp.example" },
		"client_id":             func(c *store.Connection) { c.ClientID = "x" },
		"client_secret":         func(c *store.Connection) { c.ClientSecret = store.Seal("s") },
		"scopes":                func(c *store.Connection) { c.Scopes = []string{"openid"} },
		"use_userinfo":          func(c *store.Connection) { c.UseUserinfo = true },
		"trust_email":           func(c *store.Connection) { c.TrustEmail = TrustAlways },
		"allow_private_network": func(c *store.Connection) { c.AllowPrivateNetwork = true },
		"grant":                 func(c *store.Connection) { c.Grant = store.GrantPassword },
		"refresh_login":         func(c *store.Connection) { c.RefreshLogin = true },
		"selectors":             func(c *store.Connection) { c.Selectors = profile.DefaultSelectors() },
		"id":                    func(c *store.Connection) { c.ID = "No Slug" },
		"join":                  func(c *store.Connection) { c.Join = "perhaps" },
		"domains[0]":            func(c *store.Connection) { c.Domains = []string{"not a domain"} },
	} {
		c := good
		c.Domains = append([]string(nil), good.Domains...)
		set(&c)
		if err := f.CheckConnection(&c); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := f.Depart(t.Context(), conn, DepartRequest{Tx: "tx"}); err == nil {
		t.Error("somebody was sent to a provider that does not exist")
	}
}

// TestLocal_Identity: our issuer, the user as subject, and an address that counts
// as denied until it is proven.
func TestLocal_Identity(t *testing.T) {
	t.Parallel()
	f := New(Config{PublicURL: "https://login.example"})
	t.Cleanup(f.Close)
	conn := store.Connection{ID: "contractors", Kind: store.KindLocal}
	at := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	who := LocalPerson{UserID: "U1", Attributes: profile.Attributes{Email: "cara@contractor.test"}, AuthTime: at, AMR: []string{"pwd"}}
	id, err := f.LocalIdentity(conn, who)
	if err != nil || !id.Valid() || id.Issuer() != "https://login.example" || id.Subject() != "U1" || id.EmailVerified() != profile.False || !id.AuthTime().Equal(at) {
		t.Errorf("%+v %v", id, err)
	}
	who.EmailProven = true
	if id, err = f.LocalIdentity(conn, who); err != nil || id.EmailVerified() != profile.True {
		t.Errorf("proven: %v %v", id.EmailVerified(), err)
	}
	for name, refused := range map[string]func() (VerifiedIdentity, error){
		"another kind": func() (VerifiedIdentity, error) {
			return f.LocalIdentity(store.Connection{ID: "x", Kind: store.KindOIDC}, who)
		},
		"nobody": func() (VerifiedIdentity, error) { return f.LocalIdentity(conn, LocalPerson{}) },
	} {
		if id, err := refused(); err == nil || id.Valid() {
			t.Errorf("%s: an identity came to be", name)
		}
	}
}
