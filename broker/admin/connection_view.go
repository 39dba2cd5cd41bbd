package admin

import (
	"encoding/json"
	"time"

	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/store"
)

// connectionView is a connection without its secrets.
type connectionView struct {
	ID                   string              `json:"id"`
	Revision             int64               `json:"revision"`
	CreatedAt            time.Time           `json:"created_at"`
	UpdatedAt            time.Time           `json:"updated_at"`
	Organization         string              `json:"organization"`
	Kind                 string              `json:"kind" enum:"oidc,oauth2,local"`
	Preset               string              `json:"preset,omitempty"`
	Title                string              `json:"title"`
	Picture              string              `json:"picture,omitempty"`
	Disabled             bool                `json:"disabled"`
	Domains              []string            `json:"domains"`
	Join                 string              `json:"join"`
	AllowPublicDomains   bool                `json:"allow_public_domains"`
	Issuer               string              `json:"issuer"`
	Endpoints            store.Endpoints     `json:"endpoints"`
	ClientID             string              `json:"client_id"`
	HasClientSecret      bool                `json:"has_client_secret" doc:"The secret itself never comes out"`
	ClientAuth           string              `json:"client_auth,omitempty"`
	ClientAuthAlg        string              `json:"client_auth_alg,omitempty"`
	HasPrivateKey        bool                `json:"has_private_key" doc:"The key itself never comes out"`
	PublicKeys           json.RawMessage     `json:"public_keys,omitempty" doc:"Public half of the connection's own key, as the JWKS to register at the provider"`
	Apple                *store.AppleKey     `json:"apple,omitempty"`
	Scopes               []string            `json:"scopes"`
	InsecureNoPKCE       bool                `json:"insecure_no_pkce"`
	InsecureNoNonce      bool                `json:"insecure_no_nonce"`
	PKCENames            store.PKCENames     `json:"pkce_names"`
	PushAuthorization    bool                `json:"push_authorization"`
	ResponseMode         string              `json:"response_mode,omitempty"`
	LoginHint            string              `json:"login_hint,omitempty"`
	Hint                 store.Hint          `json:"hint"`
	DomainHint           store.DomainHint    `json:"domain_hint"`
	PublicHosts          []string            `json:"public_hosts"`
	Parameters           []store.Parameter   `json:"parameters"`
	UseUserinfo          bool                `json:"use_userinfo"`
	Profile              store.ProfileSource `json:"profile"`
	Selectors            profile.Selectors   `json:"selectors"`
	TrustEmail           string              `json:"trust_email,omitempty"`
	AllowPrivateNetwork  bool                `json:"allow_private_network"`
	Algorithms           []string            `json:"algorithms"`
	ACRValues            []string            `json:"acr_values"`
	Grant                string              `json:"grant,omitempty"`
	ExtensionGrantType   string              `json:"extension_grant_type,omitempty"`
	AssertionConnection  string              `json:"assertion_connection,omitempty"`
	RefreshLogin         bool                `json:"refresh_login"`
	RefreshOutageSeconds int64               `json:"refresh_outage_seconds,omitempty"`
	MaxSessionSeconds    int64               `json:"max_session_seconds,omitempty"`
	IdleSessionSeconds   int64               `json:"idle_session_seconds,omitempty"`
	ServerOnly           bool                `json:"server_only"`
	ConcurrentLogins     string              `json:"concurrent_logins,omitempty"`

	RedirectURI  string        `json:"redirect_uri" doc:"The first of redirect_uris"`
	RedirectURIs []string      `json:"redirect_uris" doc:"Register these addresses at the provider, byte for byte"`
	Warnings     []warningView `json:"warnings" doc:"Allowed, and worth a second look"`
}

type warningView struct {
	Path    string `json:"path"`
	Problem string `json:"problem"`
	Fix     string `json:"fix,omitempty"`
}

func (h *Handler) viewConnection(c store.Connection) connectionView {
	v := connectionView{
		ID: c.ID, Revision: c.Revision, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
		Organization: c.OrganizationID, Kind: string(c.Kind), Preset: c.Preset, Title: c.Title, Picture: c.Picture,
		Disabled: c.Disabled, Domains: listed(c.Domains), Join: string(c.Join), AllowPublicDomains: c.AllowPublicDomains, Issuer: c.Issuer, Endpoints: c.Endpoints,
		ClientID: c.ClientID, HasClientSecret: !c.ClientSecret.IsZero(), ClientAuth: c.ClientAuth, ClientAuthAlg: c.ClientAuthAlg,
		HasPrivateKey: !c.PrivateKey.IsZero(), Apple: c.Apple,
		Scopes: listed(c.Scopes), InsecureNoPKCE: c.InsecureNoPKCE, InsecureNoNonce: c.InsecureNoNonce, PKCENames: c.PKCENames, PushAuthorization: c.PushAuthorization, ResponseMode: c.ResponseMode,
		LoginHint: c.LoginHint, Hint: c.Hint, DomainHint: c.DomainHint, PublicHosts: listed(c.PublicHosts), Parameters: c.Parameters,
		UseUserinfo: c.UseUserinfo, Profile: c.Profile, Selectors: c.Selectors, TrustEmail: c.TrustEmail,
		AllowPrivateNetwork: c.AllowPrivateNetwork, Algorithms: listed(c.Algorithms), ACRValues: listed(c.ACRValues),
		Grant: c.Grant, ExtensionGrantType: c.ExtensionGrantType, AssertionConnection: c.AssertionConnection,
		RefreshLogin: c.RefreshLogin, RefreshOutageSeconds: c.RefreshOutageSeconds,
		MaxSessionSeconds: c.MaxSessionSeconds, IdleSessionSeconds: c.IdleSessionSeconds, ServerOnly: c.ServerOnly, ConcurrentLogins: c.ConcurrentLogins,
		RedirectURI: h.federation.RedirectURI(c.ID), RedirectURIs: h.federation.RedirectURIs(c), Warnings: []warningView{},
	}
	if v.Parameters == nil {
		v.Parameters = []store.Parameter{}
	}
	if v.HasPrivateKey && c.Apple == nil {
		v.PublicKeys, _ = federation.ClientKeySet(c) // a key that does not fit has none
	}
	for _, w := range h.federation.ConnectionWarnings(c) {
		v.Warnings = append(v.Warnings, warningView{w.Path, w.Problem, w.Fix})
	}
	return v
}

// connectionDifference is what an audit entry says of a change: settings, not
// what follows from them. A secret that was replaced is named, never shown.
func (h *Handler) connectionDifference(before, after *store.Connection) map[string]any {
	var b, a any
	if before != nil {
		b = h.settings(*before)
	}
	if after != nil {
		a = h.settings(*after)
	}
	return difference(b, a)
}

func (h *Handler) settings(c store.Connection) map[string]any {
	out := members(h.viewConnection(c))
	for _, name := range []string{"redirect_uri", "redirect_uris", "warnings"} {
		delete(out, name)
	}
	return out
}

// ConnectionFields are what people may set; absent fields stay.
type ConnectionFields struct {
	Kind                 *string              `json:"kind,omitempty" enum:"oidc,oauth2,local"`
	Preset               *string              `json:"preset,omitempty" maxLength:"63"`
	Title                *string              `json:"title,omitempty" maxLength:"200"`
	Picture              *string              `json:"picture,omitempty" maxLength:"2048"`
	Disabled             *bool                `json:"disabled,omitempty"`
	Domains              []string             `json:"domains,omitempty" maxItems:"1000" doc:"acme.test, *.acme.test or *"`
	Join                 *string              `json:"join,omitempty" maxLength:"20" doc:"Own policy for newcomers: off, request or automatic; empty takes the organization's"`
	AllowPublicDomains   *bool                `json:"allow_public_domains,omitempty" doc:"Owners only"`
	Issuer               *string              `json:"issuer,omitempty" maxLength:"2048"`
	Endpoints            *store.Endpoints     `json:"endpoints,omitempty"`
	ClientID             *string              `json:"client_id,omitempty" maxLength:"1024"`
	ClientSecret         *string              `json:"client_secret,omitempty" maxLength:"4096" writeOnly:"true" doc:"Goes in and never comes out; empty removes it"`
	ClientAuth           *string              `json:"client_auth,omitempty" enum:"header,form,private_key_jwt,none"`
	ClientAuthAlg        *string              `json:"client_auth_alg,omitempty" maxLength:"63"`
	PrivateKey           *string              `json:"private_key,omitempty" maxLength:"16384" writeOnly:"true" doc:"PKCS #8; goes in and never comes out; empty makes a new one"`
	Apple                *store.AppleKey      `json:"apple,omitempty"`
	Scopes               []string             `json:"scopes,omitempty" maxItems:"100"`
	InsecureNoPKCE       *bool                `json:"insecure_no_pkce,omitempty" doc:"Owners only"`
	InsecureNoNonce      *bool                `json:"insecure_no_nonce,omitempty" doc:"Owners only"`
	PKCENames            *store.PKCENames     `json:"pkce_names,omitempty"`
	PushAuthorization    *bool                `json:"push_authorization,omitempty"`
	ResponseMode         *string              `json:"response_mode,omitempty" maxLength:"63"`
	LoginHint            *string              `json:"login_hint,omitempty" maxLength:"63"`
	Hint                 *store.Hint          `json:"hint,omitempty"`
	DomainHint           *store.DomainHint    `json:"domain_hint,omitempty"`
	PublicHosts          []string             `json:"public_hosts,omitempty" maxItems:"100"`
	Parameters           []store.Parameter    `json:"parameters,omitempty" maxItems:"100"`
	UseUserinfo          *bool                `json:"use_userinfo,omitempty"`
	Profile              *store.ProfileSource `json:"profile,omitempty"`
	Selectors            *profile.Selectors   `json:"selectors,omitempty"`
	TrustEmail           *string              `json:"trust_email,omitempty" maxLength:"63"`
	AllowPrivateNetwork  *bool                `json:"allow_private_network,omitempty" doc:"Owners only"`
	Algorithms           []string             `json:"algorithms,omitempty" maxItems:"20"`
	ACRValues            []string             `json:"acr_values,omitempty" maxItems:"20"`
	Grant                *string              `json:"grant,omitempty" maxLength:"63"`
	ExtensionGrantType   *string              `json:"extension_grant_type,omitempty" maxLength:"1024"`
	AssertionConnection  *string              `json:"assertion_connection,omitempty" maxLength:"63"`
	RefreshLogin         *bool                `json:"refresh_login,omitempty"`
	RefreshOutageSeconds *int64               `json:"refresh_outage_seconds,omitempty"`
	MaxSessionSeconds    *int64               `json:"max_session_seconds,omitempty"`
	IdleSessionSeconds   *int64               `json:"idle_session_seconds,omitempty"`
	ServerOnly           *bool                `json:"server_only,omitempty"`
	ConcurrentLogins     *string              `json:"concurrent_logins,omitempty" maxLength:"63"`
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
	if f.Join != nil {
		c.Join = store.JoinPolicy(*f.Join)
	}
	set(&c.AllowPublicDomains, f.AllowPublicDomains)
	set(&c.Issuer, f.Issuer)
	set(&c.Endpoints, f.Endpoints)
	set(&c.ClientID, f.ClientID)
	if f.ClientSecret != nil {
		c.ClientSecret = store.Seal(store.Secret(*f.ClientSecret))
	}
	set(&c.ClientAuth, f.ClientAuth)
	set(&c.ClientAuthAlg, f.ClientAuthAlg)
	if f.PrivateKey != nil {
		c.PrivateKey = store.Seal(store.Secret(*f.PrivateKey))
	}
	if f.Apple != nil {
		c.Apple = f.Apple
		if *f.Apple == (store.AppleKey{}) {
			c.Apple = nil
		}
	}
	setList(&c.Scopes, f.Scopes)
	set(&c.InsecureNoPKCE, f.InsecureNoPKCE)
	set(&c.InsecureNoNonce, f.InsecureNoNonce)
	set(&c.PKCENames, f.PKCENames)
	set(&c.PushAuthorization, f.PushAuthorization)
	set(&c.ResponseMode, f.ResponseMode)
	set(&c.LoginHint, f.LoginHint)
	set(&c.Hint, f.Hint)
	set(&c.DomainHint, f.DomainHint)
	setList(&c.PublicHosts, f.PublicHosts)
	if f.Parameters != nil {
		c.Parameters = f.Parameters
	}
	set(&c.UseUserinfo, f.UseUserinfo)
	set(&c.Profile, f.Profile)
	set(&c.Selectors, f.Selectors)
	set(&c.TrustEmail, f.TrustEmail)
	set(&c.AllowPrivateNetwork, f.AllowPrivateNetwork)
	setList(&c.Algorithms, f.Algorithms)
	setList(&c.ACRValues, f.ACRValues)
	set(&c.Grant, f.Grant)
	set(&c.ExtensionGrantType, f.ExtensionGrantType)
	set(&c.AssertionConnection, f.AssertionConnection)
	set(&c.RefreshLogin, f.RefreshLogin)
	set(&c.RefreshOutageSeconds, f.RefreshOutageSeconds)
	set(&c.MaxSessionSeconds, f.MaxSessionSeconds)
	set(&c.IdleSessionSeconds, f.IdleSessionSeconds)
	set(&c.ServerOnly, f.ServerOnly)
	set(&c.ConcurrentLogins, f.ConcurrentLogins)
}
