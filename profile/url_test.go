package profile

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestH4_URLOfTheProfile(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		path, doc string
		want      string
		err       error
	}{
		{"id", `{"id":"https://login.example/id/00D/005"}`, "https://login.example/id/00D/005", nil},
		{"urls.custom_domain", `{"urls":{"custom_domain":"https://x.test/{version}"}}`, "https://x.test/{version}", nil},
		{"links[0].href", `{"links":[{"href":"/relative?a=b#c"},{"href":"x"}]}`, "/relative?a=b#c", nil},
		{"$.links[-1].href", `{"links":[{"href":"x"},{"href":"y"}]}`, "y", nil},
		{"$['https://example.com/me']", `{"https://example.com/me":"https://x.test"}`, "https://x.test", nil},
		{"id", `{"id":"javascript:alert(1)"}`, "javascript:alert(1)", nil}, // the caller's to refuse
		{"id", `{"url":"x"}`, "", ErrNoURL},
		{"id", `{"id":null}`, "", ErrNoURL},
		{"id", `{"id":""}`, "", ErrNoURL},
		{"id", `{"id":7}`, "", ErrNoURL},
		{"id", `{"id":["https://x.test"]}`, "", ErrNoURL},
		{"id", `{"id":{"url":"https://x.test"}}`, "", ErrNoURL},
		{"id", `{"id":"https://x.test/\r\nHost: evil"}`, "", ErrNoURL},
		{"id", `{"id":" https://x.test/"}`, "", ErrNoURL},
		{"id", `{"id":"https:\\\\evil.test"}`, "", ErrNoURL},
		{"id", `{"id":"https://x.test/\u202e"}`, "", ErrNoURL},
		{"id", `{"id":"https://x.test/\ud800"}`, "", ErrNoURL},
		{"id", `{"id":"` + strings.Repeat("a", 2049) + `"}`, "", ErrNoURL},
		{"id", `{"id":"a","ID":"b"}`, "", ErrJSON},
		{"id", ``, "", ErrJSON},
	} {
		u, err := CompileURL("profile.url_path", tc.path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := u.Find(json.RawMessage(tc.doc))
		if got != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%s of %s: %q, %v; want %q, %v", tc.path, tc.doc, got, err, tc.want, tc.err)
		}
		if err != nil && strings.Contains(err.Error(), "x.test") {
			t.Errorf("the error repeats the response: %v", err)
		}
	}
	for _, path := range []string{"", "links[*]", "$..url", "$.a[?@.b]", "$['a','b']", ".id", "$[0:1]"} {
		u, err := CompileURL("profile.url_path", path)
		var f *FieldError
		if u != nil || !errors.As(err, &f) || f.Path != "profile.url_path" || f.Problem == "" || f.Fix == "" {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func FuzzURLSelector(f *testing.F) {
	f.Add("id", []byte(`{"id":"https://x.test/a"}`))
	f.Fuzz(func(t *testing.T, path string, doc []byte) {
		u, err := CompileURL("f", path)
		if err != nil {
			return
		}
		got, err := u.Find(doc)
		if (got == "") == (err == nil) || len(got) > maxProfileURL || strings.ContainsAny(got, " \r\n\t\x00\\") {
			t.Fatalf("%q, %v", got, err)
		}
	})
}
