package e2e

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// reads makes the tab ask for pages in a language, as a browser of somebody who
// reads it does.
func (w *tab) reads(language string) {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	if _, err := chromedp.Call(ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": language}}); err != nil {
		w.t.Fatal(err)
	}
}

// pagesOrganizations makes an organization in the console, with look, texts and
// a domain, and sees the waiting room of its people in German.
func pagesOrganizations(t *testing.T, c *chrome) {
	w := c.owner(t, look{wide: true}, false)
	id := shared.fresh("initech")
	w.open(shared.Admin + "/new/organization")
	w.at("#form")
	w.good("organization-new")
	w.write(map[string]string{"id": id, "title": "Initech " + id, "brand.accent": "#ffcc00", "links.help": "javascript:alert(1)"})
	w.press("submit", "#faults")
	w.sees("#faults", []string{"the nearest colour that can be read is #", "https"})
	w.good("organization-faults")
	w.write(map[string]string{
		"brand.accent": "#a1231a", "links.help": "https://help.test/", "links.privacy": "https://privacy.test/", "contact": "IT desk, 4711", "languages": "de\nen",
	})
	w.press("submit", "#notice")
	w.sees("main", []string{"First steps", "Initech", "#a1231a"})
	w.good("organization")

	w.open(shared.Admin + "/organizations/" + id + "/domains/new")
	w.write(map[string]string{"name": "Initech-" + id + ".TEST"})
	w.press("submit", "#action-check")
	w.sees("main", []string{"_gatehouse-challenge.initech-" + id + ".test", "gatehouse-domain=", "pending", "TXT"})
	w.good("domain")

	for _, path := range []string{"/rules", "/texts?language=de", "/edit"} {
		w.open(shared.Admin + "/organizations/" + id + path)
		w.at("#form")
		w.good("organization-form")
	}
	phone := c.owner(t, look{}, false)
	phone.open(shared.Admin + "/organizations/" + id)
	phone.at("h1")
	phone.good("organization-phone")

	german := c.owner(t, look{wide: true}, false)
	german.reads("de-DE,de;q=0.9")
	for path, words := range map[string]string{
		"/organizations": "Unternehmen, deren Leute", "/organizations/" + id: "Erste Schritte", "/domains": "E-Mail-Domains",
		"/organizations/" + id + "/domains/initech-" + id + ".test": "Der DNS-Eintrag, der es beweist", "/organizations/" + id + "/edit": "Links vor der Anmeldung",
	} {
		german.open(shared.Admin + path)
		german.sees("body", []string{words, "Abmelden"})
		german.good("console-german")
	}
}

// pagesGerman walks a newcomer of an organization with a look of its own to the
// waiting room, in German.
func pagesGerman(t *testing.T, c *chrome) {
	company := shared.fresh("umbrella")
	a := shared.api(t)
	domain := a.company(company, "request", nil)
	a.call(http.StatusOK, http.MethodPatch, "/organizations/"+company, map[string]any{
		"brand": map[string]any{"accent": "#1b6338"}, "links": map[string]any{"help": "https://help.test/", "request_access": "mailto:it@help.test"},
		"contact": "IT-Hotline 4711", "languages": []string{"de"},
		"texts": []map[string]any{{"key": "waiting", "language": "de", "title": "Gleich geht es weiter", "next": "Werktags bis 17 Uhr."}},
	})
	w := c.tab(t, look{})
	w.reads("de-DE,de;q=0.9,en;q=0.5")
	w.begin("nina@" + domain)
	w.sees("main", []string{"Geschäftliche E-Mail-Adresse", "Weiter"}, "Continue", "Enter your")
	w.good("email-german")
	w.fill("email", "kein Adresse")
	w.press("submit", "#error")
	w.sees("main", []string{"Das ist keine E-Mail-Adresse"}, "This is not")
	w.fill("email", "nina@"+domain)
	w.press("submit", "#username")
	w.atProvider("nina@"+domain, "#status")
	w.sees("main", []string{"Gleich geht es weiter", "Werktags bis 17 Uhr.", "IT-Hotline 4711", "Zugang beantragen", "Hilfe"}, "Almost there", "Stop waiting")
	if lang := w.eval(`document.documentElement.lang`); lang != "de" {
		t.Errorf("the page says it is %q", lang)
	}
	if accent := w.eval(`getComputedStyle(document.documentElement).getPropertyValue("--accent")`); !strings.Contains(accent, "1b6338") {
		t.Errorf("the accent is %q", accent)
	}
	w.good("waiting-german")
	w.open(shared.Issuer + "/nowhere")
	w.sees("main", []string{"Hier ist nichts"})
	w.good("error-german")
}
