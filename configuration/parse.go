package configuration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"gatehouse/profile"
)

// Bounds of a document.
const (
	// MaxBytes is the longest text that is read.
	MaxBytes  = 2 << 20
	maxDepth  = 32
	maxFaults = 200
)

// Places knows where in its text each part of a document stands.
type Places map[string]place

type place struct{ line, column int }

// At is the fault with its place: that of the nearest part that is in the text.
func (p Places) At(f *profile.FieldError) *profile.FieldError {
	for path := f.Path; ; {
		if at, ok := p[path]; ok {
			return &profile.FieldError{Path: f.Path, Problem: fmt.Sprintf("%s (line %d, column %d)", f.Problem, at.line, at.column), Fix: f.Fix}
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return f
		}
		path = path[:cut]
	}
}

// Parse reads a document in YAML, of which JSON is a part. It is strict: unknown
// and repeated fields, other types than the record has, anchors, aliases and
// tags are refused, all at once, each a *profile.FieldError with path, line and
// column. No fault quotes a value.
func Parse(text []byte) (Document, Places, error) {
	r := reader{places: Places{}}
	root, err := r.syntax(text)
	if err != nil {
		return Document{}, nil, err
	}
	var out bytes.Buffer
	r.object(&out, root, "", membersOf(reflect.TypeFor[Document]()))
	var doc Document
	if len(r.faults) == 0 {
		if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
			return Document{}, nil, fmt.Errorf("configuration: the shape was checked and does not fit: %w", err)
		}
		switch {
		case doc.Version == 0 && r.places["version"] == place{}:
			r.fault(nil, "version", "is required", "write `version: "+strconv.Itoa(Version)+"`")
		case doc.Version != Version:
			r.faults = append(r.faults, r.places.At(&profile.FieldError{Path: "version", Problem: "is not a version this program reads", Fix: "write " + strconv.Itoa(Version)}))
		}
	}
	if len(r.faults) > 0 {
		return Document{}, nil, errors.Join(r.faults...)
	}
	return doc, r.places, nil
}

type reader struct {
	places Places
	faults []error
}

func (r *reader) fault(at *token.Token, path, problem, fix string) {
	if len(r.faults) >= maxFaults {
		return
	}
	if at != nil && at.Position != nil {
		problem = fmt.Sprintf("%s (line %d, column %d)", problem, at.Position.Line, at.Position.Column)
	}
	r.faults = append(r.faults, &profile.FieldError{Path: path, Problem: problem, Fix: fix})
}

// syntax makes a tree of the text. What makes the parser slow is refused before.
func (r *reader) syntax(text []byte) (ast.Node, error) {
	broken := func(problem, fix string) error {
		return &profile.FieldError{Path: "document", Problem: problem, Fix: fix}
	}
	switch {
	case len(text) > MaxBytes:
		return nil, broken(fmt.Sprintf("has more than %d bytes", MaxBytes), "")
	case !utf8.Valid(text):
		return nil, broken("is not UTF-8", "")
	case tooDeep(text):
		return nil, broken("is nested too deep", "")
	}
	file, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		problem := "is not YAML"
		var at yaml.Error
		if errors.As(err, &at) {
			if tk := at.GetToken(); tk != nil && tk.Position != nil {
				problem = fmt.Sprintf("is not YAML from here on (line %d, column %d)", tk.Position.Line, tk.Position.Column)
			}
		}
		return nil, broken(problem, "compare with `gatehouse export`")
	}
	switch {
	case len(file.Docs) == 0 || file.Docs[0].Body == nil:
		return nil, broken("is empty", "begin with `version: "+strconv.Itoa(Version)+"`")
	case len(file.Docs) > 1:
		return nil, broken("is more than one YAML document", "keep one document in the file")
	}
	return file.Docs[0].Body, nil
}

// tooDeep finds nesting that no document has, for the time the parser takes
// grows with its square.
func tooDeep(text []byte) bool {
	for line := range bytes.Lines(text) {
		dashes := 0
		for rest := bytes.TrimLeft(line, " \t"); bytes.HasPrefix(rest, []byte("- ")) || bytes.HasPrefix(rest, []byte("? ")); rest = bytes.TrimLeft(rest[2:], " \t") {
			if dashes++; dashes > maxDepth {
				return true
			}
		}
	}
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			if depth++; depth > maxDepth {
				return true
			}
		case c == ']' || c == '}':
			depth = max(depth-1, 0)
		}
	}
	return false
}

func (r *reader) mark(n ast.Node, path string) {
	if tk := n.GetToken(); tk != nil && tk.Position != nil {
		r.places[path] = place{tk.Position.Line, tk.Position.Column}
	}
}

// value writes a node as JSON of a type, or reports why it is not one.
func (r *reader) value(out *bytes.Buffer, n ast.Node, path string, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Struct:
		r.object(out, n, path, membersOf(t))
	case reflect.Map:
		r.object(out, n, path, nil, t.Elem())
	case reflect.Slice:
		r.list(out, n, path, t.Elem())
	default:
		r.scalar(out, n, path, t)
	}
}

// object reads a mapping: with the known members, or with any names of one type.
func (r *reader) object(out *bytes.Buffer, n ast.Node, path string, known []member, each ...reflect.Type) {
	var entries []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		entries = m.Values
	case *ast.MappingValueNode:
		entries = []*ast.MappingValueNode{m}
	default:
		r.fault(n.GetToken(), orDocument(path), "is not what is expected here: fields, written `name: value`", "")
		return
	}
	seen := map[string]bool{}
	out.WriteByte('{')
	for _, entry := range entries {
		name, ok := scalarText(entry.Key)
		if !ok {
			r.fault(entry.Key.GetToken(), orDocument(path), "has something else where the name of a field is expected", "anchors, aliases, merges and tags are not taken")
			continue
		}
		at := join(path, cleaned(name))
		i := slices.IndexFunc(known, func(m member) bool { return m.name == name })
		var t reflect.Type
		switch {
		case len(each) > 0:
			t = each[0]
		case i >= 0:
			t = known[i].kind
		default:
			r.fault(entry.Key.GetToken(), at, "is not a field", meant(name, known))
			continue
		}
		if seen[name] {
			r.fault(entry.Key.GetToken(), at, "is there twice", "keep one of the two")
			continue
		}
		seen[name] = true
		if out.Bytes()[out.Len()-1] != '{' {
			out.WriteByte(',')
		}
		writeText(out, name)
		out.WriteByte(':')
		r.mark(entry.Key, at)
		r.value(out, entry.Value, at, t)
	}
	out.WriteByte('}')
}

func (r *reader) list(out *bytes.Buffer, n ast.Node, path string, each reflect.Type) {
	l, ok := n.(*ast.SequenceNode)
	if !ok {
		r.fault(n.GetToken(), path, "is not a list", "write each entry on its own line after a dash, or [] for none")
		return
	}
	out.WriteByte('[')
	for i, item := range l.Values {
		if i > 0 {
			out.WriteByte(',')
		}
		at := path + "[" + strconv.Itoa(i) + "]"
		r.mark(item, at)
		r.value(out, item, at, each)
	}
	out.WriteByte(']')
}

func (r *reader) scalar(out *bytes.Buffer, n ast.Node, path string, t reflect.Type) {
	text, ok := scalarText(n)
	if !ok {
		r.fault(n.GetToken(), path, "is not a single value", `leave the field out, or write "" for nothing`)
		return
	}
	_, quoted := n.(*ast.StringNode)
	switch t.Kind() {
	case reflect.String:
		writeText(out, text)
	case reflect.Bool:
		if text != "true" && text != "false" || quoted {
			r.fault(n.GetToken(), path, "is neither true nor false", "")
			return
		}
		out.WriteString(text)
	default: // whole numbers
		v, err := strconv.ParseInt(text, 10, t.Bits())
		if err != nil || quoted {
			r.fault(n.GetToken(), path, "is not a whole number", "")
			return
		}
		out.WriteString(strconv.FormatInt(v, 10))
	}
}

// scalarText is the text of a plain or quoted value, as written; false for
// null, anchors, aliases, tags, lists and mappings.
func scalarText(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode:
		return n.GetToken().Value, true
	}
	return "", false
}

func writeText(out *bytes.Buffer, s string) {
	raw, _ := json.Marshal(s) // a string always can be
	out.Write(raw)
}

// cleaned makes a name out of the text fit for a path.
func cleaned(name string) string {
	if c := profile.Untrusted(name).Clean(64); c != "" {
		return c
	}
	return `""`
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func orDocument(path string) string {
	if path == "" {
		return "document"
	}
	return path
}
