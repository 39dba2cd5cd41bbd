package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestJ15_DuplicateAndCaseVariantMembers(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		`{"sub":"a","sub":"b"}`, `{"sub":"a","SUB":"b"}`, `{"email":"a","Email":"b"}`, `{"Email":"a","email":"b"}`,
		`{"a":{"x":1,"x":2}}`, `[{"x":1,"X":2}]`, `{"sub":1,"s\u0075b":2}`, `{"key":1,"\u212aey":2}`, `{"s":1,"ſ":2}`,
		`{"":1,"":2}`, `{"A":1,"b":2,"a":3}`, `{"é":1,"É":2}`, `{"\ud800":1,"\ud801":2}`,
	} {
		if v, err := ParseJSON([]byte(in), Limits{}); !errors.Is(err, ErrJSONDuplicate) {
			t.Errorf("%s: got %v, %v", in, v, err)
		}
	}
	got, err := ParseJSON([]byte(`{"SUB":"x","sub2":{"a":1},"list":[{"a":1},{"a":1}]}`), Limits{})
	if err != nil || got.(map[string]any)["SUB"] != "x" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestX1_Depth(t *testing.T) {
	t.Parallel()
	nest := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	for _, c := range []struct {
		n      int
		limits Limits
		ok     bool
	}{
		{32, Limits{}, true},
		{33, Limits{}, false},
		{64, WideLimits(), true},
		{65, WideLimits(), false},
		{10_001, WideLimits(), false},
		{20_000, WideLimits(), false},
		{400_000, WideLimits(), false},
	} {
		_, err := ParseJSON(nest(c.n), c.limits)
		if c.ok != (err == nil) || !c.ok && !errors.Is(err, ErrJSONDepth) {
			t.Errorf("depth %d: %v", c.n, err)
		}
	}
	objects := strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65)
	if _, err := ParseJSON([]byte(objects), WideLimits()); !errors.Is(err, ErrJSONDepth) {
		t.Errorf("objects: %v", err)
	}
}

func TestX8_SizeAndText(t *testing.T) {
	t.Parallel()
	big := []byte(`"` + strings.Repeat("a", 1<<20) + `"`)
	for name, c := range map[string]struct {
		in     []byte
		limits Limits
		want   error
	}{
		"1 MiB and more":       {big, WideLimits(), ErrJSONSize},
		"64 KiB and more":      {big[:1<<16+1], Limits{}, ErrJSONSize},
		"many values":          {[]byte("[" + strings.Repeat("0,", 200_000) + "0]"), WideLimits(), ErrJSONSize},
		"invalid UTF-8":        {[]byte("{\"a\":\"\xff\"}"), Limits{}, ErrJSONText},
		"surrogate as UTF-8":   {[]byte("\"\xed\xa0\x80\""), Limits{}, ErrJSONText},
		"invalid UTF-8 name":   {[]byte("{\"\xff\":1}"), Limits{}, ErrJSONText},
		"byte order mark":      {[]byte("\ufeff{}"), Limits{}, ErrJSONSyntax},
		"nothing":              {nil, Limits{}, ErrJSONSyntax},
		"two values":           {[]byte(`{} {}`), Limits{}, ErrJSONSyntax},
		"HTML":                 {[]byte(`<html>`), Limits{}, ErrJSONSyntax},
		"trailing comma":       {[]byte(`[1,]`), Limits{}, ErrJSONSyntax},
		"cut":                  {[]byte(`{"a":`), Limits{}, ErrJSONSyntax},
		"NaN":                  {[]byte(`NaN`), Limits{}, ErrJSONSyntax},
		"leading zero":         {[]byte(`01`), Limits{}, ErrJSONSyntax},
		"control in a text":    {[]byte("\"a\nb\""), Limits{}, ErrJSONSyntax},
		"single quotes":        {[]byte(`{'a':1}`), Limits{}, ErrJSONSyntax},
		"comment":              {[]byte(`{} // x`), Limits{}, ErrJSONSyntax},
		"name is not a string": {[]byte(`{1:2}`), Limits{}, ErrJSONSyntax},
	} {
		v, err := ParseJSON(c.in, c.limits)
		if !errors.Is(err, c.want) || !errors.Is(err, ErrJSON) || v != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	got, err := ParseJSON([]byte(`{"a":"x\ud800y","n":1e400,"i":9007199254740993}`), Limits{})
	want := map[string]any{"a": "x\ufffdy", "n": json.Number("1e400"), "i": json.Number("9007199254740993")}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestJSONErrorsHoldNoText(t *testing.T) {
	t.Parallel()
	for _, in := range []string{`{"canary-name":1,"canary-name":2}`, `{"a":"canary-name" canary}`, `canary`} {
		if _, err := ParseJSON([]byte(in), Limits{}); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,"x",null,true,{"b":1.5e3}]}`, `{"a":1,"A":2}`, `"\ud800"`, "\"\xff\"", `[[[[]]]]`, ` 1 `} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := ParseJSON(b, Limits{Bytes: 4096, Depth: 16})
		if err != nil {
			if !errors.Is(err, ErrJSON) {
				t.Fatalf("error of no kind: %v", err)
			}
			return
		}
		// The standard library must read the same.
		dec := json.NewDecoder(bytes.NewReader(b))
		dec.UseNumber()
		var want any
		if err := dec.Decode(&want); err != nil {
			t.Fatalf("%q: accepted, encoding/json says %v", b, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: read as %#v, encoding/json as %#v", b, got, want)
		}
	})
}

func BenchmarkParseJSON2K(b *testing.B) {
	doc := profile2K()
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if _, err := ParseJSON(doc, WideLimits()); err != nil {
			b.Fatal(err)
		}
	}
}

// profile2K is a profile of about 2 KB.
func profile2K() []byte {
	var b bytes.Buffer
	b.WriteString(`{"sub":"248289761001","id":1234567890123456789,"name":{"first":"Jane","last":"Doe","display":"Jane Doe"},"email":["jane@acme.test","j@acme.test"],"email_verified":true,"phones":[{"type":"work","number":"+1 555"},{"type":"home","number":"+1 556"}],"groups":[`)
	for i := range 40 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"id":"0123456789","name":"group ` + string(rune('a'+i%26)) + `"}`)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}
