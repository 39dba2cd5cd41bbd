package admin_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// withoutPrecondition are changes that take no If-Match, and why.
func withoutPrecondition() map[string]string {
	const list = "adds to a list"
	const noMeta = "the thing has no revision: it is there or it is not"
	return map[string]string{
		"change-own-password": "asks for the current password", "delete-token": noMeta, "end-session": noMeta, "end-grant": noMeta,
		"create-token": list, "delete-mail": noMeta, "reset-second-factor": "takes away what there is", "remove-local-credentials": "takes away what there is",
	}
}

// TestOpenAPI_Structure: the document is whole: every reference leads somewhere,
// every wildcard has its parameter, every operation an answer; changes of what
// has a revision take If-Match, every POST an Idempotency-Key, lists a cursor.
func TestOpenAPI_Structure(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	raw := want(t, (&caller{s: s}).api("GET", "/openapi.json", nil), http.StatusOK).body
	var doc struct {
		OpenAPI string `json:"openapi"`
		Info    struct{ Title, Version string }
		Paths   map[string]map[string]struct {
			ID         string `json:"operationId"`
			Summary    string
			Parameters []struct{ Name, In string }
			Responses  map[string]any
		}
		Components struct {
			Schemas map[string]any
		}
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Info.Title == "" || doc.Info.Version == "" {
		t.Error("no title or version")
	}
	for _, m := range regexp.MustCompile(`"\$ref":"([^"]+)"`).FindAllStringSubmatch(string(raw), -1) {
		name, ok := strings.CutPrefix(m[1], "#/components/schemas/")
		if _, there := doc.Components.Schemas[name]; !ok || !there {
			t.Errorf("%s leads nowhere", m[1])
		}
	}
	seen := map[string]bool{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			has := func(name, in string) bool {
				return slices.ContainsFunc(op.Parameters, func(p struct{ Name, In string }) bool { return p.Name == name && p.In == in })
			}
			where := strings.ToUpper(method) + " " + path
			if op.ID == "" || seen[op.ID] || op.Summary == "" || len(op.Responses) == 0 {
				t.Errorf("%s: operation id %q, summary %q, %d answers", where, op.ID, op.Summary, len(op.Responses))
			}
			seen[op.ID] = true
			for _, m := range regexp.MustCompile(`\{([^}]+)\}`).FindAllStringSubmatch(path, -1) {
				if !has(m[1], "path") {
					t.Errorf("%s has no parameter for %s", where, m[0])
				}
			}
			if method == "post" && !has("Idempotency-Key", "header") {
				t.Errorf("%s takes no Idempotency-Key", where)
			}
			if strings.HasPrefix(op.ID, "list-") && has("limit", "query") != has("cursor", "query") {
				t.Errorf("%s has a limit without a cursor", where)
			}
			changes := method == "put" || method == "patch" || method == "delete"
			if changes && !has("If-Match", "header") && withoutPrecondition()[op.ID] == "" {
				t.Errorf("%s takes no If-Match", where)
			}
		}
	}
}
