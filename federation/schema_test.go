package federation

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/invopop/jsonschema"

	"gatehouse/profile"
	"gatehouse/store"
)

var updateGolden = flag.Bool("update", false, "write connection.schema.json and docs/connections.md anew")

// fieldRow is a row of connection.fields.yaml.
type fieldRow struct {
	Field     string   `yaml:"field"`
	Says      string   `yaml:"says"`
	Example   any      `yaml:"example"`
	Enum      []string `yaml:"enum"`
	Default   string   `yaml:"default"`
	WriteOnly bool     `yaml:"writeOnly"`
}

func fieldRows(t testing.TB) []fieldRow {
	t.Helper()
	raw, err := os.ReadFile("connection.fields.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var rows []fieldRow
	if err := yaml.NewDecoder(bytes.NewReader(raw), yaml.Strict()).Decode(&rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestConnectionSchema holds the schema and docs/connections.md to
// store.Connection and connection.fields.yaml: a field without a row fails, and
// so does a row without a field.
func TestConnectionSchema(t *testing.T) {
	t.Parallel()
	rows := fieldRows(t)
	used := map[string]bool{}
	schema := reflectConnection()
	describe(t, schema, "", rows, used)
	for _, r := range rows {
		if !used[r.Field] {
			t.Errorf("connection.fields.yaml: %s is no field of a connection", r.Field)
		}
	}
	schema.ID, schema.Version = "", "https://json-schema.org/draft/2020-12/schema"
	schema.Title, schema.Description = "Gatehouse connection", "One upstream identity provider, as people write it. Explained in docs/connections.md."
	out, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	goldenFile(t, "connection.schema.json", append(out, '\n'))
	goldenFile(t, "../docs/connections.md", connectionsDoc(t, rows))
}

func goldenFile(t *testing.T, path string, want []byte) {
	t.Helper()
	if *updateGolden {
		if err := os.WriteFile(path, want, 0o644); err != nil { //nolint:gosec // a document
			t.Fatal(err)
		}
		return
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is out of date (%v): go test ./federation -run TestConnectionSchema -update", path, err)
	}
}

// reflectConnection is the schema of the struct alone.
func reflectConnection() *jsonschema.Schema {
	r := jsonschema.Reflector{
		DoNotReference: true, Anonymous: true,
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			if t == reflect.TypeFor[store.Sealed]() {
				return &jsonschema.Schema{Type: "string"}
			}
			return nil
		},
	}
	s := r.Reflect(&store.Connection{})
	s.Properties.Delete("created_at")
	s.Properties.Delete("updated_at")
	s.Properties.Delete("revision")
	return s
}

// describe adds rows to a schema and what is below it.
func describe(t *testing.T, s *jsonschema.Schema, path string, rows []fieldRow, used map[string]bool) {
	t.Helper()
	required := map[string][]string{
		"": {"id", "organization", "title"}, "parameters[]": {"name", "source", "value", "in"}, "apple": {"team_id", "key_id"},
	}
	if path != "" {
		i := slices.IndexFunc(rows, func(r fieldRow) bool { return r.Field == path })
		if i < 0 {
			t.Errorf("connection.fields.yaml has no row for %s", path)
			return
		}
		row := rows[i]
		used[path] = true
		if row.Says == "" || row.Example == nil {
			t.Errorf("connection.fields.yaml: %s says nothing, or has no example", path)
		}
		s.Description, s.Examples, s.WriteOnly = row.Says, []any{row.Example}, row.WriteOnly
		for _, word := range row.Enum {
			s.Enum = append(s.Enum, word)
		}
		if row.Default != "" {
			s.Default = row.Default
		}
	}
	s.Required = required[path]
	selector := false
	if s.Properties != nil {
		_, selector = s.Properties.Get("path")
	}
	if selector {
		s.Required = []string{"path"}
	}
	if s.Properties != nil {
		for p := s.Properties.Oldest(); p != nil; p = p.Next() {
			name := p.Key
			switch {
			case selector:
				name = "selector." + name
			case path != "":
				name = path + "." + name
			}
			describe(t, p.Value, name, rows, used)
		}
	}
	if s.Items != nil {
		describe(t, s.Items, path+"[]", rows, used)
	}
	if a := s.AdditionalProperties; a != nil && a.Type != "" {
		describe(t, a, path+".<name>", rows, used)
	}
	if s.Type == "object" && (s.AdditionalProperties == nil || s.AdditionalProperties.Type == "") {
		s.AdditionalProperties = jsonschema.FalseSchema
	}
}

func connectionsDoc(t *testing.T, rows []fieldRow) []byte {
	t.Helper()
	head, err := os.ReadFile("testdata/connections.head.md")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.Write(head)
	b.WriteString("\n## Fields\n\n| field | what it says | values | example |\n|---|---|---|---|\n")
	cell := func(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
	for _, r := range rows {
		if strings.HasSuffix(r.Field, "[]") && r.Enum == nil || strings.HasSuffix(r.Field, ".<name>") {
			continue // the list's row says it
		}
		var values []string
		for _, word := range r.Enum {
			if word == r.Default {
				word = "**" + word + "**"
			}
			values = append(values, word)
		}
		if r.Enum == nil && r.Default != "" {
			values = []string{"**" + r.Default + "**"}
		}
		example, err := json.Marshal(r.Example)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | `%s` |\n", r.Field, cell(r.Says), strings.Join(values, ", "), cell(string(example)))
	}
	b.WriteString("\nA default is **bold**. Fields that are absent take it, or are empty.\n\n## Presets\n\n| preset | provider | kind | to fill in | how far checked |\n|---|---|---|---|---|\n")
	for _, p := range Presets() {
		var blanks []string
		for _, x := range p.Blanks {
			blanks = append(blanks, x.Title)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", p.Name, p.Title, p.Connection["kind"], strings.Join(blanks, ", "), cell(p.Checked))
	}
	b.WriteString("\nEach is a file in `federation/presets`, with notes that the console shows and the pages it was read from.\n")
	return []byte(b.String())
}

// TestConnectionSchema_Examples: what the table shows is what the schema takes.
func TestConnectionSchema_Examples(t *testing.T) {
	t.Parallel()
	for _, r := range fieldRows(t) {
		if strings.ContainsAny(r.Field, "[<.") {
			continue // inside another's example, or as simple as a text
		}
		raw, err := json.Marshal(map[string]any{r.Field: r.Example})
		if err != nil {
			t.Fatal(err)
		}
		if err := checkSchema(raw, connectionSchema); err != nil {
			t.Errorf("example of %s: %v", r.Field, err)
		}
	}
}

// TestConnectionSchema_Enums: the words of the schema are the words that
// CheckConnection takes, and there are no others.
func TestConnectionSchema_Enums(t *testing.T) {
	t.Parallel()
	f := newFederation(t, Config{})
	faultAt := func(field, word string) bool {
		name := strings.NewReplacer("parameters[]", "parameters[0]", "in[]", "in[0]", "selector.", "selectors.custom.groups.").Replace(field)
		raw := nest(strings.Split(strings.NewReplacer("parameters[]", "parameters.[]", "in[]", "in.[]", "selector.", "selectors.custom.groups.").Replace(field), "."), word)
		text, err := json.Marshal(raw)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := DecodeConnection(text, store.Connection{})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for _, e := range flat(f.CheckConnection(&conn)) {
			if e.Path == name && strings.Contains(e.Problem, "is not known") {
				return true
			}
		}
		return false
	}
	for _, r := range fieldRows(t) {
		for _, word := range r.Enum {
			if faultAt(r.Field, word) {
				t.Errorf("%s: %q is in the schema and not known", r.Field, word)
			}
		}
		if r.Enum != nil && !faultAt(r.Field, "nonsense") {
			t.Errorf("%s: nonsense is taken", r.Field)
		}
	}
}

func nest(path []string, value any) any {
	if len(path) == 0 {
		return value
	}
	if path[0] == "[]" {
		return []any{nest(path[1:], value)}
	}
	return map[string]any{path[0]: nest(path[1:], value)}
}

// flat takes joined faults apart.
func flat(err error) []*profile.FieldError {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []*profile.FieldError
		for _, e := range joined.Unwrap() {
			out = append(out, flat(e)...)
		}
		return out
	}
	if f, ok := err.(*profile.FieldError); ok {
		return []*profile.FieldError{f}
	}
	return []*profile.FieldError{{Path: "not a FieldError", Problem: err.Error()}}
}

func TestDecodeConnection_Faults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"unknown field":   {"{\n  \"id\": \"a\",\n  \"isuer\": \"x\"\n}", "isuer: is not a field of a connection (line 3, column 3); did you mean issuer?"},
		"case":            {`{"Issuer": "x"}`, "Issuer: is not a field of a connection (line 1, column 2); did you mean issuer?"},
		"camel case":      {`{"clientId": "x"}`, "clientId: is not a field of a connection (line 1, column 2); did you mean client_id?"},
		"deep":            {`{"parameters":[{"name":"a"},{"nme":"b"}]}`, "parameters[1].nme: is not a field of a connection (line 1, column 30); did you mean name?"},
		"type":            {"{\n\"scopes\": \"openid\"}", "scopes: is a text instead of an array (line 2, column 11)"},
		"null":            {`{"title": null}`, "title: is null instead of a text (line 1, column 11)"},
		"fraction":        {`{"max_session_seconds": 1.5}`, "max_session_seconds: is not a whole number (line 1, column 25)"},
		"twice":           {`{"id": "a", "id": "b"}`, "connection: has a member twice (line 1, column 13)"},
		"no object":       {`[]`, "connection: is an array instead of an object (line 1, column 1)"},
		"broken":          {"{\"id\": \"a\",\n}", "connection: is not JSON from here on (line 1, column 11)"},
		"more":            {`{} {}`, "connection: is followed by more text (line 1, column 3); send one JSON object"},
		"empty":           {``, "connection: is not JSON from here on (line 1, column 1)"},
		"not UTF-8":       {"{\"title\": \"\xff\"}", "connection: is not UTF-8"},
		"custom selector": {`{"selectors":{"custom":{"groups":{"pth":"x"}}}}`, "selectors.custom.groups.pth: is not a field of a connection (line 1, column 35); did you mean path?"},
		"revision":        {`{"revision": 3}`, "revision: is not a field of a connection (line 1, column 2); see `gatehouse connection schema`"},
		"two at once":     {`{"a": 1, "kind": 2}`, "a: is not a field of a connection (line 1, column 2); see `gatehouse connection schema`\nkind: is a number instead of a text (line 1, column 18)"},
		"huge number":     {`{"max_session_seconds": 99999999999999999999}`, "max_session_seconds: has a value that does not fit; look at the schema"},
		"control in name": {"{\"a\\u001b[2J\": 1}", "a[2J: is not a field of a connection (line 1, column 2); see `gatehouse connection schema`"},
	} {
		_, err := DecodeConnection([]byte(c.text), store.Connection{})
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", name, err, c.want)
		}
	}
	if _, err := DecodeConnection(bytes.Repeat([]byte(" "), maxConnectionJSON+1), store.Connection{}); err == nil {
		t.Error("a huge text is read")
	}
}

func TestDecodeConnection_Secrets(t *testing.T) {
	t.Parallel()
	before := store.Connection{ClientSecret: store.Seal("old-secret"), PrivateKey: store.Seal("old-key")}
	before.Revision = 7
	for name, c := range map[string]struct{ text, secret, key string }{
		"absent": {`{}`, "old-secret", "old-key"},
		"new":    {`{"client_secret":"new","private_key":"pem"}`, "new", "pem"},
		"empty":  {`{"client_secret":"","private_key":""}`, "", ""},
	} {
		conn, err := DecodeConnection([]byte(c.text), before)
		if err != nil {
			t.Fatal(err)
		}
		secret, _ := conn.ClientSecret.Reveal()
		key, _ := conn.PrivateKey.Reveal()
		if secret.Reveal() != c.secret || key.Reveal() != c.key || conn.Revision != 7 {
			t.Errorf("%s: got %q, %q, revision %d", name, secret.Reveal(), key.Reveal(), conn.Revision)
		}
	}
	out, err := EncodeConnection(before)
	if err != nil || bytes.Contains(out, []byte("secret")) || bytes.Contains(out, []byte("key")) || bytes.Contains(out, []byte("revision")) {
		t.Errorf("%v: %s", err, out)
	}
}

// FuzzDecodeConnection: whatever the text, reading it and checking it neither
// fails in another way nor says where without a path; and what is accepted
// reads back the same.
func FuzzDecodeConnection(f *testing.F) {
	fed := New(Config{PublicURL: testPublicURL, Network: loopback()})
	f.Cleanup(fed.Close)
	for _, p := range Presets() {
		if raw, err := json.Marshal(p.Connection); err == nil {
			f.Add(raw)
		}
	}
	for _, s := range []string{`{"id":"a","parameters":[{"name":"x","source":"session","value":"a.profile.b","in":["token"]}]}`, `{"`, `{"domains":["*",1]}`, `{"apple":{}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		conn, err := DecodeConnection(raw, store.Connection{})
		for _, e := range flat(err) {
			if e.Path == "" || e.Problem == "" || e.Path == "not a FieldError" {
				t.Fatalf("fault %+v", e)
			}
		}
		if err != nil {
			return
		}
		for _, e := range flat(fed.CheckConnection(&conn)) {
			if e.Path == "" || e.Problem == "" || e.Path == "not a FieldError" {
				t.Fatalf("fault %+v", e)
			}
		}
		out, err := EncodeConnection(conn)
		if err != nil {
			t.Fatal(err)
		}
		again, err := DecodeConnection(out, conn)
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		second, err := EncodeConnection(again)
		if err != nil || !bytes.Equal(out, second) {
			t.Fatalf("%v\n%s\n%s", err, out, second)
		}
	})
}
