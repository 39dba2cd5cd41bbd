package profile

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// agree runs a query by steps and by the library.
func agree(t *testing.T, text string, doc *document) (walked bool) {
	t.Helper()
	q, faults := compileQuery(text)
	if faults != nil || q.steps == nil {
		return false
	}
	got, gotErr := q.run(doc)
	want, wantErr := q.runLibrary(doc)
	if len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
		t.Fatalf("%q: walker %v, %v; library %v, %v", text, got, gotErr, want, wantErr)
	}
	if q.singular != (!strings.Contains(fmt.Sprint(q.steps), fmt.Sprint(step{kind: stepAll}))) {
		t.Fatalf("%q: singular %v, steps %v", text, q.singular, q.steps)
	}
	return true
}

func TestWalk(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"$", "a", "a.b", "$[0]", "$[-1]", "$.a[-3]", "$[*]", "$.*", "a[*].b", "$.*.*", "$['a'][*][0].*", "$['\\ud83d\\ude00']"} {
		q, faults := compileQuery(path)
		if faults != nil || q.steps == nil {
			t.Errorf("%s is not walked: %v", path, faults)
		}
	}
	for _, path := range []string{"$..a", "$[0,1]", "$[0:1]", "$[?@.a]", "$.a[?@]", "$['a','a']", "$..*"} {
		q, faults := compileQuery(path)
		if faults != nil || q.steps != nil {
			t.Errorf("%s is walked: %v, %v", path, q, faults)
		}
	}
	// Random documents and paths over the same few names.
	r := rand.New(rand.NewPCG(3, 9535))
	walked := 0
	for range 20_000 {
		path := "$"
		for range r.IntN(6) {
			path += []string{"[*]", ".a", ".b", "['B']", "[0]", "[1]", "[-1]", "[-2]", "[7]", ".*", "['']"}[r.IntN(11)]
		}
		if agree(t, path, &document{value: randomValue(r, 5)}) {
			walked++
		}
	}
	if walked != 20_000 {
		t.Errorf("%d paths were walked", walked)
	}
	list := make([]any, maxNodesFound+1)
	for _, v := range []any{list, list[1:], []any{list, list}, map[string]any{"b": list, "a": nil}} {
		agree(t, "$[*]", &document{value: v})
		agree(t, "$[*][*]", &document{value: v})
	}
}

func randomValue(r *rand.Rand, depth int) any {
	kind := r.IntN(8)
	if depth == 0 {
		kind = r.IntN(4)
	}
	switch kind {
	case 0:
		return nil
	case 1:
		return r.IntN(2) == 0
	case 2:
		return ""
	case 3:
		return fmt.Sprint(r.IntN(1000))
	case 4, 5:
		list := make([]any, r.IntN(4))
		for i := range list {
			list[i] = randomValue(r, depth-1)
		}
		return list
	}
	object := map[string]any{}
	for range r.IntN(4) {
		object[[]string{"a", "b", "B", "", "0", "-1", "*"}[r.IntN(7)]] = randomValue(r, depth-1)
	}
	return object
}

// The walker gives what the library gives, for any query it takes on and any
// document.
func FuzzWalk(f *testing.F) {
	for _, path := range []string{"a.b[0]", "$.*[-1]", "$[*][*].a", "$['\\u0061']", "$ .a [ 0 ]", "$[-9007199254740991]"} {
		f.Add(path, []byte(`{"a":{"b":["x",null]},"c":[[{"a":1}],[]]}`))
	}
	f.Fuzz(func(t *testing.T, path string, raw []byte) {
		v, depth, err := parseJSON(raw, Limits{})
		if err != nil {
			return
		}
		agree(t, path, &document{value: v, bytes: len(raw), depth: depth})
	})
}
