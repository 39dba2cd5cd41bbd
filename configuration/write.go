package configuration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Write is the document as YAML. Equal documents are equal bytes: fields come in
// the order of the record, names of custom attributes sorted, and every text has
// one spelling.
func Write(doc Document) ([]byte, error) {
	// Twice, because an empty list that is left out can leave an empty object,
	// which is then left out, too.
	raw, err := json.Marshal(doc)
	if err == nil {
		var settled Document
		if err = json.Unmarshal(raw, &settled); err == nil {
			raw, err = json.Marshal(settled)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("configuration: write: %w", err)
	}
	w := writer{dec: json.NewDecoder(bytes.NewReader(raw))}
	w.dec.UseNumber()
	w.out.WriteString("# Configuration of a Gatehouse: see docs/configuration-as-code.md\n")
	w.value(0, false)
	return w.out.Bytes(), nil
}

// writer turns JSON, token by token, into block YAML.
type writer struct {
	dec *json.Decoder
	out bytes.Buffer
}

// token is the next of JSON that was made here: it always is well formed.
func (w *writer) token() json.Token {
	t, _ := w.dec.Token()
	return t
}

// value writes one value. It begins at the end of a line that holds a name or,
// in a list, a dash, and ends with a line break.
func (w *writer) value(indent int, inList bool) {
	switch t := w.token().(type) {
	case json.Delim:
		switch {
		case t == '{' && !w.dec.More():
			w.token()
			w.out.WriteString(" {}\n")
		case t == '[' && !w.dec.More():
			w.token()
			w.out.WriteString(" []\n")
		case t == '{':
			w.object(indent, inList)
		default:
			w.list(indent)
		}
	case nil: // a list that a record always has
		w.out.WriteString(" []\n")
	case string:
		w.out.WriteString(" " + Scalar(t) + "\n")
	default:
		fmt.Fprintf(&w.out, " %v\n", t)
	}
}

func (w *writer) object(indent int, inList bool) {
	switch {
	case inList:
		w.out.WriteByte(' ') // the first name stands beside the dash
	case indent > 0:
		w.out.WriteByte('\n')
	}
	for first := true; w.dec.More(); first = false {
		if !first || !inList {
			w.out.WriteString(strings.Repeat("  ", indent))
		}
		name, _ := w.token().(string)
		w.out.WriteString(Scalar(name) + ":")
		w.value(indent+1, false)
	}
	w.token()
}

func (w *writer) list(indent int) {
	w.out.WriteByte('\n')
	for w.dec.More() {
		w.out.WriteString(strings.Repeat("  ", indent) + "-")
		w.value(indent+1, true)
	}
	w.token()
}

// plainText is text that means itself in YAML, whoever reads it.
var plainText = regexp.MustCompile(`\A[A-Za-z/][A-Za-z0-9_./@+-]*(?:[ :][A-Za-z0-9_./@+-]+)*\z`)

// Scalar is the one spelling of a text: as it is where that cannot be mistaken,
// else in quotes with everything that cannot be seen escaped.
func Scalar(s string) string {
	words := []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
	if plainText.MatchString(s) && !slices.Contains(words, strings.ToLower(s)) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == ' ' || unicode.IsPrint(c) && c != unicode.ReplacementChar:
			b.WriteRune(c)
		case c > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, c)
		default:
			fmt.Fprintf(&b, `\u%04x`, c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
