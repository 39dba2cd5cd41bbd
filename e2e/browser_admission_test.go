package e2e

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// admission is a `gatehouse dev` with a mail server of its own, and the browser
// that newcomers of Globex and their admin have.
type admission struct {
	*world
	c     *chrome
	mails *mailServer
}

// globexAdmin decides about newcomers of Globex.
const globexAdmin = "admin@globex.test"

// TestBrowser_Admission: people ask to come in, an approver hears of it by mail
// and decides in the console, and the people go on to the app.
func TestBrowser_Admission(t *testing.T) {
	t.Parallel()
	mails := startMailServer(t)
	w, err := startDev(filepath.Join(t.TempDir(), "dev"), "--smtp", mails.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.proc.stop(); err != nil {
			t.Error(err)
		}
		for _, leak := range w.leaks() {
			t.Error(leak)
		}
	})
	a := &admission{world: w, c: startChrome(t), mails: mails}
	t.Run("walks", func(t *testing.T) {
		for name, walk := range map[string]func(*testing.T, *admission){
			"approved from the mail": admissionApproved,
			"refused":                admissionRefused,
			"decided twice":          admissionTwice,
			"browser closed":         admissionReopened,
			"asked back":             admissionAsked,
			"invited":                admissionInvited,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				walk(t, a)
			})
		}
	})
	t.Run("measured", func(t *testing.T) { admissionMeasured(t, a) })
}

// newcomer brings somebody of Globex from the demo app to the waiting room.
func (a *admission) newcomer(t *testing.T, l look, name string) *tab {
	t.Helper()
	w := a.signsIn(t, l, name, "#status")
	w.sees("main", []string{"Globex", name + "@globex.test"})
	return w
}

// signsIn is a new browser that signs in to the demo app.
func (a *admission) signsIn(t *testing.T, l look, name, next string) *tab {
	t.Helper()
	w := a.c.tab(t, l)
	w.open(a.Demo)
	w.press("signin", "#email")
	w.fill("email", name+"@globex.test")
	w.press("submit", "#username")
	w.atProvider(name, next)
	return w
}

// clicks opens a mail in the webmail and clicks its link.
func (a *admission) clicks(w *tab, m letter, next string) {
	w.t.Helper()
	w.open(fmt.Sprintf("%s/%d", a.mails.webmail, m.number))
	w.at("a.button")
	link := m.link(w.t)
	a.secrets.add("mailed token", link[strings.LastIndexAny(link, "/=")+1:])
	w.do(clickOn("a.button"))
	w.at(next)
}

// throughGlobex signs the admin of Globex in to the console with the company,
// from the console's sign-in page.
func (a *admission) throughGlobex(w *tab, next string) {
	w.t.Helper()
	w.press("company", "#email")
	w.fill("email", globexAdmin)
	w.press("submit", "#username")
	w.atProvider("admin", next)
}

// approver is the console with the admin of Globex in it.
func (a *admission) approver(t *testing.T, l look) *tab {
	t.Helper()
	w := a.c.tab(t, l)
	w.open(a.Admin)
	a.throughGlobex(w, "#signout")
	return w
}

// platformOwner is the console with the owner of everything in it.
func (a *admission) platformOwner(t *testing.T, l look) *tab {
	t.Helper()
	w := a.c.tab(t, l)
	w.open(a.Admin)
	w.fill("email", a.Owner.Email)
	w.fill("password", a.Owner.Password)
	w.press("submit", "#signout")
	return w
}

// status is the HTTP status of the page in the window.
func (w *tab) status() string {
	w.t.Helper()
	return w.eval(`String(performance.getEntriesByType("navigation")[0].responseStatus)`)
}

// holdsTokens: the demo app shows whose they are.
func (w *tab) holdsTokens(email string) {
	w.t.Helper()
	w.at("#id_token")
	w.sees("#userinfo", []string{email})
}

// admissionApproved is the whole way: from the waiting room over the mail and
// the console to the app's tokens.
func admissionApproved(t *testing.T, a *admission) {
	const person = "ivy.stone"
	w := a.newcomer(t, look{}, person)
	w.fill("typed", "I start in the warehouse on Monday. <b>Call</b> 4711.")
	w.press("send", "#said")
	w.good("waiting-said")

	m := a.mails.to(t, globexAdmin, person)
	if m.from != "gatehouse@localhost.localdomain" || !strings.Contains(m.subject, "Globex") || strings.Contains(m.subject, "ivy") || time.Since(m.sent(t)) > time.Minute {
		t.Errorf("from %q, subject %q, %v", m.from, m.subject, m.header)
	}
	for _, want := range []string{"Ivy Stone", person + "@globex.test", "Globex", "Demo web app"} {
		if !strings.Contains(m.text, want) || !strings.Contains(m.html, want) {
			t.Errorf("the mail does not say %q:\n%s", want, m.text)
		}
	}

	// On a phone: the mail, the sign-in with the company, the one request.
	approver := a.c.tab(t, look{})
	approver.open(fmt.Sprintf("%s/%d", a.mails.webmail, m.number))
	approver.at("a.button")
	approver.good("mail-request")
	a.clicks(approver, m, "#company")
	approver.good("decision-sign-in")
	id := a.api(t).requestOf(person + "@globex.test")
	a.throughGlobex(approver, "#approve-"+id)
	approver.sees("main", []string{"Ivy Stone", person + "@globex.test", "confirmed", "nobody vouches for it", "I start in the warehouse on Monday. <b>Call</b> 4711.", "Demo web app"})
	if n := approver.eval(`String(document.querySelectorAll("[id^=approve-]").length)`); n != "1" {
		t.Errorf("the link opens %s requests, want one", n)
	}
	approver.good("request")
	took := a.approve(approver, id, w)
	t.Logf("from the click to the app's tokens: %s", took)
	w.holdsTokens(person + "@globex.test")
	w.complaints("waiting")
	approver.good("request-approved")
	if told := a.mails.to(t, person+"@globex.test", "approved"); !strings.Contains(told.subject, "Globex") {
		t.Errorf("the person is told %q", told.subject)
	}

	// The link has done its work; somebody else's account never opens it.
	a.clicks(approver, m, "#warnings")
	approver.sees("main", []string{"has done its work", "Globex Admin"})
	if got := approver.status(); got != "410" {
		t.Errorf("a used link answers %s", got)
	}
	approver.good("decision-link-used")
}

// approve presses the button and gives the time until the waiting window is at
// the app, which redeems the code before it shows anything.
func (a *admission) approve(approver *tab, id string, waiting *tab) time.Duration {
	waiting.t.Helper()
	pressed := time.Now()
	approver.do(clickOn("#approve-" + id))
	waiting.at("#id_token")
	arrived, ok := waiting.arrivedAt(a.Demo, pressed)
	if !ok {
		waiting.t.Fatal("the waiting page did not go to the app")
	}
	approver.at(fmt.Sprintf("body:has(#notice):not(:has(#approve-%s))", id))
	return arrived.Sub(pressed)
}

// admissionMeasured lets ten people wait and approves them one by one.
func admissionMeasured(t *testing.T, a *admission) {
	const rounds = 10
	approver := a.approver(t, look{wide: true})
	var waiting [rounds]*tab
	t.Run("waiting", func(t *testing.T) {
		for i := range waiting {
			// The window outlives this subtest, whose only purpose is to open them together.
			w := a.c.tab(approver.t, look{})
			waiting[i] = w
			t.Run("newcomer", func(t *testing.T) {
				t.Parallel()
				w.open(a.Demo)
				w.press("signin", "#email")
				w.fill("email", fmt.Sprintf("round%d@globex.test", i))
				w.press("submit", "#username")
				w.atProvider(fmt.Sprintf("round%d", i), "#status")
			})
		}
	})
	if t.Failed() {
		return
	}
	var took []time.Duration
	approver.open(a.Admin + "/requests?organization=globex")
	for i, w := range waiting {
		id := a.api(t).requestOf(fmt.Sprintf("round%d@globex.test", i))
		approver.at("#approve-" + id)
		took = append(took, a.approve(approver, id, w))
		w.complaints("waiting")
	}
	slices.Sort(took)
	t.Logf("from the approver's click to the app's tokens, %d rounds in Chromium: p50 %s, p95 %s", rounds, took[rounds/2-1].Round(time.Millisecond), took[rounds-1].Round(time.Millisecond))
}

// admissionRefused: a sentence for the person, access_denied for the app, and a
// mail; signing in again says the same.
func admissionRefused(t *testing.T, a *admission) {
	const person, sentence = "oscar.vance", "We do not know you. Please ask your manager to write to us."
	w := a.newcomer(t, look{}, person)
	approver := a.c.tab(t, look{wide: true})
	a.clicks(approver, a.mails.to(t, globexAdmin, person), "#company")
	id := a.api(t).requestOf(person + "@globex.test")
	a.throughGlobex(approver, "#open-refuse-"+id)
	approver.do(clickOn("#open-refuse-" + id))
	approver.fill("reason-"+id, sentence)
	approver.press("refuse-"+id, "#notice")
	w.at("#reason")
	w.sees("#reason", []string{sentence})
	w.press("submit", "#error")
	w.sees("#error", []string{"access_denied"})
	w.complaints("refused")
	if m := a.mails.to(t, person+"@globex.test", sentence); !strings.Contains(m.html, sentence) {
		t.Errorf("the mail in HTML lacks the sentence:\n%s", m.html)
	}
	again := a.signsIn(t, look{}, person, "#reason")
	again.sees("#reason", []string{sentence})
	again.good("refused-again")
	if left := a.api(t).requestOf(person + "@globex.test"); left != "" {
		t.Error("who was refused waits again at once")
	}
}

// admissionTwice: two people who may decide have the same request open.
func admissionTwice(t *testing.T, a *admission) {
	const person = "nora.quill"
	w := a.newcomer(t, look{}, person)
	id := a.api(t).requestOf(person + "@globex.test")
	first, second := a.approver(t, look{wide: true}), a.platformOwner(t, look{})
	for _, approver := range []*tab{first, second} {
		approver.open(a.Admin + "/requests/" + id)
		approver.at("#approve-" + id)
	}
	first.press("approve-"+id, "#notice")
	second.do(clickOn("#open-refuse-" + id))
	second.fill("reason-"+id, "No.")
	second.press("refuse-"+id, "#problem")
	second.sees("#problem", []string{"Globex Admin"})
	second.sees("main", []string{"approved", "Globex Admin"})
	if got := second.status(); got != "409" {
		t.Errorf("the second decision answers %s", got)
	}
	if second.eval(`String(document.querySelector("[id^=approve-]") === null)`) != "true" {
		t.Error("the second approver may still decide")
	}
	second.good("decided-twice")
	w.holdsTokens(person + "@globex.test")
}

// admissionReopened: the browser is closed, and nothing is lost.
func admissionReopened(t *testing.T, a *admission) {
	const person = "theo.marsh"
	w := a.newcomer(t, look{}, person)
	id := a.api(t).requestOf(person + "@globex.test")
	w.close()

	w = a.newcomer(t, look{}, person) // no cookie of the one before
	if again := a.api(t).requestOf(person + "@globex.test"); again != id {
		t.Errorf("signing in again made request %s beside %s", again, id)
	}
	w.close()
	a.api(t).call(http.StatusOK, http.MethodPost, "/access-requests/"+id+"/approve", map[string]any{})

	a.signsIn(t, look{}, person, "#id_token").holdsTokens(person + "@globex.test")
}

// close is the person closing the browser: its cookies are gone.
func (w *tab) close() {
	w.t.Helper()
	w.complaints("closing")
	if err := chromedp.Cancel(w.ctx); err != nil {
		w.t.Fatal(err)
	}
}

// admissionAsked: a question, its answer, and the decision.
func admissionAsked(t *testing.T, a *admission) {
	const person, question, reply = "lena.frost", "Which site do you work at?", "The harbour, since Monday."
	w := a.newcomer(t, look{}, person)
	w.fill("typed", "I drive the night shift.")
	w.press("send", "#said")
	id := a.api(t).requestOf(person + "@globex.test")
	approver := a.approver(t, look{wide: true})
	approver.open(a.Admin + "/requests/" + id)
	approver.at("#open-ask-" + id)
	approver.do(clickOn("#open-ask-" + id))
	approver.fill("question-"+id, question)
	approver.press("ask-"+id, "#notice")

	w.at("#question") // by itself
	w.sees("#question", []string{question})
	w.good("waiting-question")
	if m := a.mails.to(t, person+"@globex.test", question); !strings.Contains(m.html, question) {
		t.Errorf("the mail in HTML lacks the question:\n%s", m.html)
	}
	w.fill("answer", reply)
	w.press("send", "#status:not(:has(~ #question))")

	m := a.mails.to(t, globexAdmin, reply)
	a.clicks(approver, m, "#approve-"+id) // signed in already
	approver.sees("main", []string{question, "The person answered", reply})
	approver.do(chromedp.EmulateViewport(1100, 760, chromedp.EmulateScale(1))) // a smaller picture
	approver.good("request-answered")
	a.approve(approver, id, w)
	w.holdsTokens(person + "@globex.test")
	w.complaints("asked back")
}

// admissionInvited: the link is for one address, whoever holds it.
func admissionInvited(t *testing.T, a *admission) {
	const email = "carol@globex.test"
	admin := a.approver(t, look{wide: true})
	admin.open(a.Admin + "/invitations")
	admin.press("go-new", "#form")
	admin.good("invitation-new")
	admin.write(map[string]string{"organization": "globex", "email": "carol", "name": "Carol Hayes"})
	admin.press("submit", "#fault-email")
	admin.write(map[string]string{"organization": "globex", "email": email, "name": "Carol Hayes"})
	admin.press("submit", "#notice")
	admin.sees("main", []string{email, "open", "Globex Admin"})
	admin.good("invitation-open")
	page := admin.url()

	m := a.mails.to(t, email, "invite")
	if strings.Contains(admin.eval(`document.documentElement.outerHTML`), mustParse(t, m.link(t)).Query().Get("t")) {
		t.Error("the admin's page shows the link")
	}

	wrong := a.c.tab(t, look{})
	a.clicks(wrong, m, "#submit")
	wrong.press("submit", "#username")
	wrong.atProvider("mallory", "#correlation")
	wrong.sees("main", []string{"You signed in with another address", "It is still good"}, "Welcome")
	wrong.good("invitation-wrong")
	admin.open(page)
	admin.sees("main", []string{"open"})

	w := a.c.tab(t, look{})
	a.clicks(w, m, "#submit")
	w.sees("main", []string{"Globex Admin", email, "Globex invites you"})
	w.good("invitation")
	w.press("submit", "#username")
	w.atProvider("carol", "#apps")
	w.sees("main", []string{"Welcome to Globex", email, "Demo web app"})
	if title := w.eval(`document.title`); !strings.HasPrefix(title, "You are in") {
		t.Errorf("the window says %q", title)
	}
	w.good("welcome")
	admin.open(page)
	admin.sees("main", []string{"accepted", "Carol"})
	admin.good("invitation-accepted")

	a.clicks(w, m, "#correlation")
	if got := w.status(); got != "404" {
		t.Errorf("a used invitation answers %s", got)
	}
	// The session of the invitation is good for the app: no second sign-in.
	w.open(a.Demo)
	w.press("signin", "#id_token")
	w.holdsTokens(email)
}
