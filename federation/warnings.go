package federation

import (
	"slices"

	"gatehouse/profile"
	"gatehouse/store"
)

// ConnectionWarnings says what a connection that passed CheckConnection allows
// and an operator should know: weaker protection than the default, and settings
// that rarely do what was meant. Each has the field's path, like a fault.
func (f *Federation) ConnectionWarnings(conn store.Connection) []profile.FieldError {
	var out []profile.FieldError
	warn := func(when bool, path, problem, fix string) {
		if when {
			out = append(out, profile.FieldError{Path: path, Problem: problem, Fix: fix})
		}
	}
	if conn.Kind == store.KindLocal {
		warn(conn.AllowPublicDomains, "allow_public_domains", "anybody can get an address at a public mail domain", "let admins invite people, and let newcomers wait for approval")
		warn(len(conn.Domains) == 0, "domains", "is empty: no address leads here", "add the company's domains, or link to the connection by its id")
		warn(conn.Disabled, "disabled", "nobody signs in through it", "")
		return out
	}
	oidc, browser := conn.Kind != store.KindOAuth2, conn.Grant == ""
	anyone := slices.Contains(conn.Domains, "*")
	warn(conn.InsecureNoPKCE && oidc, "insecure_no_pkce", "PKCE is off: only the nonce keeps a stolen code from being used", "turn PKCE on; most providers that do not know it ignore it")
	warn(conn.InsecureNoPKCE && !oidc, "insecure_no_pkce", "PKCE is off and there is no nonce: a stolen code can be used by whoever has it", "turn PKCE on; most providers that do not know it ignore it")
	warn(conn.InsecureNoNonce, "insecure_no_nonce", "the nonce is off: only PKCE ties an ID token to the browser that asked for it", "turn it on unless the provider leaves it out of its ID tokens")
	warn(conn.TrustEmail == TrustAlways && !anyone, "trust_email", "every address the provider names is believed, verified or not", "use verified if the provider says which addresses are")
	warn(conn.TrustEmail == TrustAlways && anyone, "trust_email", "every address the provider names is believed, at any domain that no other connection owns", "use verified, or list the domains")
	warn(conn.AllowPublicDomains, "allow_public_domains", "anybody can get an address at a public mail domain", "let newcomers wait for approval")
	warn(anyone && oidc && conn.Selectors.EmailVerified.Path == "" && conn.TrustEmail != TrustAlways, "selectors.email_verified",
		"nothing says whether an address is verified: all newcomers wait for approval", "name the claim that says it")
	warn(conn.Selectors.Email.Path == "", "selectors.email", "no address is read: nobody can join by their domain", "name the claim that holds the address")
	warn(len(conn.Domains) == 0, "domains", "is empty: no address leads here", "add the company's domains, or link to the connection by its id")
	warn(conn.AllowPrivateNetwork && f.client.policy.empty(), "allow_private_network", "the operator's configuration lists no private network: it changes nothing", "list it there, or turn this off")
	warn(conn.Profile.TokenAs == asQuery, "profile.token_as", "the access token travels in a URL, which servers write into their logs", "use header if the provider takes it")
	warn(conn.Grant == store.GrantPassword, "grant", "people type their company password into an app", "use the authorization code wherever a browser is at hand")
	warn(!browser && !conn.ServerOnly, "server_only", "only confidential clients with direct grants can sign in here, whatever this says", "set it, to say so")
	warn(conn.RefreshLogin && oidc && !slices.Contains(conn.Scopes, "offline_access") && !asksOffline(conn), "refresh_login",
		"offline_access is not among the scopes: most providers give a refresh token only with it", "add it, or the parameter the provider wants instead")
	warn(conn.Disabled, "disabled", "nobody signs in through it", "")
	return out
}

// asksOffline: Google and some others want a parameter instead of a scope.
func asksOffline(conn store.Connection) bool {
	return slices.ContainsFunc(conn.Parameters, func(p store.Parameter) bool { return p.Name == "access_type" && p.Value == "offline" })
}
