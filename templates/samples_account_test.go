package templates

import (
	"net/http"
	"time"
)

// accountSamples are the page where people see themselves, and the question to a
// newcomer.
func accountSamples() []sample {
	at := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	full := AccountPage{
		CSRF: "token-1", Note: NoteLinked, Name: "Jane Doe", Email: "jane@acme.test", Vouched: "Acme", VouchedAt: at, Fresh: true, Base: "/account",
		Identities: []AccountIdentity{
			{ID: "a1", Title: "Acme", Email: "jane@acme.test", Proven: true, LastAt: at, Source: true, Current: true},
			{ID: "b2", Title: "Globex", Email: "jd@globex.test", LastAt: at},
		},
		Linkable:  []Choice{{ID: "initech", Title: "Initech"}},
		Suggested: Choice{ID: "umbrella", Title: "Umbrella"}, Then: "tx1",
		Grants:  []AccountGrant{{ID: "g1", App: "Field Notes", CreatedAt: at, UsedAt: at, Here: true}, {ID: "g2", App: "Phone", CreatedAt: at}},
		Waiting: []string{"Hooli"}, Password: "jane@acme.test", Passkeys: []string{"Laptop", "Phone"}, TOTP: true,
	}
	return []sample{
		{"account", func(t *Templates, w http.ResponseWriter) error { return t.Account(w, 200, full) }},
		{"account_stale", func(t *Templates, w http.ResponseWriter) error {
			return t.Account(w, 200, AccountPage{
				CSRF: "token-1", Note: NoteLinkTaken, Base: "/account",
				Identities: []AccountIdentity{{ID: "a1", Title: "Acme", Stays: true}},
			})
		}},
		{"is_it_you", func(t *Templates, w http.ResponseWriter) error {
			return t.IsItYou(w, 200, IsItYouPage{App: sampleApp(), Email: "jane@acme.test", Action: "/login/is-it-you?tx=1", Cancel: "/login/is-it-you?tx=1", CSRF: "token-1", Choices: []Choice{{ID: "acme", Title: "Acme"}}})
		}},
	}
}
