package broker

// Scopes with a meaning of ours. A client may register further ones of its own:
// they go into the access token and mean what its API says.
const (
	scopeOpenID       = "openid"
	scopeProfile      = "profile"
	scopeEmail        = "email"
	scopePhone        = "phone"
	scopeOffline      = "offline_access"
	scopeOrganization = "organization" // org, org_title
	scopeRoles        = "roles"
	scopeGroups       = "groups"
	scopeAttributes   = "attributes" // custom attributes of the connection
)

// Scopes lists the scopes that mean something to Gatehouse itself, in the order
// discovery shows them.
func Scopes() []string {
	return []string{
		scopeOpenID, scopeProfile, scopeEmail, scopePhone, scopeOffline,
		scopeOrganization, scopeRoles, scopeGroups, scopeAttributes,
	}
}

// acrFederated is the one authentication context we assert by ourselves: signed
// in at the company's identity provider.
const acrFederated = "urn:gatehouse:acr:federated"
