package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Limits of a document. A zero field takes the strict value.
type Limits struct {
	Bytes int // 64 KiB
	Depth int // 32 nested objects and arrays
	Nodes int // 100,000 values and member names
}

// The strict limits, and the wide ones for profiles read without "..".
const (
	strictBytes = 64 << 10
	strictDepth = 32
	wideBytes   = 1 << 20
	wideDepth   = 64
	maxNodes    = 100_000
)

// WideLimits are 1 MiB and depth 64, for answers whose size a provider decides
// (userinfo, profiles).
func WideLimits() Limits { return Limits{Bytes: wideBytes, Depth: wideDepth} }

// Errors of [ParseJSON], for telling what was wrong with errors.Is.
var (
	ErrJSON          = errors.New("not acceptable JSON")
	ErrJSONSyntax    = fmt.Errorf("%w: syntax", ErrJSON)
	ErrJSONSize      = fmt.Errorf("%w: too large", ErrJSON)
	ErrJSONDepth     = fmt.Errorf("%w: nested too deep", ErrJSON)
	ErrJSONDuplicate = fmt.Errorf("%w: member twice, or in two spellings", ErrJSON)
	ErrJSONText      = fmt.Errorf("%w: not UTF-8", ErrJSON)
)

// ParseJSON decodes one JSON value into map[string]any, []any, string,
// json.Number, bool and nil. It refuses what could be read in two ways
// (RFC 7493; SECURITY-CASES J15): a member that occurs twice in an object, two
// members that differ only in case, bytes that are not UTF-8, anything after
// the value; and what is beyond limits (X1, X8). An escaped lone surrogate
// becomes U+FFFD. Errors hold positions, never text of the document. Texts share
// memory with a copy of the document: clone the few that are kept for long.
func ParseJSON(b []byte, limits Limits) (any, error) {
	v, _, err := parseJSON(b, limits)
	return v, err
}

// parseJSON also returns how deep the document is nested.
func parseJSON(b []byte, limits Limits) (v any, depth int, err error) {
	if limits.Bytes == 0 {
		limits.Bytes = strictBytes
	}
	if limits.Depth == 0 {
		limits.Depth = strictDepth
	}
	if limits.Nodes == 0 {
		limits.Nodes = maxNodes
	}
	if len(b) > limits.Bytes {
		return nil, 0, fmt.Errorf("%w: %d bytes, at most %d are read", ErrJSONSize, len(b), limits.Bytes)
	}
	if !utf8.Valid(b) {
		return nil, 0, ErrJSONText
	}
	p := jsonParser{
		dec: jsontext.NewDecoder(bytes.NewBuffer(b),
			// Duplicates are found below together with case variants; UTF-8 is
			// checked above, so this only concerns escaped lone surrogates.
			jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)),
		text:   string(b),
		limits: limits,
	}
	if v, err = p.value(0); err != nil {
		return nil, 0, err
	}
	if _, err := p.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, 0, p.syntax()
	}
	return v, p.depth, nil
}

type jsonParser struct {
	dec    *jsontext.Decoder
	text   string // the whole document; names and values are parts of it
	limits Limits
	nodes  int
	depth  int // deepest level seen
}

func (p *jsonParser) syntax() error {
	return fmt.Errorf("%w after byte %d", ErrJSONSyntax, p.dec.InputOffset())
}

// count is called for every value, name and closing bracket.
func (p *jsonParser) count() error {
	if p.nodes++; p.nodes > p.limits.Nodes {
		return fmt.Errorf("%w: more than %d values", ErrJSONSize, p.limits.Nodes)
	}
	return nil
}

// bracket reads one of [ ] { }.
func (p *jsonParser) bracket() error {
	if _, err := p.dec.ReadToken(); err != nil {
		return p.syntax()
	}
	return p.count()
}

// scalar reads a text, number, true, false or null and returns its bytes as
// part of the document, and for a text what it says.
func (p *jsonParser) scalar() (raw, text string, err error) {
	value, err := p.dec.ReadValue()
	if err != nil {
		return "", "", p.syntax()
	}
	if err := p.count(); err != nil {
		return "", "", err
	}
	end := int(p.dec.InputOffset())
	raw = p.text[end-len(value) : end]
	if raw[0] != '"' {
		return raw, "", nil
	}
	text = raw[1 : len(raw)-1]
	if strings.IndexByte(text, '\\') >= 0 {
		// An escaped lone surrogate becomes U+FFFD and an error that says so.
		unquoted, _ := jsontext.AppendUnquote(nil, raw)
		text = string(unquoted)
	}
	return raw, text, nil
}

func (p *jsonParser) value(depth int) (any, error) {
	kind := p.dec.PeekKind()
	switch kind {
	case '[', '{':
		if err := p.bracket(); err != nil {
			return nil, err
		}
	default:
		raw, text, err := p.scalar()
		if err != nil {
			return nil, err
		}
		switch raw[0] {
		case '"':
			return text, nil
		case 't':
			return true, nil
		case 'f':
			return false, nil
		case 'n':
			return nil, nil
		}
		return json.Number(raw), nil
	}
	if depth >= p.limits.Depth {
		return nil, fmt.Errorf("%w: more than %d levels", ErrJSONDepth, p.limits.Depth)
	}
	p.depth = max(p.depth, depth+1)
	if kind == '[' {
		return p.array(depth + 1)
	}
	return p.object(depth + 1)
}

func (p *jsonParser) array(depth int) (any, error) {
	list := []any{}
	for p.dec.PeekKind() != ']' {
		v, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, p.bracket()
}

func (p *jsonParser) object(depth int) (any, error) {
	members := map[string]any{}
	var folded map[string]bool // made when a name is not plain lower-case ASCII
	for p.dec.PeekKind() != '}' {
		_, name, err := p.scalar()
		if err != nil {
			return nil, err
		}
		if _, twice := members[name]; twice {
			return nil, fmt.Errorf("%w before byte %d", ErrJSONDuplicate, p.dec.InputOffset())
		}
		fold := foldName(name)
		if fold != name && folded == nil {
			folded = make(map[string]bool, len(members)+1)
			for known := range members {
				folded[foldName(known)] = true
			}
		}
		if folded != nil {
			if folded[fold] {
				return nil, fmt.Errorf("%w before byte %d", ErrJSONDuplicate, p.dec.InputOffset())
			}
			folded[fold] = true
		}
		if members[name], err = p.value(depth); err != nil {
			return nil, err
		}
	}
	return members, p.bracket()
}

// foldName maps names to one where encoding/json or another case-blind reader
// would take them for the same: the smallest rune of each simple-fold orbit,
// except that letters are lower-case for readability of the common path.
func foldName(s string) string {
	plain := true
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		if 'A' <= least && least <= 'Z' {
			least += 'a' - 'A'
		}
		return least
	}, s)
}
