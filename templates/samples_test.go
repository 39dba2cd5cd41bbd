package templates

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// sample is one page with plausible content. Every render method has at least one.
type sample struct {
	name string
	draw func(*Templates, http.ResponseWriter) error
}

func sampleApp() App {
	return App{
		Name: "Field Notes", LogoURL: "https://app.example/logo.png",
		PolicyURL: "https://app.example/privacy", TermsURL: "https://app.example/terms",
	}
}

func sampleFrame(current string) Frame {
	f := Frame{Person: "olga@platform.test", Role: "owner", SignOut: "/sign-out", CSRF: "token-1"}
	for _, title := range []string{"Overview", "Requests", "Organizations", "Domains", "Connections", "Clients", "Users", "Sessions", "Audit"} {
		item := NavItem{Title: title, URL: "/" + title, Current: title == current}
		if title == "Requests" {
			item.Count = 2
		}
		f.Nav = append(f.Nav, item)
	}
	return f
}

func sampleRequests() []Request {
	at := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	return []Request{
		{
			ID: "req_1", Name: "Bob Brown", Email: "bob@globex.test", EmailVerified: true, Organization: "Globex",
			Connection: "Globex sign-in", App: "Field Notes", At: at, Expires: at.AddDate(0, 0, 14), State: "pending",
			Facts:  []Fact{{"Given name", "Bob"}, {"Family name", "Brown"}, {"Department", "Logistics"}},
			Detail: "/requests/req_1", Approve: "/requests/req_1/approve", Refuse: "/requests/req_1/refuse",
			Ask: "/requests/req_1/ask", Full: true, Snapshot: "hash", Typed: "I am the new driver.", Changed: at, Groups: "drivers", Apps: "notes",
			Roles:    []Option{{"user", "user", true}, {"admin", "admin", false}},
			Messages: []Said{{"Olga Owner", "Which team?", at}, {"", "Trucks.", at}}, Given: []Fact{{"Role", "user"}}, Pick: true,
		},
		{
			ID: "req_2", Email: "carol@globex.test", Organization: "Globex", Connection: "Globex sign-in", App: "Field Notes",
			At: at, State: "pending", Detail: "/requests/req_2", Approve: "/requests/req_2/approve", Refuse: "/requests/req_2/refuse",
		},
	}
}

func samples() []sample {
	app, restart := sampleApp(), "/login?tx=1"
	at := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	email := EmailEntryPage{App: app, Action: "/login?tx=1", Cancel: "/login/cancel?tx=1", CSRF: "token-1"}
	wrong := email
	wrong.Email, wrong.Error = "not an address", "This is not an e-mail address: there is no @ in it."
	decided := sampleRequests()[0]
	decided.State, decided.DecidedBy, decided.DecidedAt, decided.Reason = "refused", "olga@platform.test", at, "Please use the contractor portal."
	decided.Approve, decided.Refuse = "", ""
	return append(append(localSamples(), accountSamples()...), []sample{
		{"email_entry", func(t *Templates, w http.ResponseWriter) error { return t.EmailEntry(w, 200, email) }},
		{"email_entry_error", func(t *Templates, w http.ResponseWriter) error { return t.EmailEntry(w, 422, wrong) }},
		{"email_entry_bare", func(t *Templates, w http.ResponseWriter) error {
			return t.EmailEntry(w, 200, EmailEntryPage{Action: "/login"})
		}},
		{"chooser", func(t *Templates, w http.ResponseWriter) error {
			return t.Chooser(w, 200, ChooserPage{
				App: app, Action: "/login?tx=1", Cancel: "/login/cancel?tx=1", Restart: restart, CSRF: "token-1", Email: "alice@acme.test",
				Choices: []Choice{
					{ID: "acme-staff", Title: "Acme staff"},
					{ID: "acme-labs", Title: "Acme Labs", PictureURL: "https://app.example/labs.png"},
					{ID: "acme-partners", Title: "Acme partners and suppliers"},
				},
			})
		}},
		{"no_route", func(t *Templates, w http.ResponseWriter) error {
			return t.NoRoute(w, 200, NoRoutePage{
				App: app, Email: "alice@unknown.test", Domain: "unknown.test", Action: "/login?tx=1",
				Cancel: "/login/cancel?tx=1", CSRF: "token-1", ContactURL: "mailto:help@app.example",
			})
		}},
		{"waiting", func(t *Templates, w http.ResponseWriter) error {
			return t.Waiting(w, 200, WaitingPage{
				App: app, Organization: "Globex", Email: "bob@globex.test", Events: "/login/waiting/events?tx=1",
				Next: "/login/waiting?tx=1", Cancel: "/login/cancel?tx=1", CSRF: "token-1", Correlation: "maple-river-seven",
			})
		}},
		{"waiting_say", func(t *Templates, w http.ResponseWriter) error {
			return t.Waiting(w, 200, WaitingPage{
				App: app, Organization: "Globex", Email: "bob@globex.test", Events: "/login/waiting/events?tx=1",
				Next: "/login/waiting?tx=1", Cancel: "/login/cancel?tx=1", CSRF: "token-1", Say: "/login/waiting?tx=1",
			})
		}},
		{"waiting_asked", func(t *Templates, w http.ResponseWriter) error {
			return t.Waiting(w, 200, WaitingPage{
				App: app, Organization: "Globex", Email: "bob@globex.test", Events: "/login/waiting/events?tx=1",
				Next: "/login/waiting?tx=1", Cancel: "/login/cancel?tx=1", CSRF: "token-1", Say: "/login/waiting?tx=1",
				Question: "Which team are you in?", Said: "I am the new driver.",
			})
		}},
		{"app_missing", func(t *Templates, w http.ResponseWriter) error {
			return t.AppMissing(w, 403, AppMissingPage{App: app, Organization: "Globex", Action: "/login/ask?tx=1", Cancel: "/login/ask?tx=1", CSRF: "token-1", Correlation: "maple-river-seven"})
		}},
		{"invitation", func(t *Templates, w http.ResponseWriter) error {
			return t.Invitation(w, 200, InvitationPage{Organization: "Globex", Inviter: "Olga Owner", Email: "bob@globex.test", Expires: at, Action: "/invitation", CSRF: "token-1"})
		}},
		{"welcome", func(t *Templates, w http.ResponseWriter) error {
			return t.Welcome(w, 200, WelcomePage{Organization: "Globex", Person: "bob@globex.test", Apps: []string{"Field Notes", "Wiki"}})
		}},
		{"refused", func(t *Templates, w http.ResponseWriter) error {
			return t.Refused(w, 403, RefusedPage{
				App: app, Organization: "Globex", Reason: "Please use the contractor portal.", Action: "/login/finish?tx=1",
				CSRF: "token-1", Correlation: "maple-river-seven",
			})
		}},
		{"refused_silent", func(t *Templates, w http.ResponseWriter) error { return t.Refused(w, 403, RefusedPage{App: app}) }},
		{"error", func(t *Templates, w http.ResponseWriter) error {
			return t.Error(w, 502, ErrorPage{
				Kind: ErrorProviderFailed, App: app, Correlation: "maple-river-seven", Restart: restart, Back: "com.example.app:/cb?error=access_denied",
			})
		}},
		{"error_redirect_uri", func(t *Templates, w http.ResponseWriter) error {
			return t.Error(w, 400, ErrorPage{Kind: ErrorRedirectURI, Correlation: "maple-river-seven"})
		}},
		{"signed_out", func(t *Templates, w http.ResponseWriter) error {
			return t.SignedOut(w, 200, SignedOutPage{App: app, Back: "https://app.example/"})
		}},
		{"logout_confirm", func(t *Templates, w http.ResponseWriter) error {
			return t.LogoutConfirm(w, 200, LogoutConfirmPage{
				App: app, Email: "bob@globex.test", Action: "/oauth2/logout", Cancel: "/oauth2/logout", CSRF: "token-1",
				Fields: []Field{{"state", "s1"}, {"client_id", "c1"}},
			})
		}},
		{"form_post", func(t *Templates, w http.ResponseWriter) error {
			return t.FormPost(w, 200, FormPostPage{
				App: app, Action: "https://app.example/cb?x=1&y=2", Fields: []Field{{"code", "abc"}, {"state", "s1"}, {"iss", "https://id.example"}},
			})
		}},
		{"form", func(t *Templates, w http.ResponseWriter) error {
			return t.Form(w, 422, FormPage{
				Frame: sampleFrame("Connections"), Title: "Change Acme", Back: "/connections/acme", BackTitle: "Acme", Action: "/connections/acme/edit",
				Submit: "Save", More: []Button{{"test", "Test without saving"}}, Hidden: []Field{{"revision", "3"}}, Notes: []string{"Entra sends no email_verified."},
				Faults: []InputFault{{"issuer", "is not an https URL", "Issuer"}, {"", "selectors.custom.x: is not a query", ""}},
				Groups: []FormGroup{{Title: "Provider", Intro: "Where people sign in.", Inputs: []Input{
					{Name: "issuer", Label: "Issuer", Hint: "For discovery.", Value: "http://x", Required: true},
					{Name: "client_secret", Label: "Client secret", Kind: InputSecret, Hint: "Leave it empty to keep the present one."},
					{Name: "client_auth", Label: "Client authentication", Kind: InputSelect, Options: []Option{{"header", "header", true}, {"form", "form", false}}},
					{Name: "domains", Label: "Domains", Kind: InputArea, Value: "acme.test\n*.acme.test"},
					{Name: "disabled", Label: "Switched off", Kind: InputCheck, Checked: true},
					{Name: "record", Label: "Record", Kind: InputCode, Value: "{\n  \"id\": \"acme\"\n}"},
				}}},
			})
		}},
		{"test_login", func(t *Templates, w http.ResponseWriter) error {
			values := []TestValue{{"$.access_token", "•••••• (26 characters)", 1}, {"$.token_type", "Bearer", 0}, {"$.email", "c•••@acme.test", 2}}
			return t.Test(w, 200, TestPage{
				Frame: sampleFrame("Connections"), Words: "amber-river-otter", State: BadgeCell("works", ToneGood), Back: "/connections/acme", Title: "Acme",
				Facts: []Item{{"App", []Cell{CodeCell("demo")}}}, Outcome: "This person would be signed in.", Good: true, Reveal: "/tests/amber-river-otter/reveal",
				Revealed: Revealed{2, "$.email", "canary@acme.test"}, Done: true,
				Token: []TestDocument{{"https://login.acme.test/token · 200", "", values[:2]}}, Profile: []TestDocument{{"https://login.acme.test/userinfo · 200", "", values[2:]}},
				Identity: []Item{{"Issuer", []Cell{CodeCell("https://login.acme.test")}}},
				Selectors: []TestSelector{
					{Attribute: "email", Path: "email", Source: "id_token", State: BadgeCell("✓ matched", ToneGood), Values: []TestValue{{"email", "c•••@acme.test", 3}}},
					{Attribute: "phone", Path: "mobile", State: BadgeCell("✗ nothing", ToneWarn), Why: "matched nothing", Proposals: []TestProposal{{"phone_number", "profile", "+••• (12 characters)"}}},
				},
				Admission: []Item{{"Decision", []Cell{BadgeCell("signed in", ToneGood)}}}, Claims: []TestDocument{{"ID token", "", values[1:2]}}, Warnings: []string{"phone: matched nothing"},
			})
		}},
		{"test_login_ready", func(t *Templates, w http.ResponseWriter) error {
			return t.Test(w, 200, TestPage{
				Frame: sampleFrame("Connections"), Words: "amber-river-otter", State: BadgeCell("waiting", ToneWarn), Back: "/connections/acme", Title: "Acme",
				Link: "https://login.example/login/test?t=abc", Again: "/tests/amber-river-otter", Facts: []Item{{"App", []Cell{CodeCell("demo")}}},
			})
		}},
		{"test_login_failed", func(t *Templates, w http.ResponseWriter) error {
			return t.Test(w, 200, TestPage{
				Frame: sampleFrame("Connections"), Words: "amber-river-otter", State: BadgeCell("failed", ToneBad), Back: "/connections/acme", Title: "Acme", Done: true,
				Outcome: "The sign-in failed.", Code: "id_token_nonce", Why: "nonce is missing", Fault: Verdict{"", "the provider", "The nonce is missing.", "Ask the provider."},
			})
		}},
		{"test_start", func(t *Templates, w http.ResponseWriter) error {
			return t.TestStart(w, 200, TestStartPage{Connection: "Acme staff", Action: "/login/test", CSRF: "token-1"})
		}},
		{"test_end", func(t *Templates, w http.ResponseWriter) error {
			return t.TestEnd(w, 200, TestEndPage{Connection: "Acme staff", Works: true, Words: "maple-river-seven", Say: "You would be signed in."})
		}},
		{"test_end_failed", func(t *Templates, w http.ResponseWriter) error {
			return t.TestEnd(w, 200, TestEndPage{Connection: "Acme staff", Words: "maple-river-seven", Say: "The provider does not accept this connection's client."})
		}},
		{"consent", func(t *Templates, w http.ResponseWriter) error {
			return t.Consent(w, 200, ConsentPage{
				App: app, Person: "bob@globex.test", Scopes: []string{"openid", "email", "profile", "offline_access", "invoices.read"},
				Action: "/login/consent?tx=1", Cancel: "/login/cancel?tx=1", CSRF: "token-1",
			})
		}},
		{"sign_in", func(t *Templates, w http.ResponseWriter) error {
			return t.SignIn(w, 200, SignInPage{Action: "/sign-in", CSRF: "token-1", Fields: []Field{{"next", "/requests"}}})
		}},
		{"sign_in_error", func(t *Templates, w http.ResponseWriter) error {
			return t.SignIn(w, 401, SignInPage{Action: "/sign-in", CSRF: "token-1", Email: "olga@platform.test", Error: "E-mail address or password is wrong."})
		}},
		{"setup", func(t *Templates, w http.ResponseWriter) error {
			return t.Setup(w, 422, SetupPage{Action: "/setup", CSRF: "token-1", Error: "The two passwords differ.", Fields: []Field{{"secret", "once"}}})
		}},
		{"overview", func(t *Templates, w http.ResponseWriter) error {
			f := sampleFrame("Overview")
			f.Notice = "You are signed in."
			return t.Overview(w, 200, OverviewPage{
				Frame: f,
				Tiles: []Tile{
					{"Waiting requests", 2, "/requests", ToneWarn},
					{"Organizations", 3, "/organizations", ToneNone},
					{"People", 128, "/users", ToneNone},
					{"Failing connections", 1, "/connections", ToneBad},
					{"Live sessions", 41, "", ToneNone},
				},
				Steps: []Step{
					{"Add an organization", "A company that uses your apps.", "/organizations", true},
					{"Connect its identity provider", "Where its people already sign in.", "/connections", false},
					{"Register an app", "It gets a client id and, if it can keep one, a secret.", "", false},
				},
			})
		}},
		{"requests", func(t *Templates, w http.ResponseWriter) error {
			return t.Requests(w, 200, RequestsPage{Frame: sampleFrame("Requests"), Requests: sampleRequests(), Bulk: "/requests", Next: "/requests?after=x", Other: "/requests?state=decided"})
		}},
		{"requests_empty", func(t *Templates, w http.ResponseWriter) error {
			return t.Requests(w, 200, RequestsPage{Frame: sampleFrame("Requests"), Other: "/requests?state=decided"})
		}},
		{"requests_decided", func(t *Templates, w http.ResponseWriter) error {
			return t.Requests(w, 200, RequestsPage{Frame: sampleFrame("Requests"), Requests: []Request{decided}, Decided: true, Other: "/requests"})
		}},
		{"request", func(t *Templates, w http.ResponseWriter) error {
			f := sampleFrame("Requests")
			f.Problem = "Somebody was faster: ines@platform.test has approved this request."
			return t.Request(w, 409, RequestPage{Frame: f, Request: sampleRequests()[0], Back: "/requests"})
		}},
		{"list", func(t *Templates, w http.ResponseWriter) error {
			return t.List(w, 200, ListPage{
				Frame: sampleFrame("Connections"), Title: "Connections", Intro: "The identity providers people sign in at.",
				Columns: []string{"Connection", "Issuer", "Organization", "State", "Changed"},
				Rows: []Row{
					{"/connections/acme", []Cell{TextCell("Acme"), CodeCell("https://login.acme.test"), LinkCell("Acme", "/organizations/acme"), BadgeCell("on", ToneGood), TimeCell(at)}},
					{"/connections/globex", []Cell{TextCell("Globex sign-in"), CodeCell("https://sso.globex.test/realms/staff"), LinkCell("Globex", "/organizations/globex"), BadgeCell("failing", ToneBad), TimeCell(at)}},
					{"/connections/star", []Cell{TextCell("Everybody else"), CodeCell("https://id.example"), TextCell(""), BadgeCell("off", ToneNone)}},
				},
				First: "/connections", Next: "/connections?after=star",
			})
		}},
		{"list_empty", func(t *Templates, w http.ResponseWriter) error {
			return t.List(w, 200, ListPage{
				Frame: sampleFrame("Organizations"), Title: "Organizations", Columns: []string{"Organization", "State"},
				Empty: Empty{Title: "No organization yet", Text: "An organization is a company whose people use your apps. Add the first one, then its domains and its connection.", Command: "gatehouse org create acme --title Acme --join request"},
			})
		}},
		{"routing", func(t *Templates, w http.ResponseWriter) error {
			return t.Routing(w, 200, RoutingPage{
				Frame: sampleFrame("Connections"), Action: "/routing", Address: "alice@eu.acme.test", Links: []Link{{"connections", "Connections", "/connections"}},
				Clients: []Option{{"demo", "Demo (demo)", true}},
				Answer: RoutingAnswer{Outcome: "alice@eu.acme.test goes to “Acme Europe” by the rule *.acme.test.", Tone: ToneGood, Do: "Nothing.", List: ListPage{
					Title: "Rules", Columns: []string{"Connection", "Rule", "Result", "Why"},
					Rows: []Row{
						{"/connections/eu", []Cell{TextCell("Acme Europe"), CodeCell("*.acme.test"), BadgeCell("✓ won", ToneGood), TextCell("The login goes here.")}},
						{"/connections/any", []Cell{TextCell("Anybody"), CodeCell("*"), BadgeCell("✗ less specific", ToneNone), TextCell("A more specific rule has won.")}},
					},
				}},
				Findings: []RoutingFinding{{
					Level: BadgeCell("! warning", ToneWarn), Rule: "gmail.com", Problem: "Anybody can get an address.", Do: "Remove it.", Code: "public_mail_domain",
					Where: []Cell{LinkCell("acme", "/connections/acme")},
				}},
				Omitted: 3,
			})
		}},
		{"routing_wrong", func(t *Templates, w http.ResponseWriter) error {
			return t.Routing(w, 422, RoutingPage{
				Frame: sampleFrame("Connections"), Action: "/routing", Address: "alice", Faults: []InputFault{{"address", "is no address", "E-mail address"}, {"client", "is gone", "App"}},
			})
		}},
		{"routing_empty", func(t *Templates, w http.ResponseWriter) error {
			return t.Routing(w, 200, RoutingPage{Frame: sampleFrame("Connections"), Empty: Empty{Title: "Nobody is led anywhere yet", Text: "Add a connection.", Action: "Add", URL: "/new/connection"}})
		}},
		{"traces", func(t *Templates, w http.ResponseWriter) error {
			return t.Traces(w, 200, TracesPage{
				Frame: sampleFrame("Logins"), Find: "/traces/find",
				Filter: TraceFilter{Connection: "acme", Since: "2026-11-20", Outcomes: []Option{{"failed", "failed", true}, {"signed_in", "signed in", false}}},
				List: ListPage{
					Title: "Logins", Columns: []string{"Words", "Began", "Outcome", "Cause", "Connection", "App"}, First: "/traces", Next: "/traces?cursor=x",
					Rows: []Row{{"/traces/amber-river-otter", []Cell{
						CodeCell("amber-river-otter"), TimeCell(at), BadgeCell("failed", ToneBad), CodeCell("id_token_nonce"), CodeCell("acme"), CodeCell("demo"),
					}}},
				},
			})
		}},
		{"trace", func(t *Templates, w http.ResponseWriter) error {
			why := Verdict{"", "the provider", "The nonce is missing or another login's.", "Sign in again; if it stays, switch nonce off on the connection."}
			top := why
			top.Title = "Failed at verify."
			return t.Trace(w, 200, TracePage{
				Frame: sampleFrame("Logins"), Words: "amber-river-otter", State: BadgeCell("failed", ToneBad), Back: "/traces", Started: at, Verdict: top,
				Facts: []Item{{"App", []Cell{CodeCell("demo")}}, {"Connection", []Cell{CodeCell("acme")}}, {"User", nil}},
				Hops: []Hop{
					{"App", "✓ ok", ToneGood, []Fact{{"authorize", "1 ms"}}, 0},
					{"Gatehouse", "✓ ok", ToneGood, []Fact{{"route", "0.3 ms"}, {"leave", "12 ms"}}, 3},
					{"Provider", "✗ failed", ToneBad, []Fact{{"verify", "3.1 ms"}}, 0},
					{"Gatehouse", "not reached", ToneNone, nil, 0},
					{"App", "not reached", ToneNone, nil, 0},
				},
				Steps: []TraceStep{
					{Title: "Leave", Way: "Gatehouse → Provider", State: BadgeCell("✓ ok", ToneGood), Took: "12 ms", At: at, Details: []Fact{{"host", "login.acme.test"}, {"pkce", "yes"}}},
					{Title: "Verify", Way: "Provider → Gatehouse", State: BadgeCell("✗ failed", ToneBad), Took: "3.1 ms", At: at, Code: "id_token_nonce", Why: "nonce is missing or another login's", Verdict: why},
				},
				Omitted: 2,
			})
		}},
		{"detail", func(t *Templates, w http.ResponseWriter) error {
			return t.Detail(w, 200, DetailPage{
				Frame: sampleFrame("Users"), Title: "Alice Archer", State: BadgeCell("active", ToneGood), Back: "/users", BackTitle: "Users",
				Links: []Link{{"edit", "Change", "/users/1/edit"}}, Warnings: []string{"PKCE is off."},
				Groups: []Group{
					{Title: "Person", Items: []Item{{"E-mail", []Cell{TextCell("alice@acme.test"), BadgeCell("confirmed", ToneGood)}}, {"User id", []Cell{CodeCell("usr_01jd2k9x")}}, {"Phone", nil}, {"Created", []Cell{TimeCell(at)}}}},
					{Title: "Memberships", Copies: []Copy{{"Address to register", "https://login.example/login/callback/acme"}}, Items: []Item{{"Acme", []Cell{LinkCell("admin", "/organizations/acme")}}}},
				},
				Actions: []Action{
					{ID: "signout", Title: "Sign out everywhere", URL: "/users/1/sign-out"},
					{ID: "disable", Title: "Disable", URL: "/users/1/disable", Danger: true, Warning: "Every session and token of this person ends at once."},
				},
			})
		}},
	}...)
}

func newTemplates(t testing.TB) *Templates {
	t.Helper()
	pages, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// drawn renders the sample and returns the response.
func drawn(t testing.TB, pages *Templates, s sample) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	if err := s.draw(pages, w); err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	return w
}
