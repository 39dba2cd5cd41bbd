package templates

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// pattern is a sentence with values in it. Its English key is the format that
// Go code fills (fmt's verbs, or %s where a text is joined with +), so that
// handlers go on making plain English sentences, which the API needs too. In
// the other language %s is the next value, %[2]s the second one, %w and %[2]w
// the same where the value is itself a word of ours.
type pattern struct {
	literals []string // of the key, around its values
	weight   int      // bytes of them: the more, the surer
	said     []piece
}

// piece is a part of the answer: text, or the value with an index from 0.
type piece struct {
	text  string
	value int // -1 for text
	word  bool
}

func newPattern(key, said string) pattern {
	p := pattern{literals: []string{""}}
	for _, part := range verbs(key) {
		if part.value < 0 {
			p.literals[len(p.literals)-1] += part.text
			p.weight += len(part.text)
		} else {
			p.literals = append(p.literals, "")
		}
	}
	p.said = verbs(said)
	return p
}

// verbs cuts a format into texts and values.
func verbs(format string) (out []piece) {
	next := 0
	for format != "" {
		before, rest, found := strings.Cut(format, "%")
		if before != "" {
			out = append(out, piece{text: before, value: -1})
		}
		if !found {
			break
		}
		if strings.HasPrefix(rest, "%") {
			out, format = append(out, piece{text: "%", value: -1}), rest[1:]
			continue
		}
		if in, ok := strings.CutPrefix(rest, "["); ok {
			index, after, _ := strings.Cut(in, "]")
			n, _ := strconv.Atoi(index) // a test reads all formats
			next, rest = n-1, after
		}
		rest = strings.TrimLeft(rest, "+-# 0123456789.")
		if rest == "" {
			break
		}
		out, format = append(out, piece{value: next, word: rest[0] == 'w'}), rest[1:]
		next++
	}
	return out
}

// sortPatterns puts first what has most words of its own.
func sortPatterns(all []pattern) {
	slices.SortFunc(all, func(a, b pattern) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), slices.Compare(a.literals, b.literals))
	})
}

// match takes the values out of a sentence. None of them is empty.
func (p pattern) match(s string) (values []string, ok bool) {
	last := len(p.literals) - 1
	if len(s) <= p.weight || !strings.HasPrefix(s, p.literals[0]) || !strings.HasSuffix(s, p.literals[last]) {
		return nil, false
	}
	s = s[len(p.literals[0]) : len(s)-len(p.literals[last])]
	for _, literal := range p.literals[1:last] {
		value, rest, found := strings.Cut(s, literal)
		if !found || value == "" {
			return nil, false
		}
		values, s = append(values, value), rest
	}
	return append(values, s), s != ""
}

// fill writes the sentence in the other language.
func (p pattern) fill(values []string, say func(string) string) string {
	var b strings.Builder
	for _, part := range p.said {
		switch {
		case part.value < 0:
			b.WriteString(part.text)
		case part.value < len(values) && part.word:
			b.WriteString(say(values[part.value]))
		case part.value < len(values):
			b.WriteString(values[part.value])
		}
	}
	return b.String()
}
