package federation

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"gatehouse/store"
)

func (w *town) explain(email string, q Query) string {
	w.t.Helper()
	var out []string
	if err := w.store.View(w.t.Context(), func(tx store.Tx) error {
		if email != "" {
			q.Email = address(w.t, email)
		}
		e, err := w.Explain(tx, q)
		if err != nil {
			return err
		}
		r, err := w.Route(tx, q)
		if err != nil {
			return err
		}
		if got, want := fmt.Sprint(idsOf(e.Winners())), fmt.Sprint(idsOf(r.Candidates)); got != want || e.Rule != r.Rule {
			w.t.Errorf("%s: explained %s by %q, routed to %s by %q", email, got, e.Rule, want, r.Rule)
		}
		for _, c := range e.Considered {
			out = append(out, fmt.Sprintf("%s %s %s", c.Rule, c.Connection.ID, c.Reason))
			if c.Reason.Sentence() == string(c.Reason) {
				w.t.Errorf("%s has no sentence", c.Reason)
			}
		}
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	return strings.Join(out, ", ")
}

func idsOf(conns []store.Connection) (out []string) {
	for _, c := range conns {
		out = append(out, c.ID)
	}
	return out
}

// TestExplain_IsRoute: each loser has its reason, and the winners are Route's.
func TestExplain_IsRoute(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.org("acme", "acme.test")
	w.org("other", "?eu.acme.test")
	w.org("off", "off.test")
	w.connection("exact", "acme", "eu.acme.test", "*.acme.test")
	w.connection("second", "acme", "eu.acme.test")
	w.connection("claims", "other", "eu.acme.test")
	w.connection("wide", "acme", "*.acme.test", "*")
	w.connection("gone", "nowhere", "*")
	w.connection("closed", "off", "off.test")
	w.disable("second", "")
	w.disable("", "off")
	w.update(func(tx store.Tx) error {
		return w.store.Connections.Insert(tx, store.Connection{ID: "direct", OrganizationID: "acme", Domains: []string{"acme.test"}, Grant: store.GrantPassword})
	})
	const rest = "*.acme.test exact less_specific, *.acme.test wide less_specific, * gone less_specific, * wide less_specific"
	for _, c := range []struct {
		email string
		q     Query
		want  string
	}{
		{"a@eu.acme.test", Query{}, "eu.acme.test claims domain_not_proven, eu.acme.test exact won, eu.acme.test second disabled, " + rest},
		{"a@eu.acme.test", Query{ConnectionID: "wide"}, "eu.acme.test claims domain_not_proven, eu.acme.test exact other_connection, eu.acme.test second disabled, " + rest},
		{"a@eu.acme.test", Query{OrganizationID: "other"}, "eu.acme.test claims domain_not_proven, eu.acme.test exact other_organization, eu.acme.test second disabled, " + rest},
		{"a@eu.acme.test", Query{Client: store.Client{Connections: []string{"wide"}}}, "eu.acme.test claims domain_not_proven, eu.acme.test exact connection_not_allowed, eu.acme.test second disabled, " + rest},
		{"a@eu.acme.test", Query{Client: store.Client{Organizations: []string{"other"}}}, "eu.acme.test claims domain_not_proven, eu.acme.test exact organization_not_allowed, eu.acme.test second disabled, " + rest},
		{"a@acme.test", Query{}, "acme.test direct no_browser, * gone less_specific, * wide less_specific"},
		{"a@off.test", Query{}, "off.test closed organization_disabled, * gone less_specific, * wide less_specific"},
		{"a@else.test", Query{}, "* gone organization_gone, * wide won"},
		{"", Query{ConnectionID: "direct"}, "connection direct no_browser"},
		{"", Query{ConnectionID: "nothing"}, ""},
		{"", Query{OrganizationID: "acme"}, "organization direct no_browser, organization exact won, organization second disabled, organization wide won"},
		{"", Query{}, ""},
	} {
		if got := w.explain(c.email, c.q); got != c.want {
			t.Errorf("%s %+v:\n got %s\nwant %s", c.email, c.q, got, c.want)
		}
	}
}

func TestLint(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.org("acme", "acme.test", "branch.test", "gmx.net", "idle.test")
	w.org("rival", "sales.acme.test", "?pending.test", "acrne.test")
	w.org("twin", "shared.test", "acme.example", "xn--bcher-kva.test")
	w.org("books", "bucher.test")
	w.org("dead", "dead.test")
	w.org("uk", "uk")
	w.connection("main", "acme", "acme.test", "*.acme.test", "eu.acme.test", "gmx.net")
	w.connection("branch-a", "acme", "branch.test")
	w.connection("branch-b", "acme", "branch.test")
	w.connection("thief", "rival", "sales.acme.test", "pending.test", "acrne.test")
	w.connection("closed", "dead", "dead.test")
	w.connection("any", "twin", "*", "acme.example", "xn--bcher-kva.test", "shared.test")
	w.connection("books", "books", "bucher.test")
	w.connection("island", "uk", "*.co.uk")
	w.disable("closed", "")
	var got []string
	if err := w.store.View(t.Context(), func(tx store.Tx) error {
		findings, err := w.Lint(tx)
		for _, f := range findings {
			got = append(got, fmt.Sprintf("%s %s %s %s", f.Level, f.Code, f.Rule, strings.Join(f.Connections, "+")))
			if f.Problem == "" || f.Fix == "" {
				t.Errorf("%+v has no words", f)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"warning shadowed_rule *.acme.test main+thief",
		"warning public_suffix *.co.uk island",
		"warning look_alike acme.example any+thief",
		"warning look_alike acme.test main+thief",
		"warning look_alike bucher.test books+any",
		"warning dead_rule dead.test closed",
		"warning public_mail_domain gmx.net main",
		"warning unverified_domain pending.test thief",
		"note look_alike acme.example any+main+thief",
		"note same_domain branch.test branch-a+branch-b",
		"note redundant_rule eu.acme.test main",
		"note unrouted_domain idle.test ",
		"note unrouted_domain uk ",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestLint_NothingToSay(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.org("acme", "acme.test", "acrne.test") // one company's own
	w.org("globex", "globex.example")
	w.connection("acme", "acme", "acme.test", "*.acme.test", "acrne.test")
	w.connection("globex", "globex", "globex.example")
	if err := w.store.View(t.Context(), func(tx store.Tx) error {
		findings, err := w.Lint(tx)
		if len(findings) > 0 {
			t.Errorf("got %+v", findings)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestLookAlikes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"acme", "acrne", true},
		{"paypal", "paypai", true},
		{"google", "goog1e", true},
		{"bucher", "xn--bcher-kva", true},
		{"apple", "xn--80ak6aa92e", true},
		{"modern", "modem", true},
		{"globex", "initech", false},
		{"acme", "acne", false},
	} {
		if got := skeleton(c.a) == skeleton(c.b); got != c.want {
			t.Errorf("%s and %s: %v (%s, %s), want %v", c.a, c.b, got, skeleton(c.a), skeleton(c.b), c.want)
		}
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"globex", "globx", true},
		{"globex", "gloobex", true},
		{"globex", "glabex", true},
		{"globex", "glboex", true},
		{"globex", "globexa", true},
		{"globex", "lobex", true},
		{"globex", "globex", true},
		{"globex", "gobelx", false},
		{"globex", "glo", false},
		{"globex", "xeblog", false},
	} {
		if near(c.a, c.b) != c.want || near(c.b, c.a) != c.want {
			t.Errorf("near %s %s: not %v", c.a, c.b, c.want)
		}
	}
}

// TestDocs_Routing: docs/routing.md names every reason and every finding.
func TestDocs_Routing(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../docs/routing.md")
	if err != nil {
		t.Fatal(err)
	}
	words := []string{FindingUnverified, FindingDead, FindingSameDomain, FindingShadowed, FindingRedundant, FindingLookAlike, FindingPublicMail, FindingPublicSuffix, FindingUnrouted}
	for _, r := range Reasons() {
		words = append(words, string(r))
	}
	for _, w := range words {
		if !strings.Contains(string(doc), "| `"+w+"` |") {
			t.Errorf("docs/routing.md does not say what %s is", w)
		}
	}
}
