package e2e

import (
	"net/http"
	"sync"
	"testing"
)

// at64 does something 64 times at once.
func at64(do func(i int) answer) []answer {
	answers := make([]answer, 64)
	var ready, done sync.WaitGroup
	gate := make(chan struct{})
	for i := range answers {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-gate
			answers[i] = do(i)
		})
	}
	ready.Wait()
	close(gate)
	done.Wait()
	return answers
}

func TestSingleUse_CodeTwice(t *testing.T) {
	t.Parallel()
	a := shared.web(t)
	b, r := a.browser(shared), a.authorization()
	code := a.code(a.signIn(b, r, shared.person(t, "acme.test")), r)
	first := a.redeem(code, r.verifier)
	if first.status != http.StatusOK {
		t.Fatalf("first use: got %d %s", first.status, first.body)
	}
	if got := a.redeem(code, r.verifier); got.status != http.StatusBadRequest || got.text("error") != "invalid_grant" {
		t.Errorf("second use: got %d %s, want 400 invalid_grant", got.status, got.body)
	}
	if a.active(first.text("access_token")) {
		t.Error("the access token of the first use is alive")
	}
	if got := a.userinfo(first.text("access_token")); got.status != http.StatusUnauthorized {
		t.Errorf("userinfo: got %d, want 401", got.status)
	}
	if got := a.refresh(first.text("refresh_token")); got.text("error") != "invalid_grant" {
		t.Errorf("refresh: got %d %s, want invalid_grant", got.status, got.body)
	}
}

func TestSingleUse_64Redemptions(t *testing.T) {
	t.Parallel()
	a := shared.web(t)
	b, r := a.browser(shared), a.authorization()
	code := a.code(a.signIn(b, r, shared.person(t, "acme.test")), r)
	won := 0
	for i, got := range at64(func(int) answer { return a.redeem(code, r.verifier) }) {
		switch {
		case got.status == http.StatusOK:
			won++
		case got.status != http.StatusBadRequest || got.text("error") != "invalid_grant":
			t.Errorf("redemption %d: got %d %s, want 200 or invalid_grant", i, got.status, got.body)
		}
	}
	if won != 1 {
		t.Errorf("%d redemptions won, want exactly 1", won)
	}
}

// TestSingleUse_64Refreshes: the same refresh token 64 times at once is a phone
// repeating itself. Whoever gets an answer gets the same successor: the family
// never forks, and it is still alive afterwards.
func TestSingleUse_64Refreshes(t *testing.T) {
	t.Parallel()
	a := shared.native(t)
	token := a.tokens(a.browser(shared), shared.person(t, "acme.test")).text("refresh_token")
	successors := map[string]int{}
	for i, got := range at64(func(int) answer { return a.refresh(token) }) {
		switch {
		case got.status == http.StatusOK:
			successors[got.text("refresh_token")]++
		case got.status != http.StatusBadRequest || got.text("error") != "invalid_grant":
			t.Errorf("refresh %d: got %d %s, want 200 or invalid_grant", i, got.status, got.body)
		}
	}
	if len(successors) != 1 {
		t.Fatalf("got successors %v, want exactly one", successors)
	}
	for next := range successors {
		got := a.refresh(next)
		if got.status != http.StatusOK {
			t.Errorf("the successor: got %d %s, want 200", got.status, got.body)
		}
		// Two generations back is theft, not a repeat: the grant ends.
		if got := a.refresh(token); got.text("error") != "invalid_grant" {
			t.Errorf("the old token after its successor was used: got %d %s, want invalid_grant", got.status, got.body)
		}
		if got := a.refresh(got.text("refresh_token")); got.text("error") != "invalid_grant" {
			t.Errorf("the newest token after reuse: got %d %s, want invalid_grant", got.status, got.body)
		}
	}
}

// TestSingleUse_PKCEFailureBurnsTheCode: a wrong verifier spends the code.
func TestSingleUse_PKCEFailureBurnsTheCode(t *testing.T) {
	t.Parallel()
	for name, verifier := range map[string]string{"wrong verifier": "0123456789012345678901234567890123456789012", "no verifier": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := shared.web(t)
			b, r := a.browser(shared), a.authorization()
			code := a.code(a.signIn(b, r, shared.person(t, "acme.test")), r)
			if got := a.redeem(code, verifier); got.text("error") != "invalid_grant" {
				t.Errorf("got %d %s, want invalid_grant", got.status, got.body)
			}
			if got := a.redeem(code, r.verifier); got.text("error") != "invalid_grant" {
				t.Errorf("the right verifier afterwards: got %d %s, want invalid_grant", got.status, got.body)
			}
		})
	}
}
