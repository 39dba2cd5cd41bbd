package profile

import (
	"encoding/json"
	"errors"
	"fmt"
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
	s := selection{docs: map[Source]*document{}}
	for _, in := range []struct {
		source Source
		raw    json.RawMessage
	}{{FromIDToken, d.IDToken}, {FromProfile, d.Profile}, {FromTokenResponse, d.TokenResponse}} {
		if in.raw == nil {
			continue
		}
		v, depth, err := parseJSON(in.raw, WideLimits())
		if err != nil {
			return Attributes{}, s.result, fmt.Errorf("profile: %s: %w", in.source, err)
		}
		s.docs[in.source] = &document{value: v, bytes: len(in.raw), depth: depth}
	}
	var emailFrom Source
	for _, sel := range c.single {
		if sel.query == nil {
			continue
		}
		if sel.name == nameEmailVerified && sel.given.Source == "" && emailFrom != "" {
			sel.given.Source = emailFrom
		}
		nodes, from, why := s.find(sel)
		if why == "" {
			why = s.set(sel.name, nodes[0])
		}
		switch {
		case why == "":
			if sel.name == nameEmail {
				emailFrom = from
			}
		case sel.name == nameFederationID:
			return Attributes{}, s.result, fmt.Errorf("%w: %s in %s %s", ErrNoFederationID, Untrusted(sel.given.Path), from, why)
		default:
			s.result.Misses = append(s.result.Misses, Miss{sel.name, sel.given.Path, from, why})
		}
	}
	if s.attributes.Email == "" {
		s.result.EmailVerified = Absent // of no address
	}
	if c.single[0].query == nil {
		return Attributes{}, s.result, fmt.Errorf("%w: no selector", ErrNoFederationID)
	}
	for _, sel := range c.custom {
		nodes, from, why := s.find(sel)
		if why == "" {
			why = s.setCustom(sel.name, nodes)
		}
		if why != "" {
			s.result.Misses = append(s.result.Misses, Miss{"custom." + sel.name, sel.given.Path, from, why})
		}
	}
	return s.attributes, s.result, nil
}

// selection is one run of Select.
type selection struct {
	docs       map[Source]*document
	attributes Attributes
	result     Result
	customSize int
}

// find returns the nodes a selector gives in the first document that has any
// that counts; why is empty then.
func (s *selection) find(sel selector) (nodes []any, from Source, why string) {
	sources := []Source{sel.given.Source}
	if sel.given.Source == "" {
		sources = []Source{FromIDToken, FromProfile}
	}
	for _, from = range sources {
		doc := s.docs[from]
		if doc == nil {
			if why == "" {
				why = "there was no such document"
			}
			continue
		}
		found, err := sel.query.run(doc)
		if err != nil {
			why = err.Error()
			continue
		}
		nodes = nodes[:0]
		for _, n := range found {
			if n != nil && n != "" {
				nodes = append(nodes, n)
			}
		}
		switch {
		case len(nodes) > 0:
			return nodes, from, ""
		case len(found) > 0:
			why = "found only null or empty text"
		default:
			why = "matched nothing"
		}
	}
	return nil, from, why
}
