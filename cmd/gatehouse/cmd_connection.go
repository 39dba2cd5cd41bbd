package main

import "github.com/spf13/cobra"

func connectionFields() []field {
	return []field{
		{"organization", "organization", flagText, "whose connection it is (only when creating)"},
		{"kind", "kind", flagText, "oidc or oauth2"},
		{"title", "title", flagText, "name people read"},
		{"picture", "picture", flagText, "https address of a picture"},
		{"issuer", "issuer", flagText, "issuer of the provider, for discovery"},
		{"client-id", "client_id", flagText, "our client id at the provider"},
		{"client-secret-file", "client_secret", flagSecretFile, "file with our secret at the provider (- for standard input)"},
		{"client-auth", "client_auth", flagText, "header, form, private_key_jwt or none"},
		{"domain", "domains", flagList, "routing rule: acme.test, *.acme.test or * (repeat)"},
		{"scope", "scopes", flagList, "scope to ask for (repeat)"},
		{"use-userinfo", "use_userinfo", flagYesNo, "fetch the userinfo endpoint"},
		{"login-hint", "login_hint", flagText, "off sends no login_hint"},
		{"trust-email", "trust_email", flagText, "verified or always"},
		{"acr", "acr_values", flagList, "authentication context to demand (repeat)"},
		{"algorithm", "algorithms", flagList, "accepted ID-token algorithm (repeat)"},
		{"allow-private-network", "allow_private_network", flagYesNo, "may reach the private addresses the operator lists (owners only)"},
		{"insecure-no-pkce", "insecure_no_pkce", flagYesNo, "leave PKCE out (owners only)"},
		{"insecure-no-nonce", "insecure_no_nonce", flagYesNo, "leave the nonce out (owners only)"},
		{"disabled", "disabled", flagYesNo, "nobody signs in through it"},
		{"preset", "preset", flagText, "preset it is made from, as a note (see `preset`)"},
		{"join", "join", flagText, "own policy for newcomers: off, request or automatic; empty takes the organization's"},
		{"allow-public-domains", "allow_public_domains", flagYesNo, "allow gmail.com and its like in --domain"},
		{"private-key-file", "private_key", flagSecretFile, "file with our PKCS #8 key at the provider (- for standard input)"},
		{"client-auth-alg", "client_auth_alg", flagText, "of private_key_jwt: ES256, RS256 or PS256"},
		{"push-authorization", "push_authorization", flagYesNo, "push the authorization request to the provider (RFC 9126)"},
		{"response-mode", "response_mode", flagText, "query or form_post"},
		{"public-host", "public_hosts", flagList, "further origin of ours, registered at the provider (repeat)"},
		{"grant", "grant", flagText, "authorization_code, password, jwt_bearer, extension or client_credentials"},
		{"extension-grant-type", "extension_grant_type", flagText, "grant_type of --grant extension"},
		{"assertion-connection", "assertion_connection", flagText, "whose token --grant jwt_bearer presents"},
		{"refresh-login", "refresh_login", flagYesNo, "ask the provider again at each refresh"},
		{"refresh-outage-seconds", "refresh_outage_seconds", flagNumber, "how long it may be out of reach meanwhile"},
		{"max-session-seconds", "max_session_seconds", flagNumber, "longest session begun here"},
		{"idle-session-seconds", "idle_session_seconds", flagNumber, "longest unused session begun here"},
		{"server-only", "server_only", flagYesNo, "no public or native app may use it"},
		{"concurrent-logins", "concurrent_logins", flagText, "unlimited, one_per_app or one"},
	}
}

func newConnectionCommand(r *remote) *cobra.Command {
	return group("connection", "Connections: identity providers of organizations",
		r.newListCommand(listing{
			use: "list", short: "List connections", path: "/connections",
			columns: []column{{"id", "id"}, {"title", "title"}, {"organization", "organization"}, {"issuer", "issuer"}, {"domains", "domains"}, {"disabled", "disabled"}},
			filters: []column{{"organization", "organization"}},
		}),
		r.newShowCommand("show ID", "Show a connection; its secret never comes out", below("/connections/", 0, ""), 1),
		r.newActionCommand(action{
			use: "create ID", short: "Add a connection", method: "POST", path: fixed("/connections"), args: 1,
			fields: connectionFields(), fromArgs: []string{"id"}, done: "Connection %s is there. `gatehouse connection show %s` tells the redirect URI to register.",
		}),
		r.newActionCommand(action{
			use: "update ID", short: "Change a connection", method: "PATCH", path: below("/connections/", 0, ""), args: 1,
			fields: connectionFields(), revision: true, done: "Connection %s is changed. Logins in flight start again.",
		}),
		r.newConnectionApplyCommand(),
		r.newConnectionSwitchCommand("disable", "Switch a connection off", true, "Nobody signs in through it any more"),
		r.newConnectionSwitchCommand("enable", "Switch a connection on again", false, "People sign in through it again"),
		r.newConnectionDeleteCommand(),
		r.newConnectionRecordCommand(),
		r.newConnectionTestCommand(),
		r.newShowCommand("references ID", "What still refers to a connection", below("/connections/", 0, "/references"), 1),
		r.newShowCommand("tests", "Test logins of the last half hour", fixed("/tests"), 0),
		r.newActionCommand(action{
			use: "reveal WORDS", short: "Show what is behind the mask of one value of a test login; recorded in the audit", method: "POST",
			path: below("/tests/", 0, "/reveal"), args: 1, fields: []field{{"number", "number", flagNumber, "number of the value"}},
			once: "value", onceSentence: "The value, shown this once:",
		}),
		newConnectionSchemaCommand(),
		newPresetCommand(),
	)
}
