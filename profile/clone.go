package profile

import (
	"maps"
	"slices"
)

// Clone copies the attributes so that nothing is shared.
func (a Attributes) Clone() Attributes {
	a.Custom = maps.Clone(a.Custom)
	for name, values := range a.Custom {
		a.Custom[name] = slices.Clone(values)
	}
	return a
}

// Clone copies the selector so that nothing is shared.
func (s Selector) Clone() Selector {
	s.Missing, s.TrueAs = slices.Clone(s.Missing), slices.Clone(s.TrueAs)
	return s
}

// Clone copies the selectors so that nothing is shared.
func (s Selectors) Clone() Selectors {
	for _, one := range []*Selector{
		&s.FederationID, &s.FirstName, &s.LastName, &s.DisplayName, &s.Email, &s.EmailVerified, &s.Phone, &s.Picture,
	} {
		*one = one.Clone()
	}
	s.Custom = maps.Clone(s.Custom)
	for name, one := range s.Custom {
		s.Custom[name] = one.Clone()
	}
	return s
}
