package federation

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gatehouse/federation/mockidp"
	"gatehouse/store"
)

// Each file of testdata/scenarios is one kind of provider: its configuration
// (idp), the connection that describes it (JSON as the API takes it) and what a
// login must come to. $IDP is the provider's address. The lines of expect:
//
//	subject <text> · issuer <text> · email <address> · verified absent|true|false
//	attribute <name> <value>         of the identity; custom ones joined by commas
//	count <endpoint> <n>             requests at the provider
//	sent <endpoint> query|form|header <name> <value>
//	unsent <endpoint> <name>
//	auth <endpoint> <scheme>         of the Authorization header; - for none
func TestScenarios(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/scenarios/*.txt")
	if err != nil || len(files) < 11 {
		t.Fatalf("%d scenarios, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parts := sections(string(raw))
			cfg, err := mockidp.ParseConfig([]byte(parts["idp"]))
			if err != nil {
				t.Fatal(err)
			}
			cfg.AutoLogin = "alice"
			w := newWorld(t, cfg)
			var kind struct{ Kind store.ConnectionKind }
			if err := json.Unmarshal([]byte(parts["connection"]), &kind); err != nil {
				t.Fatal(err)
			}
			if kind.Kind == store.KindOAuth2 {
				w.conn = plainConnection(w.idp.URL)
				w.conn.Profile, w.conn.Selectors = store.ProfileSource{}, store.Connection{}.Selectors
			}
			if err := json.Unmarshal([]byte(strings.ReplaceAll(parts["connection"], "$IDP", w.idp.URL)), &w.conn); err != nil {
				t.Fatal(err)
			}
			w.set(func(*store.Connection) {})
			d, err := w.depart(DepartRequest{})
			if err != nil {
				t.Fatal(err)
			}
			var params url.Values
			if w.conn.ResponseMode == "form_post" {
				params = w.posted(d)
			} else {
				params = w.visit(d)
			}
			id, err := w.Return(t.Context(), w.conn, d.Flow, params)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(parts["expect"]) {
				if line = strings.TrimSpace(line); line != "" {
					if problem := w.expect(id, strings.ReplaceAll(line, "$IDP", w.idp.URL)); problem != "" {
						t.Errorf("%s: %s", line, problem)
					}
				}
			}
		})
	}
}

// sections splits a file at its "-- name --" lines; what stands before is comment.
func sections(text string) map[string]string {
	out, name := map[string]string{}, ""
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "-- "); ok {
			name, _, _ = strings.Cut(rest, " --")
			continue
		}
		if name != "" {
			out[name] += line
		}
	}
	return out
}

// expect holds one line against what came of the login; "" is fine.
func (w *world) expect(id VerifiedIdentity, line string) string {
	words := strings.SplitN(line, " ", 5)
	word := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	rest := func(n int) string {
		all := strings.SplitN(line, " ", n+1)
		return all[len(all)-1]
	}
	got, want := "", ""
	switch words[0] {
	case "subject":
		got, want = id.Subject(), rest(1)
	case "issuer":
		got, want = id.Issuer(), rest(1)
	case "email":
		got, want = id.Email().String(), rest(1)
	case "verified":
		got, want = id.EmailVerified().String(), rest(1)
	case "attribute":
		raw, err := json.Marshal(id.Attributes())
		if err != nil {
			return err.Error()
		}
		var all map[string]any
		if err := json.Unmarshal(raw, &all); err != nil {
			return err.Error()
		}
		if name, custom := strings.CutPrefix(word(1), "custom."); custom {
			got, want = strings.Join(id.Attributes().Custom[name], ","), rest(2)
		} else {
			got, want = fmt.Sprint(all[word(1)]), rest(2)
		}
	case "count":
		got, want = strconv.Itoa(w.count(word(1))), word(2)
	case "sent":
		q := w.last(word(1))
		values := map[string]map[string][]string{"query": q.Query, "form": q.Form, "header": q.Header}[word(2)]
		got, want = strings.Join(values[word(3)], ","), word(4)
	case "unsent":
		q := w.last(word(1))
		got = strings.Join(slices.Concat(q.Query[word(2)], q.Form[word(2)]), ",")
	case "auth":
		if got, want = w.last(word(1)).Authorization, word(2); got == "" {
			got = "-"
		}
	default:
		return "is no expectation"
	}
	if got != want {
		return fmt.Sprintf("got %q", got)
	}
	return ""
}
