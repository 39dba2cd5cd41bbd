package federation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"gatehouse/profile"
)

// schemaNode is what we use of a JSON Schema: our own uses no more. Enumerated
// and bounded values are left to CheckConnection, whose words are better.
type schemaNode struct {
	Type                 string                 `json:"type"`
	Properties           map[string]*schemaNode `json:"properties"`
	Items                *schemaNode            `json:"items"`
	AdditionalProperties json.RawMessage        `json:"additionalProperties"`
}

// member is the schema of an object's member; nil when there is no such member.
func (n *schemaNode) member(name string) *schemaNode {
	if m := n.Properties[name]; m != nil {
		return m
	}
	var any schemaNode
	if json.Unmarshal(n.AdditionalProperties, &any) == nil && any.Type != "" {
		return &any
	}
	return nil
}

// maxSchemaFaults bounds what one text is told.
const maxSchemaFaults = 50

// schemaChecker walks a text token by token beside the schema.
type schemaChecker struct {
	raw    []byte
	dec    *jsontext.Decoder
	faults []error
}

// checkSchema checks the shape of a JSON text. All faults come joined, each a
// *profile.FieldError.
func checkSchema(raw, schema []byte) error {
	var root schemaNode
	if err := json.Unmarshal(schema, &root); err != nil {
		return fmt.Errorf("federation: schema: %w", err)
	}
	switch {
	case len(raw) > maxConnectionJSON:
		return &profile.FieldError{Path: "connection", Problem: fmt.Sprintf("has more than %d bytes", maxConnectionJSON)}
	case !utf8.Valid(raw):
		return &profile.FieldError{Path: "connection", Problem: "is not UTF-8"}
	}
	c := &schemaChecker{raw: raw, dec: jsontext.NewDecoder(bytes.NewReader(raw))}
	err := c.value(&root, "")
	if err == nil {
		if c.dec.PeekKind() != 0 {
			c.fault("connection", "is followed by more text", "send one JSON object")
		} else if _, end := c.dec.ReadToken(); end != nil && !errors.Is(end, io.EOF) {
			err = end
		}
	}
	if err != nil {
		c.syntax(err)
	}
	return errors.Join(c.faults...)
}

func (c *schemaChecker) fault(path, problem, fix string) {
	c.faultAt(path, problem, fix, c.dec.InputOffset())
}

func (c *schemaChecker) faultAt(path, problem, fix string, offset int64) {
	if len(c.faults) >= maxSchemaFaults {
		return
	}
	line, column := position(c.raw, offset)
	c.faults = append(c.faults, &profile.FieldError{Path: path, Problem: fmt.Sprintf("%s (line %d, column %d)", problem, line, column), Fix: fix})
}

// position counts lines and columns from 1, columns in characters.
func position(raw []byte, offset int64) (line, column int) {
	before := raw[:min(int(offset), len(raw))]
	line = 1 + bytes.Count(before, []byte("\n"))
	return line, 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
}

// syntax says where a text stops being JSON, in words that quote nothing of it.
func (c *schemaChecker) syntax(err error) {
	problem, offset := "is not JSON from here on", c.dec.InputOffset()
	var s *jsontext.SyntacticError
	if errors.As(err, &s) {
		offset = s.ByteOffset
		if errors.Is(s.Err, jsontext.ErrDuplicateName) {
			problem = "has a member twice"
		}
	}
	c.faultAt("connection", problem, "", offset)
}

// start is where the next value begins.
func (c *schemaChecker) start() int64 {
	c.dec.PeekKind()
	at := c.dec.InputOffset()
	for at < int64(len(c.raw)) && strings.IndexByte(" \t\r\n,:", c.raw[at]) >= 0 {
		at++
	}
	return at
}

// value reads one value. The error is one of syntax, after which nothing more
// can be read.
func (c *schemaChecker) value(n *schemaNode, path string) error {
	at, kind := c.start(), c.dec.PeekKind()
	if got := typeOf(kind); got != "" && got != n.Type && !(got == "number" && n.Type == "integer") {
		c.faultAt(orRoot(path), "is "+article(got)+" instead of "+article(n.Type), "", at)
		return c.dec.SkipValue()
	}
	switch kind {
	case '{':
		return c.object(n, path)
	case '[':
		return c.array(n, path)
	}
	raw, err := c.dec.ReadValue()
	if err == nil && n.Type == "integer" && bytes.ContainsAny(raw, ".eE") {
		c.faultAt(orRoot(path), "is not a whole number", "", at)
	}
	return err
}

func (c *schemaChecker) object(n *schemaNode, path string) error {
	if _, err := c.dec.ReadToken(); err != nil {
		return err
	}
	for c.dec.PeekKind() != '}' {
		at := c.start()
		token, err := c.dec.ReadToken()
		if err != nil {
			return err
		}
		name := token.String()
		child := n.member(name)
		if child == nil {
			c.faultAt(join(path, clean(name)), "is not a field of a connection", suggestion(n, name), at)
			err = c.dec.SkipValue()
		} else {
			err = c.value(child, join(path, clean(name)))
		}
		if err != nil {
			return err
		}
	}
	_, err := c.dec.ReadToken()
	return err
}

func (c *schemaChecker) array(n *schemaNode, path string) error {
	if _, err := c.dec.ReadToken(); err != nil {
		return err
	}
	for i := 0; c.dec.PeekKind() != ']'; i++ {
		if err := c.value(n.Items, fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return err
		}
	}
	_, err := c.dec.ReadToken()
	return err
}

func typeOf(kind jsontext.Kind) string {
	switch kind {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case '0':
		return "number"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	return "" // a fault of syntax, which reading it reports
}

func article(kind string) string {
	switch kind {
	case "object", "array", "integer":
		return "an " + kind
	case "null":
		return kind
	case "string":
		return "a text"
	}
	return "a " + kind
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func orRoot(path string) string {
	if path == "" {
		return "connection"
	}
	return path
}

// clean makes a name of the text fit for a fault's path.
func clean(name string) string {
	if c := profile.Untrusted(name).Clean(64); c != "" {
		return c
	}
	return `""`
}

// suggestion is the known name that a wrong one was probably meant to be.
func suggestion(n *schemaNode, name string) string {
	squash := strings.NewReplacer("_", "", "-", "")
	folded := squash.Replace(strings.ToLower(name))
	for _, known := range slices.Sorted(maps.Keys(n.Properties)) {
		if k := squash.Replace(known); k == folded || len(k) > 2 && near(k, folded) {
			return "did you mean " + known + "?"
		}
	}
	return "see `gatehouse connection schema`"
}
