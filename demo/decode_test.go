package demo

import (
	"encoding/json"
	"testing"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{"": false, "a.b": false, "a.b.c": false, "e30.e30.": true, "e30.e30.x": true, "e30.bm8.x": false, "e30.e30.x.y": false} {
		if _, ok := decode(in); ok != want {
			t.Errorf("decode(%q): %v, want %v", in, ok, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("e30.e30.x")
	f.Add("eyJhIjoxfQ.eyJiIjoxLjB9.")
	f.Fuzz(func(t *testing.T, s string) {
		if out, ok := decode(s); ok && !json.Valid([]byte(out)) {
			t.Errorf("%q became %q", s, out)
		}
	})
}
