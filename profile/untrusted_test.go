package profile

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestV4_UntrustedTextInLogs(t *testing.T) {
	t.Parallel()
	u := Untrusted("a\r\nlevel=ERROR msg=forged \x1b[31m\u202e" + strings.Repeat("x", 10_000))
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("m", "u", u)
	//lint:ignore S1025 what the verb makes of it is the test
	for name, line := range map[string]string{"slog": strings.TrimSuffix(b.String(), "\n"), "%v": fmt.Sprintf("%v", u), "%s": fmt.Sprintf("%s", u)} {
		if strings.ContainsAny(line, "\r\n\x1b") || strings.Contains(line, "\u202e") || len(line) > 600 {
			t.Errorf("%s: %q", name, line[:min(len(line), 300)])
		}
	}
}

func TestV1_Clean(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   Untrusted
		max  int
		want string
	}{
		{"plain", 10, "plain"},
		{"a\u202eb\u2066c", 10, "abc"},
		{"a\x00b\tc\nd", 10, "ab c d"},
		{"äöü", 4, "…"},
		{"äöüäöü", 9, "äöü…"},
		{"", 5, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "…"},
		{"abcd", 2, "ab"},
		{"\xff", 5, "\ufffd"},
		{"👩‍🚀", 20, "👩‍🚀"},
		{"<b>", 5, "<b>"},
		{"abc", 0, ""},
	} {
		if got := c.in.Clean(c.max); got != c.want {
			t.Errorf("%q cut to %d: got %q, want %q", string(c.in), c.max, got, c.want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\u202e\xff", 5)
	f.Fuzz(func(t *testing.T, s string, max int) {
		max &= 0xfff
		got := Untrusted(s).Clean(max)
		if len(got) > max || !utf8.ValidString(got) || strings.ContainsFunc(got, hidden) {
			t.Fatalf("%q cut to %d gave %q", s, max, got)
		}
	})
}
