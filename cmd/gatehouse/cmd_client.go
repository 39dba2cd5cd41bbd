package main

import "github.com/spf13/cobra"

func clientFields() []field {
	return []field{
		{"type", "type", flagText, "native, web, spa or service (only when creating)"},
		{"name", "name", flagText, "name people read"},
		{"redirect-uri", "redirect_uris", flagList, "where codes are sent (repeat)"},
		{"logout-uri", "post_logout_redirect_uris", flagList, "where people land after signing out (repeat)"},
		{"scope", "scopes", flagList, "scope it may ask for (repeat)"},
		{"grant-type", "grant_types", flagList, "authorization_code, refresh_token or client_credentials (repeat)"},
		{"audience", "audiences", flagList, "audience of its tokens (repeat)"},
		{"response-mode", "response_modes", flagList, "query or form_post (repeat)"},
		{"auth-method", "auth_method", flagText, "none, client_secret_basic or client_secret_post"},
		{"organization", "organizations", flagList, "whose people may use it (repeat; none: all)"},
		{"connection", "connections", flagList, "that may sign in to it (repeat; none: all)"},
		{"require-assignment", "require_assignment", flagYesNo, "only for people it was given to"},
		{"origin", "origins", flagList, "browser origin that may read tokens (repeat)"},
		{"third-party", "third_party", flagYesNo, "ask the user for consent"},
		{"opaque-token", "opaque_token", flagYesNo, "opaque access tokens"},
		{"id-token-alg", "id_token_alg", flagText, "ES256 or RS256"},
		{"access-token-seconds", "access_token_seconds", flagNumber, "lifetime of access tokens; 0 is the default"},
		{"refresh-idle-seconds", "refresh_idle_seconds", flagNumber, "idle lifetime of refresh tokens; 0 is the default"},
		{"refresh-absolute-seconds", "refresh_absolute_seconds", flagNumber, "absolute lifetime of refresh tokens; 0 is the default"},
		{"logo-uri", "logo_uri", flagText, "https address of its logo"},
		{"policy-uri", "policy_uri", flagText, "https address of its privacy policy"},
		{"terms-uri", "terms_uri", flagText, "https address of its terms"},
		{"insecure-pkce-optional", "insecure_pkce_optional", flagYesNo, "confidential clients only, owners only"},
		{"disabled", "disabled", flagYesNo, "it gets no tokens"},
	}
}

func newClientCommand(r *remote) *cobra.Command {
	return group("client", "Clients: apps that get tokens",
		r.newListCommand(listing{
			use: "list", short: "List clients", path: "/clients",
			columns: []column{{"id", "id"}, {"name", "name"}, {"type", "type"}, {"redirect uris", "redirect_uris"}, {"disabled", "disabled"}},
		}),
		r.newShowCommand("show ID", "Show a client", below("/clients/", 0, ""), 1),
		r.newActionCommand(action{
			use: "create ID", short: "Register a client; its secret is shown once", method: "POST", path: fixed("/clients"), args: 1,
			fields: clientFields(), fromArgs: []string{"id"}, done: "Client %s is there.",
			once: "client_secret", onceSentence: "The client is there. Its secret is shown this once:",
		}),
		r.newActionCommand(action{
			use: "update ID", short: "Change a client", method: "PATCH", path: below("/clients/", 0, ""), args: 1,
			fields: clientFields(), revision: true, done: "Client %s is changed.",
		}),
		r.newActionCommand(action{
			use: "rotate-secret ID", short: "Make a new secret, shown once", method: "POST", path: below("/clients/", 0, "/secrets"), args: 1,
			fields: []field{{"keep-old-seconds", "keep_old_seconds", flagNumber, "how long old secrets still work; 0 ends them now"}},
			body:   true, revision: true, once: "client_secret", onceSentence: "The new secret is shown this once:",
		}),
		r.newActionCommand(action{
			use: "delete ID", short: "Remove a client", method: "DELETE", path: below("/clients/", 0, ""), args: 1,
			revision: true, done: "Client %s is gone. Its id is never given out again.",
		}),
	)
}
