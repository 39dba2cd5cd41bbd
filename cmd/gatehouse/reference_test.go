package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write golden files and made documents anew")

// TestConfigReference holds docs/configuration.md and the schema to config.go:
// its comments are their only source.
func TestConfigReference(t *testing.T) {
	t.Parallel()
	comments := fieldComments(t)
	defaults := defaultConfig()
	golden(t, "config.schema.json", schemaText(t, comments))
	golden(t, "../../docs/configuration.md", referenceText(t, comments, reflect.ValueOf(defaults)))
}

func golden(t *testing.T, path string, want []byte) {
	t.Helper()
	if *update {
		must(t, os.WriteFile(path, want, 0o644))
		return
	}
	got, err := os.ReadFile(path)
	must(t, err)
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what config.go says: run `make docs`", path)
	}
}

// fieldComments gives the comment of every field, by struct type and field name.
func fieldComments(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "config.go", nil, parser.ParseComments)
	must(t, err)
	out := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if s, ok := spec.Type.(*ast.StructType); ok {
			for _, f := range s.Fields.List {
				for _, name := range f.Names {
					out[spec.Name.Name+"."+name.Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
				}
			}
		}
		return true
	})
	return out
}

// documented calls fn for every field, groups before their members.
func documented(t *testing.T, comments map[string]string, v reflect.Value, path string, fn func(path, comment string, field reflect.Value)) {
	t.Helper()
	for f := range v.Type().Fields() {
		name := f.Tag.Get("yaml")
		if name == "" {
			continue
		}
		comment := comments[v.Type().Name()+"."+f.Name]
		if comment == "" {
			t.Errorf("%s.%s has no comment", v.Type().Name(), f.Name)
		}
		field := v.FieldByIndex(f.Index)
		fn(join(path, name), comment, field)
		if field.Kind() == reflect.Struct {
			documented(t, comments, field, join(path, name), fn)
		}
	}
}

func referenceText(t *testing.T, comments map[string]string, defaults reflect.Value) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString(`# Configuration

<!-- Made from cmd/gatehouse/config.go by "make docs". Change it there. -->

Gatehouse reads one YAML file, named with ` + "`--config`" + `, and lays environment variables over it. A field with a variable
in the table can stand in either; the variable wins. Unknown fields, unknown ` + "`GATEHOUSE_*`" + ` variables and every other fault
are reported together, with line and column, and stop the start. ` + "`gatehouse check --config <file>`" + ` does only that.
` + "`gatehouse config schema`" + ` prints a JSON schema for editors.

The smallest file:

` + "```yaml" + `
issuer: https://login.example.com
data: /var/lib/gatehouse/gatehouse.db
tls:
  cert_file: /etc/gatehouse/tls.crt
  key_file: /etc/gatehouse/tls.key
` + "```" + `

Anchors, aliases and tags are refused. A path in the file starts at the file's folder, one in a variable at the working
directory.

| field | default | variable | meaning |
|---|---|---|---|
`)
	documented(t, comments, defaults, "", func(path, comment string, field reflect.Value) {
		value, variable := fmt.Sprint(field.Interface()), "`"+variableOf(path)+"`"
		switch {
		case field.Kind() == reflect.Struct:
			fmt.Fprintf(&b, "| **`%s`** | | | %s |\n", path, comment)
			return
		case field.Kind() == reflect.Slice:
			value, variable = "empty list", "–"
		case isDuration(field.Type()):
			value = "`" + human(time.Duration(field.Int())) + "`"
		case value == "":
			value = "–"
		default:
			value = "`" + value + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", path, value, variable, comment)
	})
	return b.Bytes()
}

func schemaText(t *testing.T, comments map[string]string) []byte {
	t.Helper()
	root := schemaOf(t, comments, reflect.TypeFor[config]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Gatehouse configuration"
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	must(t, enc.Encode(root))
	return b.Bytes()
}

func schemaOf(t *testing.T, comments map[string]string, typ reflect.Type) map[string]any {
	t.Helper()
	switch {
	case isDuration(typ):
		return map[string]any{"type": "string", "pattern": "^([0-9]+d)?([0-9.]+(h|m|s|ms))*$"}
	case typ.Kind() == reflect.Bool:
		return map[string]any{"type": "boolean"}
	case typ.Kind() == reflect.Int:
		return map[string]any{"type": "integer"}
	case typ.Kind() == reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t, comments, typ.Elem())}
	case typ.Kind() != reflect.Struct:
		return map[string]any{"type": "string"}
	}
	properties := map[string]any{}
	for f := range typ.Fields() {
		if name := f.Tag.Get("yaml"); name != "" {
			property := schemaOf(t, comments, f.Type)
			property["description"] = comments[typ.Name()+"."+f.Name]
			properties[name] = property
		}
	}
	return map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
}
