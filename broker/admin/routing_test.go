package admin_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"gatehouse/store"
)

func TestRouting_ExplainAndLint(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.globex()
	admin := s.as(store.RoleAdmin)
	a := want(t, admin.api("GET", "/routes/explain?address=Alice@GLOBEX.example", nil), http.StatusOK)
	if a.at(t, "rule") != "globex.example" || !strings.Contains(string(a.body), `"candidates":["globex"]`) || !strings.Contains(string(a.body), `"reason":"won"`) {
		t.Errorf("got %s", a.body)
	}
	a = want(t, admin.api("GET", "/routes/explain?address=a@nobody.example", nil), http.StatusOK)
	if !strings.Contains(string(a.body), `"candidates":[],"considered":[]`) {
		t.Errorf("got %s", a.body)
	}
	for query, field := range map[string]string{
		"address=a": "address", "": "address", "address=a@globex.example&client=nobody": "client",
	} {
		a := want(t, admin.api("GET", "/routes/explain?"+query, nil), http.StatusUnprocessableEntity)
		if !strings.Contains(string(a.body), "."+field+`"`) {
			t.Errorf("%s: got %s", query, a.body)
		}
	}
	a = want(t, admin.api("GET", "/routes/lint", nil), http.StatusOK)
	if strings.Contains(string(a.body), `"items":null`) {
		t.Errorf("got %s", a.body)
	}
	nobody := &caller{s: s}
	for _, path := range []string{"/routes/explain?address=a@globex.example", "/routes/lint", "/schemas/connection.json", "/presets"} {
		want(t, nobody.api("GET", path, nil), http.StatusUnauthorized)
	}
	member := s.as("")
	want(t, member.api("GET", "/routes/lint", nil), http.StatusForbidden)
	a = want(t, member.api("GET", "/schemas/connection.json", nil), http.StatusOK)
	if !json.Valid(a.body) || a.header.Get("Content-Type") != "application/schema+json" || !strings.Contains(string(a.body), `"writeOnly": true`) {
		t.Errorf("%v: %.200s", a.header, a.body)
	}
	a = want(t, member.api("GET", "/presets", nil), http.StatusOK)
	if strings.Count(string(a.body), `"checked"`) != 18 {
		t.Errorf("got %.200s", a.body)
	}
}
