package admin

import (
	"context"
	"net/http"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
)

// connectionView is a connection without its secret.
type connectionView struct {
	ID                  string            `json:"id"`
	Revision            int64             `json:"revision"`
	CreatedAt           time.Time         `json:"created_at"`
	UpdatedAt           time.Time         `json:"updated_at"`
	Organization        string            `json:"organization"`
	Kind                string            `json:"kind" enum:"oidc,oauth2"`
	Preset              string            `json:"preset,omitempty"`
	Title               string            `json:"title"`
	Picture             string            `json:"picture,omitempty"`
	Disabled            bool              `json:"disabled"`
	Domains             []string          `json:"domains"`
	Issuer              string            `json:"issuer"`
	Endpoints           store.Endpoints   `json:"endpoints"`
	ClientID            string            `json:"client_id"`
	HasClientSecret     bool              `json:"has_client_secret" doc:"The secret itself never comes out"`
	ClientAuth          string            `json:"client_auth,omitempty"`
	Scopes              []string          `json:"scopes"`
	InsecureNoPKCE      bool              `json:"insecure_no_pkce"`
	InsecureNoNonce     bool              `json:"insecure_no_nonce"`
	LoginHint           string            `json:"login_hint,omitempty"`
	UseUserinfo         bool              `json:"use_userinfo"`
	Selectors           profile.Selectors `json:"selectors"`
	TrustEmail          string            `json:"trust_email,omitempty"`
	AllowPrivateNetwork bool              `json:"allow_private_network"`
	Algorithms          []string          `json:"algorithms"`
	ACRValues           []string          `json:"acr_values"`
	RedirectURI         string            `json:"redirect_uri" doc:"Register this address at the provider"`
}

func (h *Handler) viewConnection(c store.Connection) connectionView {
	return connectionView{
		ID: c.ID, Revision: c.Revision, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
		Organization: c.OrganizationID, Kind: string(c.Kind), Preset: c.Preset, Title: c.Title, Picture: c.Picture,
		Disabled: c.Disabled, Domains: listed(c.Domains), Issuer: c.Issuer, Endpoints: c.Endpoints,
		ClientID: c.ClientID, HasClientSecret: !c.ClientSecret.IsZero(), ClientAuth: c.ClientAuth,
		Scopes: listed(c.Scopes), InsecureNoPKCE: c.InsecureNoPKCE, InsecureNoNonce: c.InsecureNoNonce,
		LoginHint: c.LoginHint, UseUserinfo: c.UseUserinfo, Selectors: c.Selectors, TrustEmail: c.TrustEmail,
		AllowPrivateNetwork: c.AllowPrivateNetwork, Algorithms: listed(c.Algorithms), ACRValues: listed(c.ACRValues),
		RedirectURI: h.federation.RedirectURI(c.ID),
	}
}

// ConnectionFields are what people may set; absent fields stay.
type ConnectionFields struct {
	Kind                *string            `json:"kind,omitempty" enum:"oidc,oauth2"`
	Preset              *string            `json:"preset,omitempty" maxLength:"63"`
	Title               *string            `json:"title,omitempty" maxLength:"200"`
	Picture             *string            `json:"picture,omitempty" maxLength:"2048"`
	Disabled            *bool              `json:"disabled,omitempty"`
	Domains             []string           `json:"domains,omitempty" maxItems:"1000" doc:"acme.test, *.acme.test or *"`
	Issuer              *string            `json:"issuer,omitempty" maxLength:"2048"`
	Endpoints           *store.Endpoints   `json:"endpoints,omitempty"`
	ClientID            *string            `json:"client_id,omitempty" maxLength:"1024"`
	ClientSecret        *string            `json:"client_secret,omitempty" maxLength:"4096" writeOnly:"true" doc:"Goes in and never comes out; empty removes it"`
	ClientAuth          *string            `json:"client_auth,omitempty" enum:"header,form,private_key_jwt,none"`
	Scopes              []string           `json:"scopes,omitempty" maxItems:"100"`
	InsecureNoPKCE      *bool              `json:"insecure_no_pkce,omitempty"`
	InsecureNoNonce     *bool              `json:"insecure_no_nonce,omitempty"`
	LoginHint           *string            `json:"login_hint,omitempty" maxLength:"63"`
	UseUserinfo         *bool              `json:"use_userinfo,omitempty"`
	Selectors           *profile.Selectors `json:"selectors,omitempty"`
	TrustEmail          *string            `json:"trust_email,omitempty" maxLength:"63"`
	AllowPrivateNetwork *bool              `json:"allow_private_network,omitempty" doc:"Owners only"`
	Algorithms          []string           `json:"algorithms,omitempty" maxItems:"20"`
	ACRValues           []string           `json:"acr_values,omitempty" maxItems:"20"`
}

func (f ConnectionFields) apply(c *store.Connection) {
	if f.Kind != nil {
		c.Kind = store.ConnectionKind(*f.Kind)
	}
	set(&c.Preset, f.Preset)
	set(&c.Title, f.Title)
	set(&c.Picture, f.Picture)
	set(&c.Disabled, f.Disabled)
	setList(&c.Domains, f.Domains)
	set(&c.Issuer, f.Issuer)
	set(&c.Endpoints, f.Endpoints)
	set(&c.ClientID, f.ClientID)
	if f.ClientSecret != nil {
		c.ClientSecret = store.Seal(store.Secret(*f.ClientSecret))
	}
	set(&c.ClientAuth, f.ClientAuth)
	setList(&c.Scopes, f.Scopes)
	set(&c.InsecureNoPKCE, f.InsecureNoPKCE)
	set(&c.InsecureNoNonce, f.InsecureNoNonce)
	set(&c.LoginHint, f.LoginHint)
	set(&c.UseUserinfo, f.UseUserinfo)
	set(&c.Selectors, f.Selectors)
	set(&c.TrustEmail, f.TrustEmail)
	set(&c.AllowPrivateNetwork, f.AllowPrivateNetwork)
	setList(&c.Algorithms, f.Algorithms)
	setList(&c.ACRValues, f.ACRValues)
}

type listConnectionsInput struct {
	Paging
	Organization string `query:"organization" maxLength:"63" doc:"Only this organization's"`
}

// ConnectionPath names a connection.
type ConnectionPath struct {
	ID string `path:"connection" maxLength:"63"`
}

func (h *Handler) routeConnections(t *table) {
	endpoint(t, Admin, operation{Method: "GET", Path: "/connections", Name: "list-connections", Summary: "List connections", Tag: "connections"},
		func(ctx context.Context, _ Principal, in *listConnectionsInput) (*pageOutput[connectionView], error) {
			page, err := h.listConnections(ctx, in.Paging, in.Organization)
			return &pageOutput[connectionView]{page}, err
		})
	endpoint(t, Admin, operation{Method: "GET", Path: "/connections/{connection}", Name: "get-connection", Summary: "Show a connection", Tag: "connections"},
		func(ctx context.Context, _ Principal, in *ConnectionPath) (*one[connectionView], error) {
			c, err := h.connection(ctx, in.ID)
			return &one[connectionView]{etag(c.Revision), h.viewConnection(c)}, err
		})
	endpoint(t, Admin, operation{Method: "POST", Path: "/connections", Name: "create-connection", Summary: "Add a connection", Status: http.StatusCreated, Tag: "connections"}, h.createConnection)
	endpoint(t, Admin, operation{Method: "PATCH", Path: "/connections/{connection}", Name: "update-connection", Summary: "Change a connection", Tag: "connections"}, h.updateConnection)
	endpoint(t, Admin, operation{Method: "DELETE", Path: "/connections/{connection}", Name: "delete-connection", Summary: "Remove a connection; its id is never given out again", Status: http.StatusNoContent, Tag: "connections"}, h.deleteConnection)
}

func (h *Handler) connection(ctx context.Context, id string) (c store.Connection, err error) {
	err = h.store.View(ctx, func(tx store.Tx) (err error) {
		c, err = h.store.Connections.Get(tx, id)
		return err
	})
	return c, err
}

func (h *Handler) listConnections(ctx context.Context, in Paging, organization string) (Page[connectionView], error) {
	read := h.store.Connections.List
	if organization != "" {
		read = func(tx store.Tx, p store.Page) ([]store.Connection, string, error) {
			return h.store.Connections.ByIndex(tx, "organization", organization, p)
		}
	}
	return list(ctx, h, "connections?organization="+organization, in, read, plain(h.viewConnection))
}

type createConnectionInput struct{ Body createConnectionBody }

type createConnectionBody struct {
	ID           string `json:"id" maxLength:"63" doc:"Slug in the callback path, chosen once and never given out again"`
	Organization string `json:"organization" maxLength:"63"`
	ConnectionFields
}

func (h *Handler) createConnection(ctx context.Context, p Principal, in *createConnectionInput) (*one[connectionView], error) {
	c := store.Connection{
		ID: in.Body.ID, OrganizationID: in.Body.Organization, Kind: store.KindOIDC,
		Scopes: []string{"openid", "profile", "email"}, UseUserinfo: true, Selectors: profile.DefaultSelectors(),
	}
	in.Body.apply(&c)
	if err := h.checkConnection(p, store.Connection{}, &c); err != nil {
		return nil, err
	}
	var saved store.Connection
	err := h.change(ctx, p, func(ch *store.Change) error {
		if ok, err := has(ch.Tx, h.store.Organizations, c.OrganizationID); err != nil {
			return err
		} else if !ok {
			return fault("organization", "names an organization that does not exist")
		}
		if err := h.store.Connections.Insert(ch.Tx, c); err != nil {
			return err
		}
		var err error
		if saved, err = h.store.Connections.Get(ch.Tx, c.ID); err != nil {
			return err
		}
		return ch.Record("connection.create", "connection/"+c.ID, difference(nil, h.viewConnection(saved)))
	})
	return &one[connectionView]{etag(saved.Revision), h.viewConnection(saved)}, err
}

// checkConnection joins our faults with federation's. What weakens a connection
// or reaches into the private network is for owners.
func (h *Handler) checkConnection(p Principal, before store.Connection, c *store.Connection) error {
	var f faults
	f.slug("id", c.ID)
	f.text("title", c.Title, 200, true)
	f.webURL("picture", c.Picture)
	loosened := c.AllowPrivateNetwork && !before.AllowPrivateNetwork || c.InsecureNoPKCE && !before.InsecureNoPKCE ||
		c.InsecureNoNonce && !before.InsecureNoNonce || c.TrustEmail == "always" && before.TrustEmail != "always"
	if loosened && !Owner.Allows(p, Object{Kind: "connection", OrganizationID: c.OrganizationID}) {
		return errForbidden
	}
	if err := h.federation.CheckConnection(c); err != nil {
		f = append(f, err)
	}
	return f.join()
}

type updateConnectionInput struct {
	ConnectionPath
	Precondition
	Body updateConnectionBody
}

type updateConnectionBody struct {
	Revision *int64 `json:"revision,omitempty" doc:"As read; 409 when it is no longer the stored one"`
	ConnectionFields
}

func (h *Handler) updateConnection(ctx context.Context, p Principal, in *updateConnectionInput) (*one[connectionView], error) {
	var saved store.Connection
	err := h.change(ctx, p, func(ch *store.Change) error {
		before, err := h.store.Connections.Get(ch.Tx, in.ID)
		if err != nil {
			return err
		}
		if err := in.match(before.Meta, in.Body.Revision); err != nil {
			return err
		}
		after := before
		after.Domains = append([]string(nil), before.Domains...) // checks may canonicalize in place
		in.Body.apply(&after)
		if err := h.checkConnection(p, before, &after); err != nil {
			return err
		}
		if err := h.store.Connections.Put(ch.Tx, after); err != nil {
			return err
		}
		if saved, err = h.store.Connections.Get(ch.Tx, in.ID); err != nil {
			return err
		}
		detail := difference(h.viewConnection(before), h.viewConnection(saved))
		if in.Body.ClientSecret != nil {
			detail["client_secret"] = "changed"
		}
		return ch.Record("connection.update", "connection/"+in.ID, detail)
	})
	if err == nil {
		h.federation.Forget(in.ID)
	}
	return &one[connectionView]{etag(saved.Revision), h.viewConnection(saved)}, err
}

type deleteConnectionInput struct {
	ConnectionPath
	Precondition
}

func (h *Handler) deleteConnection(ctx context.Context, p Principal, in *deleteConnectionInput) (*none, error) {
	err := h.change(ctx, p, func(ch *store.Change) error {
		before, err := h.store.Connections.Get(ch.Tx, in.ID)
		if err != nil {
			return err
		}
		if err := in.match(before.Meta, nil); err != nil {
			return err
		}
		if err := h.store.Connections.Delete(ch.Tx, in.ID); err != nil {
			return err
		}
		return ch.Record("connection.delete", "connection/"+in.ID, difference(h.viewConnection(before), nil))
	})
	if err == nil {
		h.federation.Forget(in.ID)
	}
	return nil, err
}
