package admin_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/broker/admin"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// TestB5_Cursors: opaque, sealed, bound to list and filter.
func TestB5_Cursors(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(store.RoleAdmin)
	for i := range 7 {
		want(t, c.api("POST", "/organizations", map[string]any{"id": fmt.Sprintf("org-%d", i), "title": "Org"}), http.StatusCreated)
	}
	seen := map[string]bool{}
	var cursors []string
	for next := ""; ; {
		page := want(t, c.api("GET", "/organizations?limit=3&cursor="+url.QueryEscape(next), nil), http.StatusOK).json(t)
		for _, item := range page["items"].([]any) {
			id := item.(map[string]any)["id"].(string)
			if seen[id] {
				t.Errorf("%s twice", id)
			}
			seen[id] = true
		}
		var more bool
		if next, more = page["next"].(string); !more {
			break
		}
		cursors = append(cursors, next)
	}
	if len(seen) != 7 || len(cursors) != 2 {
		t.Fatalf("saw %d in %d pages", len(seen), len(cursors)+1)
	}
	good := cursors[0]
	if strings.Contains(good, "org-") {
		t.Error("the cursor shows a key")
	}
	forged := []string{"b3JnLTM", "x", "../../etc", good[:len(good)-2], good + "AA", string(good[0]^1) + good[1:], strings.ToUpper(good), strings.Repeat("A", 3000), "%00", good + "\n"}
	for _, path := range []string{"/organizations", "/users", "/clients", "/connections", "/domains", "/sessions", "/grants", "/access-requests", "/audit", "/tokens"} {
		for _, cursor := range forged {
			a := c.api("GET", path+"?cursor="+url.QueryEscape(cursor), nil)
			if a.status != http.StatusBadRequest && a.status != http.StatusUnprocessableEntity {
				t.Errorf("%s with %q: got %d", path, cursor, a.status)
			}
		}
		if path != "/organizations" {
			want(t, c.api("GET", path+"?cursor="+url.QueryEscape(good), nil), http.StatusBadRequest)
		}
	}
	for _, query := range []string{"sort=id", "limit=0", "limit=-1", "limit=1000000", "limit=x", "filter=1%3D1", "organization[]=x"} {
		want(t, c.api("GET", "/organizations?"+query, nil), http.StatusUnprocessableEntity)
	}
	// A cursor of one filter is no cursor of another.
	for i := range 3 {
		want(t, c.api("POST", "/organizations/org-1/domains", map[string]any{"name": fmt.Sprintf("d%d.example", i)}), http.StatusCreated)
	}
	next := c.api("GET", "/domains?organization=org-1&limit=1", nil).at(t, "next").(string)
	want(t, c.api("GET", "/domains?organization=org-1&limit=1&cursor="+next, nil), http.StatusOK)
	want(t, c.api("GET", "/domains?organization=org-2&limit=1&cursor="+next, nil), http.StatusBadRequest)
	want(t, c.api("GET", "/domains?limit=1&cursor="+next, nil), http.StatusBadRequest)
}

// FuzzCursor: no input opens, and none panics; what was sealed opens again.
func FuzzCursor(f *testing.F) {
	c := admin.NewCursors(storetest.Keyring(f))
	f.Add("list", "key", "x")
	f.Add("users", "a\x00b", c.Encode("other", "key"))
	f.Fuzz(func(t *testing.T, list, key, forged string) {
		if got, err := c.Decode(list, c.Encode(list, key)); err != nil || got != key {
			if len(key) < 1000 {
				t.Fatalf("%q came back as %q: %v", key, got, err)
			}
		}
		if got, err := c.Decode(list+"x", forged); err == nil && forged != "" {
			t.Fatalf("%q opened as %q", forged, got)
		}
	})
}
