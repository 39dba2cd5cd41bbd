package profile

import (
	"strconv"
	"strings"
)

// The filter half of the grammar (RFC 9535 §2.3.5).

func (g *grammar) logical() {
	for {
		g.conjunction()
		g.space()
		if !g.take("||") {
			return
		}
		g.space()
	}
}

func (g *grammar) conjunction() {
	for {
		g.basic()
		before := g.i
		g.space()
		if !g.take("&&") {
			g.i = before
			return
		}
		g.space()
	}
}

func (g *grammar) basic() {
	negated := g.take("!")
	if negated {
		g.space()
	}
	if g.take("(") {
		g.space()
		g.logical()
		g.space()
		g.need(")")
		return
	}
	start := g.i
	left := g.comparable()
	if negated {
		if left != isSingular && left != isNodes && left != isLogical {
			g.i = start
			g.fail("a query, match() or search() after !")
		}
		return
	}
	before := g.i
	g.space()
	for _, op := range [...]string{"==", "!=", "<=", ">=", "<", ">"} {
		if !g.take(op) {
			continue
		}
		g.space()
		right := g.comparable()
		for _, o := range [...]operand{left, right} {
			if o == isNodes || o == isLogical {
				g.i = start
				g.fail("on both sides of " + op + " a constant, a path to one value, length(), count() or value()")
			}
		}
		// Comparing with a text, true, false or null is exact whatever the
		// document holds; everything else may compare numbers.
		g.computed = g.computed || left != isText && right != isText
		return
	}
	g.i = before
	if left == isLiteral || left == isText || left == isValue {
		g.i = start
		g.fail("a comparison or a test")
	}
}

// comparable reads one side of a comparison, or a test.
func (g *grammar) comparable() operand {
	switch c := g.peek(); {
	case c == '\'' || c == '"':
		g.text()
		return isText
	case c == '-' || digit(c):
		g.number()
		return isLiteral
	case c == '@' || c == '$':
		g.rootInFilter = g.rootInFilter || c == '$'
		g.i++
		if g.query() {
			return isSingular
		}
		return isNodes
	case 'a' <= c && c <= 'z':
		start := g.i
		for c := g.peek(); 'a' <= c && c <= 'z' || c == '_' || digit(c); c = g.peek() {
			g.i++
		}
		word := g.s[start:g.i]
		if word == "true" || word == "false" || word == "null" {
			return isText
		}
		if g.peek() == '(' {
			return g.call(word, start)
		}
		g.i = start
	}
	g.fail("a constant, @, or a function")
	return 0
}

func (g *grammar) number() {
	start := g.i
	g.take("-")
	digits := g.i
	for digit(g.peek()) {
		g.i++
	}
	if g.i == digits || g.s[digits] == '0' && g.i > digits+1 {
		g.i = start
		g.fail("a number")
	}
	if g.take(".") {
		if !digit(g.peek()) {
			g.fail("a digit")
		}
		for digit(g.peek()) {
			g.i++
		}
	}
	if g.take("e") || g.take("E") {
		if !g.take("-") {
			g.take("+")
		}
		if !digit(g.peek()) {
			g.fail("a digit")
		}
		for digit(g.peek()) {
			g.i++
		}
	}
	text := g.s[start:g.i]
	_, err := strconv.ParseFloat(text, 64)
	g.bigNumber = g.bigNumber || err != nil || !exactNumber(text)
}

// call reads the arguments of a function whose name ends at g.i.
func (g *grammar) call(name string, start int) operand {
	type signature struct {
		result operand
		args   []operand // isValue or isNodes
	}
	sig, known := map[string]signature{
		"length": {isValue, []operand{isValue}},
		"count":  {isValue, []operand{isNodes}},
		"value":  {isValue, []operand{isNodes}},
		"match":  {isLogical, []operand{isValue, isValue}},
		"search": {isLogical, []operand{isValue, isValue}},
	}[name]
	if !known {
		g.i = start
		g.fail("length, count, value, match or search")
	}
	regular := sig.result == isLogical
	slot := len(g.patterns)
	if regular {
		g.patterns = append(g.patterns, pattern{anchored: name == "match"})
		g.out.WriteString(g.s[g.cut:start] + patternName(slot))
		g.cut = g.i
	}
	g.need("(")
	for n, want := range sig.args {
		g.space()
		if n > 0 {
			g.need(",")
			g.space()
		}
		at := g.i
		got := g.comparable()
		if want == isNodes && got != isSingular && got != isNodes ||
			want == isValue && (got == isNodes || got == isLogical) {
			g.i = at
			g.fail(map[operand]string{isNodes: "a path", isValue: "a constant or a path to one value"}[want])
		}
		if regular && n == 1 {
			g.setPattern(slot, at, got)
		}
	}
	g.space()
	g.need(")")
	return sig.result
}

func (g *grammar) setPattern(slot, at int, got operand) {
	literal := g.s[at:g.i]
	if got != isText || !strings.ContainsAny(literal[:1], `'"`) {
		g.faults = append(g.faults, fault{
			"has a pattern that is not a constant text",
			"write the pattern in quotes: match(@.type, 'work|home')",
		})
		return
	}
	again := grammar{s: literal}
	expr := again.text()
	re, err := compilePattern(expr, g.patterns[slot].anchored)
	if err != nil {
		g.faults = append(g.faults, fault{
			"has a pattern that is no regular expression of RFC 9485: " + err.Error(),
			"use only . [] () | * + ? {n,m}, \\p{L} and escaped punctuation",
		})
		return
	}
	g.patterns[slot].re = re
}
