package profile

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// grammar recognises RFC 9535 by its own rules before the library parses the
// query: theory/jsonpath accepts what is none (count(#,@.*), !match@.a,'x')),
// and the policy of policy.go has to be counted on something. A query must
// pass both. The text that the library gets has match and search renamed, so
// that ours are called (pattern.go).
type grammar struct {
	s   string
	i   int
	out strings.Builder // s with function names replaced
	cut int             // s[:cut] is in out

	filters  int // depth of filter expressions around i
	segments int
	descents int
	union    int // largest product of union widths of one query

	rootInFilter, nested, computed bool
	bigNumber                      bool
	patterns                       []pattern // of match and search calls, in order
	faults                         []fault
}

// syntaxError is panicked by fail and recovered by recognise: the only use of
// panic, never leaving this file.
type syntaxError struct {
	at   int
	want string
}

// operand is what one side of a comparison or one argument is.
type operand int

const (
	isLiteral operand = iota
	isText            // a literal in quotes
	isSingular
	isNodes
	isValue
	isLogical
)

// recognise reads the whole query; err is a sentence about the first place
// that is not RFC 9535.
func recognise(query string) (g *grammar, err error) {
	g = &grammar{s: query}
	defer func() {
		if r := recover(); r != nil {
			se, ok := r.(syntaxError)
			if !ok {
				panic(r)
			}
			err = fmt.Errorf("is not JSONPath (RFC 9535) at character %d: expected %s",
				utf8.RuneCountInString(query[:se.at])+1, se.want)
		}
	}()
	if !g.take("$") {
		g.fail("$")
	}
	g.query()
	if g.i < len(g.s) {
		g.fail("the end, a . or a [")
	}
	g.out.WriteString(g.s[g.cut:])
	return g, nil
}

func (g *grammar) fail(want string) { panic(syntaxError{g.i, want}) }

func (g *grammar) peek() byte {
	if g.i < len(g.s) {
		return g.s[g.i]
	}
	return 0
}

func (g *grammar) take(prefix string) bool {
	if strings.HasPrefix(g.s[g.i:], prefix) {
		g.i += len(prefix)
		return true
	}
	return false
}

func (g *grammar) need(prefix string) {
	if !g.take(prefix) {
		g.fail(prefix)
	}
}

func (g *grammar) space() {
	for g.i < len(g.s) && strings.IndexByte(" \t\r\n", g.s[g.i]) >= 0 {
		g.i++
	}
}

// query reads segments; singular reports whether they select one node at most.
func (g *grammar) query() (singular bool) {
	singular = true
	product := 1
	for {
		before := g.i
		g.space()
		width, one := 1, true
		switch {
		case g.take(".."):
			g.descents++
			one = false
			switch {
			case g.peek() == '[':
				width, _ = g.bracketed()
			case g.take("*"):
			default:
				g.name()
			}
		case g.take("."):
			if g.take("*") {
				one = false
			} else {
				g.name()
			}
		case g.peek() == '[':
			width, one = g.bracketed()
		default:
			g.i = before
			g.union = max(g.union, product)
			return singular
		}
		g.segments++
		product *= width
		singular = singular && one
	}
}

func nameFirst(r rune) bool {
	return r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r >= 0x80
}

func (g *grammar) name() {
	start := g.i
	for g.i < len(g.s) {
		r, size := utf8.DecodeRuneInString(g.s[g.i:])
		if !nameFirst(r) && (g.i == start || r < '0' || r > '9') {
			break
		}
		g.i += size
	}
	if g.i == start {
		g.fail("a name")
	}
}

func (g *grammar) bracketed() (width int, singular bool) {
	g.need("[")
	singular = true
	for {
		g.space()
		width++
		singular = g.selector() && singular
		g.space()
		if g.take(",") {
			continue
		}
		if !g.take("]") {
			g.fail(", or ]")
		}
		return width, singular && width == 1
	}
}

func (g *grammar) selector() (singular bool) {
	switch c := g.peek(); {
	case c == '\'' || c == '"':
		g.text()
		return true
	case g.take("*"):
		return false
	case g.take("?"):
		g.nested = g.nested || g.filters > 0
		g.filters++
		g.space()
		g.logical()
		g.filters--
		return false
	case c == '-' || c == ':' || digit(c):
		return g.indexOrSlice()
	}
	g.fail("a name in quotes, a number, *, ? or a slice")
	return false
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func (g *grammar) indexOrSlice() (singular bool) {
	if g.peek() != ':' {
		g.integer()
		after := g.i
		g.space()
		if g.peek() != ':' {
			g.i = after
			return true
		}
	}
	for range 2 {
		if !g.take(":") {
			break
		}
		after := g.i
		g.space()
		if c := g.peek(); c == '-' || digit(c) {
			g.integer()
			after = g.i
			g.space()
		}
		if g.peek() != ':' {
			g.i = after
		}
	}
	return false
}

// integer is an index: no leading zero, no -0, within ±(2⁵³−1).
func (g *grammar) integer() {
	start := g.i
	g.take("-")
	digits := g.i
	for digit(g.peek()) {
		g.i++
	}
	n, err := strconv.ParseInt(g.s[start:g.i], 10, 64)
	if err != nil || g.s[digits] == '0' && g.i > digits+1 || n == 0 && digits > start || n > 1<<53-1 || n < -(1<<53-1) {
		g.i = start
		g.fail("a whole number without leading zeros")
	}
}

// text reads a string literal and returns its value.
func (g *grammar) text() string {
	quote := g.peek()
	g.i++
	var b strings.Builder
	for g.i < len(g.s) {
		c := g.s[g.i]
		switch {
		case c == quote:
			g.i++
			return b.String()
		case c < 0x20:
			g.fail("no control character in a text")
		case c == '\\':
			b.WriteRune(g.escape(quote))
		default:
			b.WriteByte(c)
			g.i++
		}
	}
	g.fail("the closing quote")
	return ""
}

func (g *grammar) escape(quote byte) rune {
	g.i++
	c := g.peek()
	if c != 'u' {
		at := strings.IndexByte("bfnrt/\\", c)
		if c == quote {
			g.i++
			return rune(c)
		}
		if at < 0 || c == 0 {
			g.fail("an escape that JSON knows")
		}
		g.i++
		return rune("\b\f\n\r\t/\\"[at])
	}
	g.i++
	r := g.hex4()
	switch {
	case r >= 0xdc00 && r <= 0xdfff:
		g.fail("a high surrogate before the low one")
	case r >= 0xd800 && r <= 0xdbff:
		g.need(`\u`)
		low := g.hex4()
		if low < 0xdc00 || low > 0xdfff {
			g.fail("a low surrogate")
		}
		return 0x10000 + (r-0xd800)<<10 + (low - 0xdc00)
	}
	return r
}

func (g *grammar) hex4() rune {
	if g.i+4 > len(g.s) {
		g.fail("four hexadecimal digits")
	}
	n, err := strconv.ParseUint(g.s[g.i:g.i+4], 16, 16)
	if err != nil {
		g.fail("four hexadecimal digits")
	}
	g.i += 4
	return rune(n)
}
