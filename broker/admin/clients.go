package admin

import (
	"context"
	"net/http"
	"slices"
	"time"

	"gatehouse/store"
)

// clientView is a client without the hashes of its secrets.
type clientView struct {
	ID                     string       `json:"id"`
	Revision               int64        `json:"revision"`
	CreatedAt              time.Time    `json:"created_at"`
	UpdatedAt              time.Time    `json:"updated_at"`
	Name                   string       `json:"name"`
	Type                   string       `json:"type" enum:"native,web,spa,service"`
	Disabled               bool         `json:"disabled"`
	Secrets                []secretView `json:"secrets" doc:"When they were made; the secrets themselves are shown once"`
	AuthMethod             string       `json:"auth_method"`
	RedirectURIs           []string     `json:"redirect_uris"`
	PostLogoutRedirectURIs []string     `json:"post_logout_redirect_uris"`
	GrantTypes             []string     `json:"grant_types"`
	Scopes                 []string     `json:"scopes"`
	Audiences              []string     `json:"audiences"`
	ResponseModes          []string     `json:"response_modes"`
	Organizations          []string     `json:"organizations"`
	Connections            []string     `json:"connections"`
	RequireAssignment      bool         `json:"require_assignment"`
	ThirdParty             bool         `json:"third_party"`
	InsecurePKCEOptional   bool         `json:"insecure_pkce_optional"`
	IDTokenAlg             string       `json:"id_token_alg,omitempty"`
	OpaqueToken            bool         `json:"opaque_token"`
	AccessTokenSeconds     int64        `json:"access_token_seconds"`
	RefreshIdleSeconds     int64        `json:"refresh_idle_seconds"`
	RefreshAbsoluteSeconds int64        `json:"refresh_absolute_seconds"`
	Origins                []string     `json:"origins"`
	LogoURI                string       `json:"logo_uri,omitempty"`
	PolicyURI              string       `json:"policy_uri,omitempty"`
	TermsURI               string       `json:"terms_uri,omitempty"`
}

type secretView struct {
	ID        string     `json:"id" doc:"The first characters of the secret's SHA-256"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

func viewClient(c store.Client) clientView {
	secrets := make([]secretView, 0, len(c.Secrets))
	for _, s := range c.Secrets {
		v := secretView{ID: s.Hash[:min(8, len(s.Hash))], CreatedAt: s.CreatedAt}
		if !s.ExpiresAt.IsZero() {
			v.ExpiresAt = &s.ExpiresAt
		}
		secrets = append(secrets, v)
	}
	return clientView{
		ID: c.ID, Revision: c.Revision, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt, Name: c.Name,
		Type: string(c.Type), Disabled: c.Disabled, Secrets: secrets, AuthMethod: c.AuthMethod,
		RedirectURIs: listed(c.RedirectURIs), PostLogoutRedirectURIs: listed(c.PostLogoutRedirectURIs),
		GrantTypes: listed(c.GrantTypes), Scopes: listed(c.Scopes), Audiences: listed(c.Audiences),
		ResponseModes: listed(c.ResponseModes), Organizations: listed(c.Organizations), Connections: listed(c.Connections),
		RequireAssignment: c.RequireAssignment, ThirdParty: c.ThirdParty, InsecurePKCEOptional: c.InsecurePKCEOptional, IDTokenAlg: c.IDTokenAlg,
		OpaqueToken: c.OpaqueToken, AccessTokenSeconds: c.AccessTokenSeconds, RefreshIdleSeconds: c.RefreshIdleSeconds,
		RefreshAbsoluteSeconds: c.RefreshAbsoluteSeconds, Origins: listed(c.Origins),
		LogoURI: c.LogoURI, PolicyURI: c.PolicyURI, TermsURI: c.TermsURI,
	}
}

// ClientFields are what people may set; absent fields stay.
type ClientFields struct {
	Name                   *string  `json:"name,omitempty" maxLength:"200"`
	Disabled               *bool    `json:"disabled,omitempty"`
	AuthMethod             *string  `json:"auth_method,omitempty" enum:"none,client_secret_basic,client_secret_post"`
	RedirectURIs           []string `json:"redirect_uris,omitempty" maxItems:"50"`
	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris,omitempty" maxItems:"50"`
	GrantTypes             []string `json:"grant_types,omitempty" maxItems:"10"`
	Scopes                 []string `json:"scopes,omitempty" maxItems:"100"`
	Audiences              []string `json:"audiences,omitempty" maxItems:"50"`
	ResponseModes          []string `json:"response_modes,omitempty" maxItems:"5"`
	Organizations          []string `json:"organizations,omitempty" maxItems:"1000" doc:"Whose people may use it; empty means all"`
	Connections            []string `json:"connections,omitempty" maxItems:"1000" doc:"That may sign in to it; empty means all"`
	RequireAssignment      *bool    `json:"require_assignment,omitempty" doc:"Only for people whose membership lists it"`
	ThirdParty             *bool    `json:"third_party,omitempty" doc:"Ask the user for consent"`
	InsecurePKCEOptional   *bool    `json:"insecure_pkce_optional,omitempty" doc:"Confidential clients only, owners only"`
	IDTokenAlg             *string  `json:"id_token_alg,omitempty" maxLength:"16"`
	OpaqueToken            *bool    `json:"opaque_token,omitempty"`
	AccessTokenSeconds     *int64   `json:"access_token_seconds,omitempty"`
	RefreshIdleSeconds     *int64   `json:"refresh_idle_seconds,omitempty"`
	RefreshAbsoluteSeconds *int64   `json:"refresh_absolute_seconds,omitempty"`
	Origins                []string `json:"origins,omitempty" maxItems:"50"`
	LogoURI                *string  `json:"logo_uri,omitempty" maxLength:"2048"`
	PolicyURI              *string  `json:"policy_uri,omitempty" maxLength:"2048"`
	TermsURI               *string  `json:"terms_uri,omitempty" maxLength:"2048"`
}

func (f ClientFields) apply(c *store.Client) {
	set(&c.Name, f.Name)
	set(&c.Disabled, f.Disabled)
	set(&c.AuthMethod, f.AuthMethod)
	setList(&c.RedirectURIs, f.RedirectURIs)
	setList(&c.PostLogoutRedirectURIs, f.PostLogoutRedirectURIs)
	setList(&c.GrantTypes, f.GrantTypes)
	setList(&c.Scopes, f.Scopes)
	setList(&c.Audiences, f.Audiences)
	setList(&c.ResponseModes, f.ResponseModes)
	setList(&c.Organizations, f.Organizations)
	setList(&c.Connections, f.Connections)
	set(&c.RequireAssignment, f.RequireAssignment)
	set(&c.ThirdParty, f.ThirdParty)
	set(&c.InsecurePKCEOptional, f.InsecurePKCEOptional)
	set(&c.IDTokenAlg, f.IDTokenAlg)
	set(&c.OpaqueToken, f.OpaqueToken)
	set(&c.AccessTokenSeconds, f.AccessTokenSeconds)
	set(&c.RefreshIdleSeconds, f.RefreshIdleSeconds)
	set(&c.RefreshAbsoluteSeconds, f.RefreshAbsoluteSeconds)
	setList(&c.Origins, f.Origins)
	set(&c.LogoURI, f.LogoURI)
	set(&c.PolicyURI, f.PolicyURI)
	set(&c.TermsURI, f.TermsURI)
}

// clientDefaults are what a new client of a type gets without asking.
func clientDefaults(id string, kind store.ClientType) store.Client {
	c := store.Client{ID: id, Type: kind, AuthMethod: "client_secret_basic", Scopes: []string{"openid", "profile", "email", "offline_access"}}
	c.GrantTypes = []string{"authorization_code", "refresh_token"}
	if kind == store.ClientService {
		c.GrantTypes, c.Scopes = []string{"client_credentials"}, nil
	}
	if c.Public() {
		c.AuthMethod = "none"
	}
	return c
}

// ClientPath names a client.
type ClientPath struct {
	ID string `path:"client" maxLength:"64"`
}

func (h *Handler) routeClients(t *table) {
	endpoint(t, Admin, operation{Method: "GET", Path: "/clients", In: anywhere, Name: "list-clients", Summary: "List clients", Tag: "clients"},
		func(ctx context.Context, _ Principal, in *Paging) (*pageOutput[clientView], error) {
			page, err := h.listClients(ctx, *in)
			return &pageOutput[clientView]{page}, err
		})
	endpoint(t, Admin, operation{Method: "GET", Path: "/clients/{client}", In: byObject, Name: "get-client", Summary: "Show a client", Tag: "clients"},
		func(ctx context.Context, p Principal, in *ClientPath) (*one[clientView], error) {
			c, err := h.client(ctx, in.ID)
			return &one[clientView]{etag(c.Revision), viewClientFor(p, c)}, err
		})
	endpoint(t, Admin, operation{Method: "POST", Path: "/clients", Name: "create-client", Summary: "Register a client; its secret is shown once", Status: http.StatusCreated, Tag: "clients"}, h.createClient)
	endpoint(t, Admin, operation{Method: "PATCH", Path: "/clients/{client}", Name: "update-client", Summary: "Change a client", Tag: "clients"}, h.updateClient)
	endpoint(t, Admin, operation{Method: "DELETE", Path: "/clients/{client}", Name: "delete-client", Dangerous: true, Summary: "Remove a client; its id is never given out again", Status: http.StatusNoContent, Tag: "clients"}, h.deleteClient)
	endpoint(t, Admin, operation{Method: "POST", Path: "/clients/{client}/secrets", Name: "rotate-client-secret", Dangerous: true, Summary: "Make a new secret, shown once; old ones expire", Status: http.StatusCreated, Tag: "clients"}, h.rotateSecret)
}

// listClients: an organization's admins see the apps that their people may use.
func (h *Handler) listClients(ctx context.Context, in Paging) (Page[clientView], error) {
	p := principalFrom(ctx)
	return listOf(ctx, h, in, listing[store.Client]{
		name: "clients", all: h.shownClients,
		owners: func(_ store.Tx, c store.Client) (belonging, error) {
			return belonging{organizations: c.Organizations, everyones: len(c.Organizations) == 0}, nil
		},
	}, plain(func(c store.Client) clientView { return viewClientFor(p, c) }))
}

// shownClients is the list without the console itself.
func (h *Handler) shownClients(tx store.Tx, p store.Page) ([]store.Client, string, error) {
	found, next, err := h.store.Clients.List(tx, p)
	return slices.DeleteFunc(found, func(c store.Client) bool { return c.ID == store.ConsoleClient }), next, err
}

// shownClient is any client but the console itself, which is nobody's business
// (see sso.go).
func (h *Handler) shownClient(tx store.Tx, id string) (store.Client, error) {
	if id == store.ConsoleClient {
		return store.Client{}, store.ErrNotFound
	}
	return h.store.Clients.Get(tx, id)
}

// viewClientFor leaves out which other organizations use the app.
func viewClientFor(p Principal, c store.Client) clientView {
	v := viewClient(c)
	if !Admin.Allows(p, Object{}) {
		v.Organizations = slices.DeleteFunc(slices.Clone(v.Organizations), func(id string) bool { return !p.sees(id) })
		v.Connections = []string{}
	}
	return v
}

func (h *Handler) client(ctx context.Context, id string) (c store.Client, err error) {
	err = h.store.View(ctx, func(tx store.Tx) (err error) {
		c, err = h.shownClient(tx, id)
		return err
	})
	return c, err
}

// clientCheck is everything that must hold before a client is written.
func (h *Handler) clientCheck(tx store.Tx, p Principal, before store.Client, c *store.Client) error {
	if c.InsecurePKCEOptional && !before.InsecurePKCEOptional && !Owner.Allows(p, Object{}) {
		return errForbidden
	}
	var f faults
	for _, err := range []error{
		ValidateClient(c),
		exist(tx, "organizations", c.Organizations, "organization", h.store.Organizations),
		exist(tx, "connections", c.Connections, "connection", h.store.Connections),
	} {
		if err != nil {
			f = append(f, err)
		}
	}
	return f.join()
}

type createClientInput struct{ Body createClientBody }

type createClientBody struct {
	ID   string `json:"id,omitempty" maxLength:"64" doc:"The client_id; made up when absent, never given out again"`
	Type string `json:"type" enum:"native,web,spa,service"`
	ClientFields
}

// secretOutput shows a client with a secret, the one time it can be seen.
type secretOutput struct {
	ETag string `header:"ETag"`
	Body clientWithSecret
}

type clientWithSecret struct {
	Client clientView `json:"client"`
	Secret string     `json:"client_secret,omitempty" doc:"Shown this once; absent for public clients"`
}

func (h *Handler) newSecret() (store.ClientSecret, string) {
	plain := "ghs_" + randomValue()
	return store.ClientSecret{Hash: store.HashToken(plain), CreatedAt: h.now().UTC()}, plain
}

func (h *Handler) createClient(ctx context.Context, p Principal, in *createClientInput) (*secretOutput, error) {
	if in.Body.ID == "" {
		in.Body.ID = store.NewID()
	}
	c := clientDefaults(in.Body.ID, store.ClientType(in.Body.Type))
	in.Body.apply(&c)
	var secret string
	if !c.Public() {
		var kept store.ClientSecret
		kept, secret = h.newSecret()
		c.Secrets = []store.ClientSecret{kept}
	}
	var saved store.Client
	err := h.change(ctx, p, func(ch *store.Change) error {
		if err := h.clientCheck(ch.Tx, p, store.Client{}, &c); err != nil {
			return err
		}
		if err := h.store.Clients.Insert(ch.Tx, c); err != nil {
			return err
		}
		var err error
		if saved, err = h.store.Clients.Get(ch.Tx, c.ID); err != nil {
			return err
		}
		return ch.Record("client.create", "client/"+c.ID, difference(nil, viewClient(saved)))
	})
	return &secretOutput{etag(saved.Revision), clientWithSecret{viewClient(saved), secret}}, err
}

type updateClientInput struct {
	ClientPath
	Precondition
	Body updateClientBody
}

type updateClientBody struct {
	Revision *int64 `json:"revision,omitempty" doc:"As read; 409 when it is no longer the stored one"`
	ClientFields
}

func (h *Handler) updateClient(ctx context.Context, p Principal, in *updateClientInput) (*one[clientView], error) {
	saved, err := h.editClient(ctx, p, in.ID, "client.update", in.Precondition, in.Body.Revision, func(c *store.Client) error {
		in.Body.apply(c)
		return nil
	})
	return &one[clientView]{etag(saved.Revision), viewClient(saved)}, err
}

// editClient reads, changes, checks and writes a client in one transaction.
func (h *Handler) editClient(ctx context.Context, p Principal, id, action string, pre Precondition, revision *int64, edit func(*store.Client) error) (saved store.Client, err error) {
	err = h.change(ctx, p, func(ch *store.Change) error {
		before, err := h.shownClient(ch.Tx, id)
		if err != nil {
			return err
		}
		if err := pre.match(before.Meta, revision); err != nil {
			return err
		}
		after := before
		after.Secrets = slices.Clone(before.Secrets)
		if err := edit(&after); err != nil {
			return err
		}
		if err := h.clientCheck(ch.Tx, p, before, &after); err != nil {
			return err
		}
		if err := h.store.Clients.Put(ch.Tx, after); err != nil {
			return err
		}
		if saved, err = h.store.Clients.Get(ch.Tx, id); err != nil {
			return err
		}
		return ch.Record(action, "client/"+id, difference(viewClient(before), viewClient(saved)))
	})
	return saved, err
}

type deleteClientInput struct {
	ClientPath
	Precondition
}

func (h *Handler) deleteClient(ctx context.Context, p Principal, in *deleteClientInput) (*none, error) {
	return nil, h.change(ctx, p, func(ch *store.Change) error {
		before, err := h.shownClient(ch.Tx, in.ID)
		if err != nil {
			return err
		}
		if err := in.match(before.Meta, nil); err != nil {
			return err
		}
		if err := h.store.Clients.Delete(ch.Tx, in.ID); err != nil {
			return err
		}
		return ch.Record("client.delete", "client/"+in.ID, difference(viewClient(before), nil))
	})
}

type rotateSecretInput struct {
	ClientPath
	Precondition
	Body struct {
		KeepOldSeconds int64 `json:"keep_old_seconds,omitempty" minimum:"0" maximum:"2592000" doc:"How long old secrets still work; 0 ends them now"`
	}
}

func (h *Handler) rotateSecret(ctx context.Context, p Principal, in *rotateSecretInput) (*secretOutput, error) {
	kept, plain := h.newSecret()
	until := h.now().UTC().Add(time.Duration(in.Body.KeepOldSeconds) * time.Second)
	saved, err := h.editClient(ctx, p, in.ID, "client.rotate_secret", in.Precondition, nil, func(c *store.Client) error {
		if c.Public() {
			return problem(http.StatusConflict, "Native and single-page clients have no secret.")
		}
		old := slices.DeleteFunc(c.Secrets, func(s store.ClientSecret) bool {
			return in.Body.KeepOldSeconds == 0 || !s.ExpiresAt.IsZero() && !h.now().Before(s.ExpiresAt)
		})
		for i := range old {
			if old[i].ExpiresAt.IsZero() || old[i].ExpiresAt.After(until) {
				old[i].ExpiresAt = until
			}
		}
		c.Secrets = append(old[max(0, len(old)-3):], kept)
		return nil
	})
	return &secretOutput{etag(saved.Revision), clientWithSecret{viewClient(saved), plain}}, err
}
