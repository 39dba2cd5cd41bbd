package profile

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// ErrNoFederationID: the one attribute a login cannot do without was not
// found, or is not usable. The error says why.
var ErrNoFederationID = errors.New("profile: no federation id")

// Select reads the attributes out of what a provider answered. A selector that
// finds nothing, or nothing usable, leaves its attribute out and appears in the
// Result; only a missing federation id (ErrNoFederationID) or a document that
// is not acceptable (ErrJSON) is an error. Errors, misses and warnings hold no
// text of the documents.
func (c *Compiled) Select(d Documents) (Attributes, Result, error) {
	var s selection
	if err := s.decode(d); err != nil {
		return Attributes{}, s.result, err
	}
	return c.evaluate(&s)
}

// selection is one run of Select.
type selection struct {
	idToken, profile, tokenResponse *document

	attributes Attributes
	result     Result
	customSize int
}

func (s *selection) decode(d Documents) error {
	for _, in := range []struct {
		source Source
		raw    json.RawMessage
		doc    **document
	}{
		{FromIDToken, d.IDToken, &s.idToken},
		{FromProfile, d.Profile, &s.profile},
		{FromTokenResponse, d.TokenResponse, &s.tokenResponse},
	} {
		if in.raw == nil {
			continue
		}
		v, depth, err := parseJSON(in.raw, WideLimits())
		if err != nil {
			return fmt.Errorf("profile: %s: %w", in.source, err)
		}
		*in.doc = &document{value: v, bytes: len(in.raw), depth: depth}
	}
	return nil
}

// evaluate runs the selectors on decoded documents.
func (c *Compiled) evaluate(s *selection) (Attributes, Result, error) {
	if c.single[0].query == nil {
		return Attributes{}, s.result, fmt.Errorf("%w: no selector", ErrNoFederationID)
	}
	s.result.Hits = make([]Hit, 0, len(c.single)+len(c.custom))
	var emailFrom, phoneFrom Source
	for i := range c.single {
		sel := &c.single[i]
		if sel.query == nil {
			continue
		}
		source := sel.given.Source
		if sel.name == nameEmailVerified && source == "" {
			source = emailFrom
		}
		from, why := s.read(sel, source)
		switch {
		case why != "" && sel.name == nameFederationID:
			return Attributes{}, s.result, fmt.Errorf("%w: %s in %s %s", ErrNoFederationID, Untrusted(sel.given.Path), from, why)
		case why != "":
		case sel.name == nameEmail:
			emailFrom = from
		case sel.name == namePhone:
			phoneFrom = from
		}
	}
	if s.attributes.Email == "" {
		s.result.EmailVerified = Absent // of no address
	}
	for i := range c.custom {
		sel := &c.custom[i]
		source := sel.given.Source
		if sel.name == namePhoneVerified {
			if phoneFrom == "" {
				s.miss(sel, source, matchedNothing) // of no number
				continue
			}
			if source == "" {
				source = phoneFrom
			}
		}
		s.read(sel, source)
	}
	return s.attributes, s.result, nil
}

// Why nothing was found, as opposed to something that was not usable.
const (
	noDocument     = "there was no such document"
	matchedNothing = "matched nothing"
	foundMissing   = "found only null, empty text or what counts as missing"
)

// read finds a selector's values and puts them where they go. A non-empty why
// says why it could not; it is in the result then.
func (s *selection) read(sel *selector, source Source) (from Source, why string) {
	nodes, from, why := s.find(sel, source)
	if why == "" {
		nodes, why = s.take(sel, nodes)
	}
	if why == "" {
		if sel.label == sel.name {
			why = s.set(sel.name, sel.truth(nodes[0]))
		} else {
			nodes, why = s.setCustom(sel, nodes)
		}
	}
	if why != "" {
		s.miss(sel, from, why)
		return from, why
	}
	s.result.Hits = append(s.result.Hits, Hit{sel.label, sel.given.Path, from, len(nodes)})
	return from, ""
}

func (s *selection) miss(sel *selector, from Source, why string) {
	if sel.given.Optional && (why == noDocument || why == matchedNothing || why == foundMissing) {
		return
	}
	s.result.Misses = append(s.result.Misses, Miss{sel.label, sel.given.Path, from, why})
}

// find returns the nodes a selector gives in the first document that has any
// that counts; why is empty then. An empty list counts: it is an answer, which
// a later document does not overrule.
func (s *selection) find(sel *selector, source Source) (nodes []any, from Source, why string) {
	if source != "" {
		nodes, why = s.findIn(sel, s.document(source))
		return nodes, source, why
	}
	if nodes, why = s.findIn(sel, s.idToken); why == "" {
		return nodes, FromIDToken, ""
	}
	nodes, second := s.findIn(sel, s.profile)
	if second != noDocument {
		why = second
	}
	return nodes, FromProfile, why
}

func (s *selection) document(source Source) *document {
	switch source {
	case FromIDToken:
		return s.idToken
	case FromProfile:
		return s.profile
	case FromTokenResponse:
		return s.tokenResponse
	}
	return nil
}

func (s *selection) findIn(sel *selector, doc *document) (nodes []any, why string) {
	if doc == nil {
		return nil, noDocument
	}
	found, err := sel.query.run(doc)
	if err != nil {
		return nil, err.Error()
	}
	if len(found) == 0 {
		return nil, matchedNothing
	}
	if found = sel.present(found); len(found) == 0 {
		return nil, foundMissing
	}
	return found, ""
}

// present returns the nodes that do not count as missing; it may change the
// slice, which is this run's own.
func (sel *selector) present(nodes []any) []any {
	return slices.DeleteFunc(nodes, func(v any) bool {
		text, ok := scalar(v)
		return v == nil || ok && (text == "" || slices.Contains(sel.given.Missing, text))
	})
}

// truth reads a text or number as the boolean that TrueAs makes of it.
func (sel *selector) truth(v any) any {
	if text, ok := scalar(v); ok && len(sel.given.TrueAs) > 0 {
		return slices.Contains(sel.given.TrueAs, text)
	}
	return v
}

// take applies the cardinality: at least one value, at most what it allows.
func (s *selection) take(sel *selector, nodes []any) (values []any, why string) {
	values = nodes
	if !sel.whole && slices.ContainsFunc(nodes, isList) {
		values = make([]any, 0, len(nodes))
		for _, n := range nodes {
			if list, ok := n.([]any); ok {
				values = append(values, list...)
			} else {
				values = append(values, n)
			}
		}
		values = sel.present(values)
	}
	switch {
	case len(values) == 0:
		return nil, foundMissing
	case sel.cardinality == First:
		return values[:1], ""
	case sel.cardinality == One && len(values) > 1:
		s.warn("%s: left out: there are several values and the selector takes exactly one", sel.label)
		return nil, "found several values"
	}
	return values, ""
}

func isList(v any) bool {
	_, ok := v.([]any)
	return ok
}
