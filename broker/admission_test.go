package broker

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/profile"
	"gatehouse/provisioning"
	"gatehouse/store"
)

// editOrganization changes the record of an organization.
func (w *world) editOrganization(id string, change func(*store.Organization)) {
	w.t.Helper()
	w.change(func(ch *store.Change) error {
		o, err := w.store.Organizations.Get(ch.Tx, id)
		if err != nil {
			return err
		}
		change(&o)
		return w.store.Organizations.Put(ch.Tx, o)
	})
}

// pending are the waiting requests.
func (w *world) pending() (out []store.AccessRequest) {
	w.t.Helper()
	if err := w.store.View(w.t.Context(), func(tx store.Tx) (err error) {
		out, _, err = w.store.AccessRequests.ByIndex(tx, "state", store.RequestPending, store.Page{})
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) approve(id string, opt provisioning.Approval) store.AccessRequest {
	w.t.Helper()
	var r store.AccessRequest
	opt.UserID = provisioning.Prepare().UserID
	w.change(func(ch *store.Change) (err error) {
		r, err = w.provisioner.Approve(ch, id, "admin-1", opt)
		return err
	})
	return r
}

// stateOf asks how a request stands, as an app would.
func (w *world) stateOf(credential string) (int, map[string]any) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.url+pathAccessRequest, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+credential)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, _ := io.ReadAll(res.Body)
	body := map[string]any{}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &body); err != nil {
			w.t.Fatalf("%d %q", res.StatusCode, raw)
		}
	}
	return res.StatusCode, body
}

func TestG6_WaitingPersonTalksAndComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	params, verifier := w.ask("native")
	params.Set("login_hint", "bob@globex.test")
	page := b.follow(b.get(w.url + pathAuthorize + "?" + params.Encode()))
	if !strings.Contains(page.body, `name="typed"`) {
		t.Fatalf("no field to say who they are:\n%s", page.body)
	}
	page = b.follow(b.submit(page, url.Values{"typed": {"I am the new driver."}}))
	if strings.Contains(page.body, `name="typed"`) || !strings.Contains(page.body, "I am the new driver.") {
		t.Errorf("after saying it:\n%s", page.body)
	}
	waiting := w.pending()
	if len(waiting) != 1 || waiting[0].Typed != "I am the new driver." {
		t.Fatalf("%+v", waiting)
	}
	id := waiting[0].ID
	w.change(func(ch *store.Change) error {
		_, err := w.provisioner.Ask(ch, id, "admin-1", "Which <b>team</b>?")
		return err
	})
	page = b.get(page.Request.URL.String())
	if !strings.Contains(page.body, "Which &lt;b&gt;team&lt;/b&gt;?") {
		t.Errorf("the question is not there:\n%s", page.body)
	}
	page = b.follow(b.submit(page, url.Values{"answer": {"Trucks."}}))
	if strings.Contains(page.body, `name="answer"`) {
		t.Errorf("the question is still open:\n%s", page.body)
	}
	if r := w.pending()[0]; len(r.Messages) != 2 || r.Messages[1].Text != "Trucks." {
		t.Errorf("%+v", r.Messages)
	}
	// The browser is closed; the person signs in again, elsewhere, and waits for
	// the same request.
	again := w.browser()
	if page := again.follow(again.get(w.url + pathAuthorize + "?" + params.Encode())); page.Request.URL.Path != pathWaiting {
		t.Fatalf("ended at %s", page.Request.URL)
	}
	if n := len(w.pending()); n != 1 {
		t.Errorf("%d requests", n)
	}
	w.approve(id, provisioning.Approval{})
	// The page goes on, and so does a new sign-in.
	got := w.toApp(b.follow(b.get(page.Request.URL.String())))
	if tk := w.redeem("native", got.Get("code"), verifier); tk.status != http.StatusOK {
		t.Errorf("%+v", tk)
	}
	late := w.browser()
	if got := late.authorize(params); got.Get("code") == "" {
		t.Errorf("signing in later: %v", got)
	}
}

func TestG6_AppSeesHowTheRequestStands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stop := func(client, who string) (url.Values, string) {
		t.Helper()
		b := w.browser()
		params, _ := w.ask(client)
		params.Set("login_hint", who)
		page := b.follow(b.get(w.url + pathAuthorize + "?" + params.Encode()))
		got := w.toApp(b.submit(page, url.Values{"cancel": {"1"}}))
		return got, got.Get("access_request")
	}
	got, handle := stop("native", "bob@globex.test")
	if got.Get("error") != "access_denied" || !strings.HasPrefix(handle, prefixRequest) {
		t.Fatalf("%v", got)
	}
	status, body := w.stateOf(handle)
	if status != http.StatusOK || body["state"] != "pending" || body["organization"] != "globex" || body["organization_name"] != "GLOBEX" || body["requested_at"] == nil || body["decided_at"] != nil {
		t.Errorf("%d %v", status, body)
	}
	for name := range body {
		if !slices.Contains([]string{"state", "organization", "organization_name", "requested_at", "expires_at"}, name) {
			t.Errorf("tells %s", name)
		}
	}
	id := w.pending()[0].ID
	// The handle is the app's own: nothing else opens the request.
	_, otherHandle := stop("web", "carol@globex.test")
	otherID, _, _ := strings.Cut(strings.TrimPrefix(otherHandle, prefixRequest), ".")
	for name, forged := range map[string]string{
		"no MAC": prefixRequest + id, "empty MAC": prefixRequest + id + ".", "another's MAC": prefixRequest + id + otherHandle[strings.LastIndex(otherHandle, "."):],
		"another id":  prefixRequest + otherID + "." + handle[strings.LastIndex(handle, ".")+1:],
		"another app": prefixRequest + id + "." + handleMAC(w.broker.handleKeys[0], id, "web"), "unknown": prefixRequest + store.NewID() + ".x", "garbage": "gh_at_x",
	} {
		if status, body := w.stateOf(forged); status != http.StatusUnauthorized || body["state"] != nil {
			t.Errorf("%s: %d %v", name, status, body)
		}
	}
	w.change(func(ch *store.Change) error {
		_, err := w.provisioner.Ask(ch, id, "admin-1", "Which team?")
		return err
	})
	if _, body := w.stateOf(handle); body["question"] != "Which team?" {
		t.Errorf("%v", body)
	}
	w.change(func(ch *store.Change) error {
		_, err := w.provisioner.Refuse(ch, id, "admin-1", "Ask HR.")
		return err
	})
	if _, body := w.stateOf(handle); body["state"] != "refused" || body["reason"] != "Ask HR." || body["question"] != nil || body["decided_at"] == nil {
		t.Errorf("%v", body)
	}
	w.approve(otherID, provisioning.Approval{})
	if _, body := w.stateOf(otherHandle); body["state"] != "approved" {
		t.Errorf("%v", body)
	}
	// Whoever polls all the time is told to slow down.
	slowed := false
	for range 40 {
		if status, _ := w.stateOf(handle); status == http.StatusTooManyRequests {
			slowed = true
			break
		}
	}
	if !slowed {
		t.Error("nobody slows an app down")
	}
	if strings.Contains(w.logs.String(), handle) {
		t.Error("the handle is in the log")
	}
}

func TestAppMissing_AskedForAndGiven(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signedIn("web") // alice is a member of acme
	w.editClient("native", func(c *store.Client) { c.RequireAssignment = true })
	params, verifier := w.ask("native")
	b := w.browser()
	page := b.follow(b.get(w.url + pathAuthorize + "?" + params.Encode()))
	if page.StatusCode != http.StatusForbidden || strings.Contains(page.body, `name="typed"`) || !strings.Contains(page.body, "access_denied") {
		t.Fatalf("nobody may ask: %d\n%s", page.StatusCode, page.body)
	}
	w.editOrganization("acme", func(o *store.Organization) { o.AppRequests = true })
	b = w.browser()
	page = b.follow(b.get(w.url + pathAuthorize + "?" + params.Encode()))
	if page.Request.URL.Path != pathAsk {
		t.Fatalf("ended at %s\n%s", page.Request.URL, page.body)
	}
	if got := w.toApp(b.submit(page, url.Values{"cancel": {"1"}})); got.Get("error") != "access_denied" || len(w.pending()) != 0 {
		t.Errorf("cancel: %v, %d requests", got, len(w.pending()))
	}
	b = w.browser()
	page = b.follow(b.get(w.url + pathAuthorize + "?" + params.Encode()))
	page = b.follow(b.submit(page, url.Values{"typed": {"For the tour."}}))
	if page.Request.URL.Path != pathWaiting {
		t.Fatalf("ended at %s\n%s", page.Request.URL, page.body)
	}
	r := w.pending()[0]
	if r.Kind != store.RequestApp || r.ClientID != "native" || r.Typed != "For the tour." || r.UserID == "" {
		t.Errorf("%+v", r)
	}
	w.approve(r.ID, provisioning.Approval{})
	got := w.toApp(b.follow(b.get(page.Request.URL.String())))
	tk := w.redeem("native", got.Get("code"), verifier)
	if tk.status != http.StatusOK || claimsOf(t, tk.ID)["sub"] != r.UserID {
		t.Fatalf("%+v", tk)
	}
	if status, body := w.stateOf(tk.Access); status != http.StatusOK || body["state"] != "approved" {
		t.Errorf("by access token: %d %v", status, body)
	}
	// Taken away again: every path is closed at once.
	w.change(func(ch *store.Change) error {
		m, err := w.store.Memberships.Get(ch.Tx, store.MembershipKey("acme", r.UserID))
		m.Clients = nil
		if err == nil {
			err = w.store.Memberships.Put(ch.Tx, m)
		}
		return err
	})
	if status, _ := w.userinfo(tk.Access); status != http.StatusUnauthorized {
		t.Errorf("userinfo: %d", status)
	}
	if got := w.refresh("native", tk.Refresh); got.Error != "invalid_grant" {
		t.Errorf("refresh: %+v", got)
	}
	if status, _ := w.stateOf(tk.Access); status != http.StatusUnauthorized {
		t.Errorf("by a dead access token: %d", status)
	}
}

func (w *world) invite(email string) provisioning.InvitationToken {
	w.t.Helper()
	made := provisioning.NewInvitationToken()
	e, err := profile.ParseEmail(email)
	if err != nil {
		w.t.Fatal(err)
	}
	w.change(func(ch *store.Change) error {
		_, err := w.provisioner.Invite(ch, "acme", provisioning.Invitee{Email: e, Groups: []string{"invited"}}, "admin-1", made)
		return err
	})
	return made
}

func TestInvitation_ByLinkWithoutAnApp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.editOrganization("acme", func(o *store.Organization) { o.Join = store.JoinOff })
	made := w.invite("dora@acme.test")
	link := w.url + pathInvitation + "?t=" + made.Token
	b := w.browser()
	for range 2 { // mail programs open links too
		if page := b.get(link); page.StatusCode != http.StatusOK || !strings.Contains(page.body, "dora@acme.test") || !strings.Contains(page.body, "ACME") {
			t.Fatalf("%d\n%s", page.StatusCode, page.body)
		}
	}
	for name, wrong := range map[string]string{"cut": made.Token[:20], "empty": "", "long": made.Token + "x"} {
		page := b.get(w.url + pathInvitation + "?t=" + wrong)
		if page.StatusCode != http.StatusNotFound || strings.Contains(page.body, "dora") {
			t.Errorf("%s: %d", name, page.StatusCode)
		}
	}
	// A provider that says nothing about the address: the link has proven it.
	w.acme.SetUser("dora", map[string]any{"sub": "dora-1", "email": "dora@acme.test", "name": "Dora"})
	page := b.follow(b.submit(b.get(link), url.Values{}))
	if page.Request.URL.Path != pathWelcome || page.StatusCode != http.StatusOK || !strings.Contains(page.body, "Native") || strings.Contains(page.body, "Off") {
		t.Fatalf("ended at %s with %d:\n%s", page.Request.URL, page.StatusCode, page.body)
	}
	// The session is a usual one: an app signs in without asking again.
	params, verifier := w.ask("native")
	params.Set("prompt", "none")
	params.Del("login_hint")
	got := b.authorize(params)
	tk := w.redeem("native", got.Get("code"), verifier)
	if tk.status != http.StatusOK {
		t.Fatalf("%v %+v", got, tk)
	}
	if page := b.get(link); page.StatusCode != http.StatusNotFound {
		t.Errorf("the link after its use: %d", page.StatusCode)
	}
	if strings.Contains(w.logs.String(), made.Token) {
		t.Error("the link is in the log")
	}
	if page := w.browser().get(w.url + pathWelcome); page.StatusCode != http.StatusBadRequest {
		t.Errorf("the welcome page for nobody: %d", page.StatusCode)
	}
}

func TestInvitation_ForAnotherAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.invite("dora@acme.test")
	b := w.browser()
	w.acme.SetUser("dora", map[string]any{"sub": "m-1", "email": "mallory@acme.test", "email_verified": true})
	page := b.follow(b.submit(b.get(w.url+pathInvitation+"?t="+made.Token), url.Values{}))
	if page.StatusCode != http.StatusForbidden || !strings.Contains(page.body, "another") || strings.Contains(page.body, "mallory") {
		t.Fatalf("%d at %s\n%s", page.StatusCode, page.Request.URL, page.body)
	}
	if page := b.get(w.url + pathInvitation + "?t=" + made.Token); page.StatusCode != http.StatusOK {
		t.Errorf("the invitation was spent: %d", page.StatusCode)
	}
	w.clock.add(15 * 24 * time.Hour)
	if page := b.get(w.url + pathInvitation + "?t=" + made.Token); page.StatusCode != http.StatusNotFound {
		t.Errorf("after its time: %d", page.StatusCode)
	}
}

// An invited address signs in through an app: no link needed.
func TestInvitation_BySigningIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.editOrganization("acme", func(o *store.Organization) { o.Join = store.JoinOff })
	w.invite("alice@acme.test")
	tk := w.signedIn("native")
	found, err := w.traces(store.TraceFilter{Connection: "acme"})
	if err != nil || len(found) == 0 {
		t.Fatal(err)
	}
	steps, _ := json.Marshal(found[0].Steps)
	if !strings.Contains(string(steps), "activated") {
		t.Errorf("the trace does not say so: %s", steps)
	}
	if sub := claimsOf(t, tk.ID)["sub"]; sub == "" {
		t.Error("no sub")
	}
}

// G11: with newcomers switched off, no way in of the public listener makes
// anybody, however it is called.
func TestG11_NoWayInWhenOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.editOrganization("globex", func(o *store.Organization) { o.Join = store.JoinOff })
	for _, edits := range [][]string{
		{"login_hint", "bob@globex.test"},
		{"login_hint", "", "connection", "globex"},
		{"login_hint", "", "organization", "globex"},
		{"login_hint", "bob@globex.test", "prompt", "login"},
	} {
		b := w.browser()
		w.globex.SetAuto("bob")
		page := b.follow(b.get(w.url + pathAuthorize + "?" + w.edited("native", edits...).Encode()))
		if page.StatusCode != http.StatusForbidden {
			t.Errorf("%v: %d at %s", edits, page.StatusCode, page.Request.URL)
		}
	}
	users := 0
	if err := w.store.View(t.Context(), func(tx store.Tx) error {
		for _, err := range w.store.Users.All(tx) {
			if err != nil {
				return err
			}
			users++
		}
		return nil
	}); err != nil || users != 0 || len(w.pending()) != 0 {
		t.Errorf("%d users, %d requests, %v", users, len(w.pending()), err)
	}
}

func TestG6_DirectGrantGetsTheHandle(t *testing.T) {
	t.Parallel()
	w := newDirectWorld(t)
	w.editOrganization("acme", func(o *store.Organization) { o.Join = store.JoinRequest })
	status, _, body := w.tokenCall(pathToken, "web", directForm())
	handle, _ := body["access_request"].(string)
	if status != http.StatusBadRequest || body["error"] != "access_denied" || handle == "" || body["access_token"] != nil {
		t.Fatalf("%d %v", status, body)
	}
	if status, body := w.stateOf(handle); status != http.StatusOK || body["state"] != "pending" {
		t.Errorf("%d %v", status, body)
	}
}
