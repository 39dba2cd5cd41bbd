package admin_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
)

// TestG5_TwoAdminsDecideTheSameQueue: two admins, two clients, the same queue in
// the same order at once. Each request is decided once, each loser gets 409 and
// learns who was first, and the audit has exactly one decision for each. It
// takes 200 requests, or as many as GATEHOUSE_TEST_DECISIONS says (1000).
func TestG5_TwoAdminsDecideTheSameQueue(t *testing.T) {
	t.Parallel()
	n := 200
	if more, err := strconv.Atoi(os.Getenv("GATEHOUSE_TEST_DECISIONS")); err == nil {
		n = more
	}
	s := newSite(t)
	s.globex()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = s.waiting(fmt.Sprint("person-", i)).ID
	}
	admins := []*caller{s.as(store.RoleAdmin), s.as(store.RoleAdmin)}
	type result struct{ won, lost, other int }
	results := make([]result, len(admins))
	var wg sync.WaitGroup
	for a, admin := range admins {
		const lanes = 4 // requests in flight of one client
		var mu sync.Mutex
		for lane := range lanes {
			wg.Go(func() {
				for i := lane; i < n; i += lanes {
					path, body := "/approve", map[string]any{}
					if (i+a)%3 == 0 {
						path, body = "/refuse", map[string]any{"reason": "Not known here."}
					}
					got := admin.api("POST", "/access-requests/"+ids[i]+path, body)
					mu.Lock()
					switch {
					case got.status == http.StatusOK:
						results[a].won++
					case got.status == http.StatusConflict && strings.Contains(string(got.body), " by User "):
						results[a].lost++
					default:
						results[a].other++
						t.Errorf("%d: %s", got.status, got.body)
					}
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	won, lost := results[0].won+results[1].won, results[0].lost+results[1].lost
	if won != n || lost != n {
		t.Errorf("%d decisions and %d losers for %d requests", won, lost, n)
	}
	decisions := map[string]int{}
	states := map[string]int{}
	users := 0
	if err := s.store.View(t.Context(), func(tx store.Tx) error {
		for page := (store.Page{Limit: store.MaxPage}); ; {
			entries, next, err := s.store.AuditPage(tx, store.AuditFilter{}, page)
			if err != nil {
				return err
			}
			for _, e := range entries {
				if e.Action == "access_request.approve" || e.Action == "access_request.refuse" {
					decisions[e.Target]++
				}
			}
			if page.Cursor = next; next == "" {
				break
			}
		}
		for _, id := range ids {
			r, err := s.store.AccessRequests.Get(tx, id)
			if err != nil {
				return err
			}
			states[r.State]++
			if r.State == store.RequestApproved {
				if _, err := s.store.Users.Get(tx, r.UserID); err != nil {
					return err
				}
				users++
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	total := 0
	for target, times := range decisions {
		if total += times; times != 1 {
			t.Errorf("%s was decided %d times", target, times)
		}
	}
	if total != n || states[store.RequestPending] != 0 || users != states[store.RequestApproved] {
		t.Errorf("%d decisions in the audit, states %v, %d users", total, states, users)
	}
	t.Logf("%d requests: %+v, %v", n, results, states)
}

func TestDecideMany(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.globex()
	want(t, s.as(store.RoleOwner).api("POST", "/organizations", map[string]any{"id": "acme", "title": "Acme"}), 201)
	a, b, c := s.waiting("anna"), s.waiting("ben"), s.waiting("carl")
	foreign := a
	foreign.Meta, foreign.ID, foreign.OrganizationID, foreign.Subject = store.Meta{}, store.NewID(), "acme", "foreign"
	s.update(func(tx store.Tx) error { return s.store.AccessRequests.Insert(tx, foreign) })
	admin, me := s.memberOf("globex", store.RoleAdmin)
	own := s.waiting("own")
	s.update(func(tx store.Tx) error {
		return s.store.Identities.Insert(tx, store.Identity{ConnectionID: "globex", Issuer: "x", Subject: "y", UserID: me.ID, Attributes: profile.Attributes{Email: "own@globex.example"}})
	})
	want(t, admin.api("POST", "/access-requests/"+c.ID+"/refuse", map[string]any{"reason": "No."}), 200)
	got := want(t, admin.api("POST", "/access-requests/decide", map[string]any{
		"ids": []string{a.ID, b.ID, c.ID, foreign.ID, own.ID, "none"}, "decision": "approve", "groups": []string{"drivers"},
	}), 200)
	statuses := map[string]float64{}
	results, _ := got.at(t, "results").([]any)
	for _, r := range results {
		m, _ := r.(map[string]any)
		statuses[m["id"].(string)], _ = m["status"].(float64)
	}
	for id, status := range map[string]float64{a.ID: 200, b.ID: 200, c.ID: 409, foreign.ID: 404, own.ID: 403, "none": 404} {
		if statuses[id] != status {
			t.Errorf("%s: %v, want %v: %s", id, statuses[id], status, got.body)
		}
	}
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprint("x", i)
	}
	want(t, admin.api("POST", "/access-requests/decide", map[string]any{"ids": many, "decision": "refuse", "reason": "x"}), 422)
}

// Who only approves gives what every newcomer gets, and never a role.
func TestG1_ApproversGiveNoMoreThanUsual(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.globex()
	approver, u := s.memberOf("globex", store.RoleUser)
	s.update(func(tx store.Tx) error {
		o, err := s.store.Organizations.Get(tx, "globex")
		o.Approvers, o.AutomaticGroups = []string{u.ID}, []string{"newcomers"}
		if err == nil {
			err = s.store.Organizations.Put(tx, o)
		}
		return err
	})
	r := s.waiting("anna")
	want(t, approver.api("POST", "/access-requests/"+r.ID+"/approve", map[string]any{"role": "admin"}), 403)
	want(t, approver.api("POST", "/access-requests/"+r.ID+"/approve", map[string]any{"groups": []string{"directors"}}), 422)
	want(t, approver.api("POST", "/access-requests/"+r.ID+"/ask", map[string]any{"question": "Who?"}), 200)
	want(t, approver.api("POST", "/access-requests/"+r.ID+"/approve", map[string]any{"groups": []string{"newcomers"}}), 200)
	plain, _ := s.memberOf("globex", store.RoleUser)
	b := s.waiting("ben")
	want(t, plain.api("POST", "/access-requests/"+b.ID+"/approve", map[string]any{}), 403)
	admin, _ := s.memberOf("globex", store.RoleAdmin)
	want(t, admin.api("POST", "/access-requests/"+b.ID+"/approve", map[string]any{"role": "owner"}), 403)
	got := want(t, admin.api("POST", "/access-requests/"+b.ID+"/approve", map[string]any{"role": "admin", "groups": []string{"directors"}}), 200)
	if got.at(t, "role") != "admin" {
		t.Errorf("%s", got.body)
	}
}

// G7 in the console: the page's form names the facts it showed.
func TestG7_DecisionOnFactsThatChanged(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.globex()
	r := s.waiting("anna")
	c := s.browser()
	c.cookie = s.session(s.ownerOf("globex"))
	page := want(t, c.get("/requests/"+r.ID), 200)
	if !strings.Contains(string(page.body), `name="snapshot"`) || !strings.Contains(string(page.body), `id="role-`+r.ID) {
		t.Fatalf("%s", page.body)
	}
	s.update(func(tx store.Tx) error {
		now, err := s.store.AccessRequests.Get(tx, r.ID)
		now.Snapshot.Email, now.ChangedAt = "ceo@globex.example", s.clock.now()
		if err == nil {
			err = s.store.AccessRequests.Put(tx, now)
		}
		return err
	})
	got := c.post("/requests/"+r.ID+"/approve", "/requests/"+r.ID, url.Values{"full": {"yes"}, "role": {"user"}, "snapshot": {"of another time"}})
	if got.status != http.StatusConflict || !strings.Contains(string(got.body), "something else about this person") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestConsoleAsksAndDecidesMany(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.globex()
	a, b, d := s.waiting("anna"), s.waiting("ben"), s.waiting("dora")
	c := s.browser()
	c.cookie = s.session(s.ownerOf("globex"))
	if got := c.post("/requests/"+a.ID+"/ask", "/requests/"+a.ID, url.Values{"question": {"Which\r\nteam?"}}); got.status != 303 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if page := c.get("/requests/" + a.ID); !strings.Contains(string(page.body), "Which team?") {
		t.Errorf("%s", page.body)
	}
	if got := c.post("/requests", "/requests", url.Values{"do": {"approve"}}); got.status != 422 {
		t.Errorf("nothing chosen: %d", got.status)
	}
	if got := c.post("/requests", "/requests", url.Values{"do": {"refuse"}, "request": {a.ID}}); got.status != 422 {
		t.Errorf("no reason: %d", got.status)
	}
	if got := c.post("/requests", "/requests", url.Values{"do": {"approve"}, "request": {a.ID, b.ID}}); got.status != 303 {
		t.Errorf("%d %s", got.status, got.body)
	}
	got := c.post("/requests", "/requests", url.Values{"do": {"refuse"}, "reason": {"No."}, "request": {a.ID, d.ID}})
	if got.status != 409 || !strings.Contains(string(got.body), "1 of 2 are decided.") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestDecisionLink(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.globex()
	r := s.waiting("anna")
	owner, other := s.ownerOf("globex"), s.ownerOf("globex")
	link := func(user string, life time.Duration) (token string) {
		token = store.NewID() + store.NewID()
		s.update(func(tx store.Tx) error {
			return s.store.DecisionLinks.Insert(tx, store.DecisionLink{Hash: store.HashToken(token), RequestID: r.ID, UserID: user, ExpiresAt: s.clock.now().Add(life)})
		})
		return token
	}
	mine, stolen, old := link(owner, time.Hour), link(owner, time.Hour), link(owner, -time.Second)
	// Nobody is signed in: sign in first, then come back.
	stranger := s.browser()
	if got := stranger.get("/decide/" + mine); got.status != 303 || !strings.HasPrefix(got.header.Get("Location"), "/signin?next=") {
		t.Errorf("%d %s", got.status, got.header.Get("Location"))
	}
	c := s.browser()
	c.cookie = s.session(owner)
	for range 2 { // looking decides nothing and uses nothing up
		if got := c.get("/decide/" + mine); got.status != 303 || got.header.Get("Location") != "/requests/"+r.ID {
			t.Errorf("%d %s", got.status, got.header.Get("Location"))
		}
	}
	thief := s.browser()
	thief.cookie = s.session(other)
	if got := thief.get("/decide/" + stolen); got.status != http.StatusGone || !strings.Contains(string(got.body), "mailed to somebody else") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := c.get("/decide/" + stolen); got.status != http.StatusGone || !strings.Contains(string(got.body), "opened by another account") {
		t.Errorf("%d %s", got.status, got.body)
	}
	for name, token := range map[string]string{"expired": old, "unknown": "nothing"} {
		if got := c.get("/decide/" + token); got.status != http.StatusGone {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	outsider := s.browser()
	outsider.cookie = s.session(s.user("").ID)
	if got := outsider.get("/decide/" + old); got.status != http.StatusGone || strings.Contains(string(got.body), "pending") {
		t.Errorf("somebody without rights: %d %s", got.status, got.body)
	}
	if got := c.post("/requests/"+r.ID+"/approve", "/requests/"+r.ID, nil); got.status != 303 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got := c.get("/decide/" + mine); got.status != http.StatusGone || !strings.Contains(string(got.body), "approved") {
		t.Errorf("after the decision: %d %s", got.status, got.body)
	}
}
