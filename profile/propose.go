package profile

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Bounds of Propose: the work is at most some milliseconds, whatever the
// documents hold.
const (
	maxProposals     = 5
	proposeNodes     = 1000 // looked at in each document
	proposeDepth     = 6
	proposeChecked   = 40 // best candidates that are tried
	proposeElements  = 20 // of a list, looked at for the primary one
	proposeThreshold = 20
)

// Proposal is a selector that would have found a value.
type Proposal struct {
	// Selector is complete: path, source, and where needed the cardinality.
	Selector Selector
	// Sample is the value it finds, masked: enough to recognise one's own.
	Sample string
}

// Propose looks through the documents for what an unmatched selector may have
// meant and returns at most five selectors, the likeliest first. wanted is the
// attribute as in [Miss]. Candidates are judged by their names (what providers
// are known to call the attribute, what is spelt like the failed path) and by
// their values (an address, an https URL, a telephone number); each was run
// and gave a usable value. Tokens and claims of the protocol are never proposed.
func Propose(d Documents, wanted string, failed Selector) []Proposal {
	p, ok := newProposer(wanted, failed)
	if !ok {
		return nil
	}
	var docs selection
	for _, in := range []struct {
		source Source
		raw    []byte
		doc    **document
	}{{FromIDToken, d.IDToken, &docs.idToken}, {FromProfile, d.Profile, &docs.profile}, {FromTokenResponse, d.TokenResponse, &docs.tokenResponse}} {
		v, depth, err := parseJSON(in.raw, WideLimits())
		if err != nil {
			continue
		}
		*in.doc = &document{value: v, bytes: len(in.raw), depth: depth}
		p.explore(in.source, v)
	}
	slices.SortStableFunc(p.found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(len(a.path()), len(b.path())), cmp.Compare(a.path(), b.path()))
	})
	var out []Proposal
	for _, c := range p.found[:min(len(p.found), proposeChecked)] {
		if proposal, ok := p.try(c, docs); ok {
			if out = append(out, proposal); len(out) == maxProposals {
				break
			}
		}
	}
	return out
}

// try runs the candidate as the selector it would become.
func (p *proposer) try(c candidate, docs selection) (Proposal, bool) {
	given := Selector{Path: c.path(), Source: c.source, Cardinality: p.failed.Cardinality, Missing: p.failed.Missing, TrueAs: p.failed.TrueAs, Optional: p.failed.Optional}
	if given.Path == p.failed.Path && given.Source == p.failed.Source {
		return Proposal{}, false
	}
	if c.filtered && given.Cardinality == "" {
		given.Cardinality = One
	}
	sel, faults := compileSelector(p.name, given, p.standard)
	if sel.query == nil || len(faults) > 0 {
		return Proposal{}, false
	}
	if _, why := docs.read(&sel, c.source); why != "" {
		return Proposal{}, false
	}
	return Proposal{Selector: given, Sample: docs.sample(&sel)}, true
}

// candidate is a place in a document.
type candidate struct {
	source   Source
	long     string // $.a['b c'][0]
	short    string // a.b[0]; empty when there is no shorthand for it
	filtered bool
	score    int

	name   string // of the member, normal
	parent string // of the member around it, normal
	depth  int
	value  any
}

func (c candidate) path() string { return cmp.Or(c.short, c.long) }

func (c candidate) member(name string, v any) candidate {
	next := c
	next.value, next.depth, next.parent, next.name = v, c.depth+1, c.name, normalName(name)
	root := c.long == "$"
	if shortName(name) == name && name != "" {
		switch {
		case root:
			next.short = name
		case c.short != "":
			next.short = c.short + "." + name
		}
	} else {
		next.short = ""
	}
	next.long += longStep(name)
	return next
}

// element is one value of a list, its name still that of the list.
func (c candidate) element(step string, v any) candidate {
	c.value, c.long = v, c.long+step
	c.depth++
	if c.short != "" {
		c.short += step
	}
	if strings.HasPrefix(step, "[?") {
		c.short, c.filtered = "", true
	}
	return c
}

func longStep(name string) string {
	g := grammar{s: name}
	if name != "" && nameFirst([]rune(name)[0]) {
		if g.name(); g.i == len(name) {
			return "." + name
		}
	}
	return memberStep(name)
}

// explore collects the candidates of one document, shallow ones first.
func (p *proposer) explore(source Source, v any) {
	queue := []candidate{{source: source, long: "$", value: v}}
	for n := 0; n < len(queue) && n < proposeNodes; n++ {
		c := queue[n]
		if c.depth > 0 {
			if c.score = p.score(c); c.score >= proposeThreshold {
				p.found = append(p.found, c)
			}
		}
		if c.depth == proposeDepth {
			continue
		}
		switch v := c.value.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				if !unproposable(name) && len(name) <= 128 && !strings.ContainsFunc(name, hidden) && len(queue) < proposeNodes {
					queue = append(queue, c.member(name, v[name]))
				}
			}
		case []any:
			queue = append(queue, p.elements(c, v)...)
		}
	}
}

// elements are the ways to go on in a list: the one marked as primary, the
// first, or for a custom attribute all.
func (p *proposer) elements(c candidate, list []any) (out []candidate) {
	if len(list) == 0 {
		return nil
	}
	if !p.standard {
		if _, ok := list[0].(map[string]any); ok {
			out = append(out, c.element("[*]", list[0]))
		}
		return out // a list of plain values is a candidate as it is
	}
	for _, e := range list[:min(len(list), proposeElements)] {
		object, _ := e.(map[string]any)
		for _, mark := range []string{"primary", "is_primary", "isPrimary", "default", "main"} {
			if object[mark] == true {
				out = append(out, c.element("[?@."+mark+"==true]", e))
				break
			}
		}
		if len(out) > 0 {
			break
		}
	}
	return append(out, c.element("[0]", list[0]))
}

// unproposable members are secrets, or facts of the protocol and not of the
// person. _claim_sources points elsewhere and is never followed (U6).
func unproposable(name string) bool {
	n := normalName(name)
	for _, part := range []string{"token", "secret", "password", "assertion", "cookie", "apikey", "privatekey"} {
		if strings.Contains(n, part) {
			return true
		}
	}
	switch n {
	case "iss", "aud", "azp", "exp", "iat", "nbf", "jti", "nonce", "sid", "athash", "chash", "shash", "acr", "amr", "authtime", "typ", "cnf", "rat",
		"code", "state", "sessionstate", "expiresin", "scope", "clientid", "claimsources", "claimnames":
		return true
	}
	return false
}
