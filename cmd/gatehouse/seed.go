package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/admin"
	"gatehouse/profile"
	"gatehouse/store"
)

// What the mock companies know Gatehouse by. Not secret: everybody may sign in
// there as anybody.
const (
	devUpstreamClient = "gatehouse"
	devUpstreamSecret = "mock-secret"
	devNativeClient   = "demo-native"
	devWebClient      = "demo-web"
	devOwnerEmail     = "owner@gatehouse.test"
	devTokenLifetime  = 366 * day
)

// devCompany is one mock company; its organization and connection have its name.
type devCompany struct {
	Name, title  string
	port         int
	peopleDomain string // of alice and bob there
	rule         string // what the connection routes
	join         store.JoinPolicy
}

func devCompanies() []devCompany {
	return []devCompany{
		{Name: "acme", title: "Acme", port: 9101, peopleDomain: "acme.test", rule: "acme.test", join: store.JoinAutomatic},
		{Name: "globex", title: "Globex", port: 9102, peopleDomain: "globex.test", rule: "globex.test", join: store.JoinRequest},
		{Name: "any", title: "Anybody else", port: 9103, peopleDomain: "any.test", rule: "*", join: store.JoinAutomatic},
	}
}

// plan is what the data should hold: all the URLs of this start, and the
// secrets of the last one.
func (o devOptions) plan(cfg *config, listeners map[string]net.Listener) devPlan {
	p := devPlan{
		stateFile: o.stateFile(),
		state:     devState{Issuer: cfg.Issuer, Admin: cfg.Admin.URL, Demo: localURL(listeners[devDemo]), Data: o.dir},
	}
	for _, c := range devCompanies() {
		p.state.IDPs = append(p.state.IDPs, devIDP{
			Name: c.Name, Issuer: localURL(listeners[c.Name]), Domain: c.rule,
			Connection: c.Name, Organization: c.Name, Join: c.join,
		})
	}
	p.state.Clients = []devClient{
		{ID: devNativeClient, Type: store.ClientNative, RedirectURIs: []string{"http://127.0.0.1/callback", "com.example.demo:/callback"}},
		{ID: devWebClient, Type: store.ClientWeb, RedirectURIs: []string{p.state.Demo + "/callback"}},
	}
	return p
}

type devPlan struct {
	stateFile string
	state     devState
}

// seeder brings the data to the plan. What a person changed in the console
// stays; only secrets nobody knows any more and URLs that moved are replaced.
type seeder struct {
	st           *store.Store
	ch           *store.Change
	plan         *devState
	lastDemo     string // where the demo app was at the last start
	passwordHash string
	now          time.Time
}

// errNothingToDo ends the Change when the data is as planned already.
var errNothingToDo = errors.New("nothing to do")

func seed(ctx context.Context, g *gatehouse, plan devPlan) (*devState, error) {
	last, err := readDevState(plan.stateFile)
	if err != nil {
		return nil, err
	}
	state := plan.state
	state.Owner = devOwner{Email: devOwnerEmail, Password: last.Owner.Password}
	state.APIToken = last.APIToken
	newPassword := state.Owner.Password == ""
	if newPassword {
		state.Owner.Password = rand.Text()
	}
	if state.APIToken == "" {
		state.APIToken = admin.NewAPIToken()
	}
	for i := range state.Clients {
		if c := &state.Clients[i]; c.Type == store.ClientWeb {
			if c.Secret = last.client(c.ID).Secret; c.Secret == "" {
				c.Secret = rand.Text() + rand.Text() // 260 bits
			}
		}
	}
	hash, err := admin.HashPassword(ctx, state.Owner.Password)
	if err != nil {
		return nil, err
	}
	actor := store.Actor{UserID: "system", Via: "dev"}
	err = g.store.Change(ctx, actor, func(ch *store.Change) error {
		s := &seeder{st: g.store, ch: ch, plan: &state, lastDemo: last.Demo, passwordHash: hash, now: g.store.Now().UTC()}
		return s.run(newPassword)
	})
	if err != nil && !errors.Is(err, errNothingToDo) {
		return nil, err
	}
	return &state, nil
}

func (s *seeder) run(newPassword bool) error {
	changed := 0
	step := func(did bool, err error) error {
		if did {
			changed++
		}
		return err
	}
	owner, did, err := s.owner(newPassword)
	if err = step(did, err); err != nil {
		return err
	}
	if err := step(s.token(owner)); err != nil {
		return err
	}
	for i, c := range devCompanies() {
		if err := step(s.organization(c, owner)); err != nil {
			return err
		}
		if err := step(s.domain(c)); err != nil {
			return err
		}
		if err := step(s.connection(c, s.plan.IDPs[i].Issuer)); err != nil {
			return err
		}
	}
	for i, c := range devCompanies() {
		if err := step(s.companyAdmin(c, s.plan.IDPs[i].Issuer)); err != nil {
			return err
		}
	}
	for _, c := range s.plan.Clients {
		if err := step(s.client(c)); err != nil {
			return err
		}
	}
	if changed == 0 {
		return errNothingToDo
	}
	return nil
}

// insert records what was inserted; what somebody deleted stays deleted.
func (s *seeder) insert(err error, action, target string) (bool, error) {
	switch {
	case errors.Is(err, store.ErrTombstone):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("%s %s: %w", action, target, err)
	}
	return true, s.ch.Record(action, target, nil)
}

func (s *seeder) owner(newPassword bool) (userID string, did bool, err error) {
	email, err := profile.ParseEmail(s.plan.Owner.Email)
	if err != nil {
		return "", false, err
	}
	password, err := s.st.Passwords.ByUnique(s.ch, "login", email.Key())
	switch {
	case errors.Is(err, store.ErrNotFound):
		u := store.User{
			ID: store.NewID(), Status: store.UserActive, PlatformRole: store.RoleOwner, CreatedBy: "system",
			Attributes: profile.Attributes{Email: email.String(), DisplayName: "Owner"},
		}
		if err := s.st.Users.Insert(s.ch, u); err != nil {
			return "", false, err
		}
		password = store.Password{UserID: u.ID, Login: email.Key(), Hash: s.passwordHash, ChangedAt: s.now}
		if err := s.st.Passwords.Insert(s.ch, password); err != nil {
			return "", false, err
		}
		return u.ID, true, s.ch.Record("user.create", "user/"+u.ID, nil)
	case err != nil:
		return "", false, err
	case newPassword: // dev.json is gone, so nobody knows the old one
		password.Hash, password.ChangedAt = s.passwordHash, s.now
		if err := s.st.Passwords.Put(s.ch, password); err != nil {
			return "", false, err
		}
		return password.UserID, true, s.ch.Record("user.reset_password", "user/"+password.UserID, nil)
	}
	return password.UserID, false, nil
}

func (s *seeder) token(owner string) (bool, error) {
	hash := store.HashToken(s.plan.APIToken)
	_, err := s.st.APITokens.Get(s.ch, hash)
	if !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	err = s.st.APITokens.Insert(s.ch, store.APIToken{
		Hash: hash, Name: "dev", UserID: owner, CreatedAt: s.now, ExpiresAt: s.now.Add(devTokenLifetime),
	})
	return s.insert(err, "token.create", "token/"+hash[:12])
}

func (s *seeder) organization(c devCompany, owner string) (bool, error) {
	_, err := s.st.Organizations.Get(s.ch, c.Name)
	if !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	err = s.st.Organizations.Insert(s.ch, store.Organization{
		ID: c.Name, Title: c.title, Join: c.join, JoinActor: owner, Contact: "help@" + c.peopleDomain,
	})
	return s.insert(err, "organization.create", "organization/"+c.Name)
}

func (s *seeder) domain(c devCompany) (bool, error) {
	if c.rule == "*" {
		return false, nil
	}
	_, err := s.st.Domains.Get(s.ch, store.DomainKey(c.rule, c.Name))
	if !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	if _, err := s.st.Organizations.Get(s.ch, c.Name); err != nil {
		return false, ignoreNotFound(err)
	}
	err = s.st.Domains.Insert(s.ch, store.Domain{Name: c.rule, OrganizationID: c.Name, State: store.DomainAsserted})
	return s.insert(err, "domain.create", "domain/"+c.rule)
}

func (s *seeder) connection(c devCompany, issuer string) (bool, error) {
	conn, err := s.st.Connections.Get(s.ch, c.Name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		if _, err := s.st.Organizations.Get(s.ch, c.Name); err != nil {
			return false, ignoreNotFound(err)
		}
		err = s.st.Connections.Insert(s.ch, store.Connection{
			ID: c.Name, OrganizationID: c.Name, Kind: store.KindOIDC, Title: c.title, Domains: []string{c.rule},
			Issuer: issuer, ClientID: devUpstreamClient, ClientSecret: store.Seal(devUpstreamSecret),
			ClientAuth: store.AuthHeader, Scopes: []string{"openid", "email", "profile"},
			UseUserinfo: true, Selectors: profile.DefaultSelectors(), AllowPrivateNetwork: true,
		})
		return s.insert(err, "connection.create", "connection/"+c.Name)
	case err != nil || conn.Issuer == issuer:
		return false, err
	}
	old := conn.Issuer
	conn.Issuer = issuer
	if err := s.st.Connections.Put(s.ch, conn); err != nil {
		return false, err
	}
	if err := s.moveIdentities(conn.ID, old, issuer); err != nil {
		return false, err
	}
	return true, s.ch.Record("connection.update", "connection/"+conn.ID, map[string]any{"issuer": issuer})
}

// moveIdentities keeps people who they were when a mock company got another
// port and so another issuer. Only a development environment may do this: the
// issuer is part of who somebody is.
func (s *seeder) moveIdentities(connection, from, to string) error {
	var all []store.Identity
	for page := (store.Page{}); ; {
		ids, next, err := s.st.Identities.ByIndex(s.ch, "connection", connection, page)
		if err != nil {
			return err
		}
		if all = append(all, ids...); next == "" {
			break
		}
		page.Cursor = next
	}
	for _, id := range all {
		if id.Issuer != from {
			continue
		}
		if err := s.st.Identities.Delete(s.ch, store.IdentityKey(connection, from, id.Subject)); err != nil {
			return err
		}
		id.Issuer = to
		if err := s.st.Identities.Insert(s.ch, id); err != nil {
			return err
		}
	}
	return nil
}

// devCompanyAdmin is the name of each company's admin at its mock provider, and part
// of the sub there.
const devCompanyAdmin = "admin"

// people that the mock company has besides alice and bob: an admin of ours.
func (c devCompany) people() map[string]map[string]any {
	if c.rule == "*" {
		return nil
	}
	return map[string]map[string]any{devCompanyAdmin: {
		"sub": c.Name + "-" + devCompanyAdmin, "name": c.title + " Admin", "given_name": c.title, "family_name": "Admin",
		"email": devCompanyAdmin + "@" + c.peopleDomain, "email_verified": true,
	}}
}

// companyAdmin makes the company's admin an admin of its organization here, so
// that signing in to the console with the company can be tried.
func (s *seeder) companyAdmin(c devCompany, issuer string) (bool, error) {
	profileThere := c.people()[devCompanyAdmin]
	if profileThere == nil {
		return false, nil
	}
	id := "dev-" + devCompanyAdmin + "-" + c.Name
	if ok, err := s.st.Users.Has(s.ch, id); ok || err != nil {
		return false, err
	}
	if ok, err := s.st.Connections.Has(s.ch, c.Name); !ok || err != nil {
		return false, err
	}
	attributes := profile.Attributes{Email: devCompanyAdmin + "@" + c.peopleDomain, DisplayName: c.title + " Admin"}
	err := s.st.Users.Insert(s.ch, store.User{ID: id, Status: store.UserActive, CreatedBy: "system", Attributes: attributes, EmailVerified: true})
	did, err := s.insert(err, "user.create", "user/"+id)
	if !did || err != nil {
		return false, err
	}
	err = s.st.Identities.Insert(s.ch, store.Identity{
		ConnectionID: c.Name, Issuer: issuer, Subject: c.Name + "-" + devCompanyAdmin, UserID: id, Attributes: attributes, EmailVerified: true,
	})
	if err != nil {
		return false, err
	}
	return true, s.st.Memberships.Insert(s.ch, store.Membership{OrganizationID: c.Name, UserID: id, Role: store.RoleAdmin, ConnectionID: c.Name, Terms: store.SearchTerms(attributes)})
}

func (s *seeder) client(c devClient) (bool, error) {
	rec, err := s.st.Clients.Get(s.ch, c.ID)
	if errors.Is(err, store.ErrNotFound) {
		rec = newDevClient(c, s.plan.Demo)
		if c.Secret != "" {
			rec.Secrets = []store.ClientSecret{{Hash: store.HashToken(c.Secret), CreatedAt: s.now}}
		}
		if err := admin.ValidateClient(&rec); err != nil {
			return false, err
		}
		return s.insert(s.st.Clients.Insert(s.ch, rec), "client.create", "client/"+c.ID)
	}
	if err != nil {
		return false, err
	}
	changed := false
	known := func(have store.ClientSecret) bool { return have.Hash == store.HashToken(c.Secret) }
	if c.Secret != "" && !slices.ContainsFunc(rec.Secrets, known) {
		rec.Secrets = append(rec.Secrets, store.ClientSecret{Hash: store.HashToken(c.Secret), CreatedAt: s.now})
		changed = true
	}
	if c.Type == store.ClientWeb && s.lastDemo != s.plan.Demo {
		moved := func(uris []string, path string) []string {
			uris = slices.DeleteFunc(slices.Clone(uris), func(u string) bool { return u == s.lastDemo+path || u == s.plan.Demo+path })
			return append(uris, s.plan.Demo+path)
		}
		rec.RedirectURIs = moved(rec.RedirectURIs, "/callback")
		rec.PostLogoutRedirectURIs = moved(rec.PostLogoutRedirectURIs, "/")
		changed = true
	}
	if !changed {
		return false, nil
	}
	if err := s.st.Clients.Put(s.ch, rec); err != nil {
		return false, err
	}
	return true, s.ch.Record("client.update", "client/"+c.ID, map[string]any{"redirect_uris": rec.RedirectURIs})
}

func newDevClient(c devClient, demo string) store.Client {
	rec := store.Client{
		ID: c.ID, Type: c.Type, AuthMethod: "none", RedirectURIs: c.RedirectURIs, Scopes: broker.Scopes(),
		GrantTypes: []string{"authorization_code", "refresh_token"},
	}
	switch c.Type {
	case store.ClientWeb:
		rec.Name, rec.AuthMethod = "Demo web app", "client_secret_basic"
		rec.GrantTypes = append(rec.GrantTypes, "client_credentials")
		rec.ResponseModes = []string{"form_post"}
		rec.PostLogoutRedirectURIs = []string{demo + "/"}
	default:
		rec.Name = "Demo phone app"
	}
	return rec
}

func ignoreNotFound(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}
