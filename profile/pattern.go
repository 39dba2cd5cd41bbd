package profile

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"

	"github.com/theory/jsonpath/registry"
	"github.com/theory/jsonpath/spec"
)

// pattern is the regular expression of one match or search call, compiled once
// when the connection is saved. The library's own match anchors `a|b` as
// \Aa|b\z, which also takes "ab" (a way into a role filter), panics when the
// member is missing, and compiles again for every node.
type pattern struct {
	anchored bool
	re       *regexp.Regexp
}

// patternName is what the nth match or search call is renamed to.
func patternName(n int) string { return "pattern" + strconv.Itoa(n) }

// register makes a function of each pattern. Each query has its own registry.
func register(patterns []pattern) (*registry.Registry, error) {
	reg := registry.New()
	for n, p := range patterns {
		err := reg.Register(patternName(n), spec.FuncLogical,
			func(args []spec.FuncExprArg) error {
				if len(args) != 2 || !args[0].ConvertsTo(spec.FuncValue) {
					return errors.New("needs a value and a pattern")
				}
				return nil
			},
			func(args []spec.PathValue) spec.PathValue {
				v := spec.ValueFrom(args[0])
				if v == nil { // the member is missing
					return spec.LogicalFalse
				}
				s, ok := v.Value().(string)
				return spec.Logical(ok && p.re.MatchString(s))
			})
		if err != nil {
			return nil, err
		}
	}
	return reg, nil
}

// compilePattern compiles an I-Regexp (RFC 9485) to RE2, which runs in linear
// time whatever the text (SECURITY-CASES X5). ^ and $ are taken as anchors, as
// the compliance suite does. What RE2 knows beyond I-Regexp is refused: with it
// a query would mean something else in another implementation.
func compilePattern(expr string, anchored bool) (*regexp.Regexp, error) {
	if err := checkPattern(expr); err != nil {
		return nil, err
	}
	tree, err := syntax.Parse(expr, syntax.Perl|syntax.DotNL)
	if err != nil {
		return nil, plainSyntax(err)
	}
	notLine, err := syntax.Parse(`[^\n\r]`, syntax.Perl)
	if err != nil {
		return nil, err
	}
	replaceDot(tree, notLine)
	text := `(?:` + tree.String() + `)`
	if anchored {
		text = `\A` + text + `\z`
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, plainSyntax(err)
	}
	return re, nil
}

func plainSyntax(err error) error {
	var se *syntax.Error
	if errors.As(err, &se) {
		return errors.New(se.Code.String())
	}
	return err
}

// replaceDot makes . match everything but line ends (RFC 9485 §5.3).
func replaceDot(re, notLine *syntax.Regexp) {
	if re.Op == syntax.OpAnyChar {
		*re = *notLine
		return
	}
	for _, sub := range re.Sub {
		replaceDot(sub, notLine)
	}
}

func checkPattern(expr string) error {
	class, quantified := false, false
	for i := 0; i < len(expr); i++ {
		c := expr[i]
		quantifier := false
		switch {
		case c == '\\':
			i++
			if i == len(expr) {
				return errors.New(`it ends with \`)
			}
			if strings.IndexByte(`()*+-.?[\]^{|}$nrt`, expr[i]) < 0 &&
				(strings.IndexByte("pP", expr[i]) < 0 || !strings.HasPrefix(expr[i+1:], "{")) {
				return fmt.Errorf(`\%c is not known there`, expr[i])
			}
			if expr[i] == 'p' || expr[i] == 'P' {
				end := strings.IndexByte(expr[i:], '}')
				if end < 0 {
					return errors.New(`\p{ is not closed`)
				}
				i += end
			}
		case class:
			if strings.HasPrefix(expr[i:], "[:") {
				return errors.New("[: is not known there")
			}
			class = c != ']'
		case c == '[':
			class = true
		case c == '*' || c == '+' || c == '?' || c == '{':
			if quantified {
				return errors.New("two repetitions follow each other")
			}
			if c == '?' && i > 0 && expr[i-1] == '(' {
				return errors.New("(? is not known there")
			}
			quantifier = true
			if c == '{' {
				end := strings.IndexByte(expr[i:], '}')
				if end < 0 {
					return errors.New("{ is not closed")
				}
				i += end
			}
		}
		quantified = quantifier
	}
	return nil
}
