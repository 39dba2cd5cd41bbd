package federation

import (
	"errors"

	"gatehouse/profile"
)

// selection is a connection's compiled selectors.
type selection struct {
	compiled *profile.Compiled
	// split: the record reads address and verification from two documents, so
	// one does not speak of the other.
	split bool
	// bySubject: the federation id is the ID token's sub, as it stands there.
	bySubject bool
}

func compileSelection(sel profile.Selectors) (*selection, error) {
	if sel.FederationID.Path == "" && sel.Email.Path == "" && len(sel.Custom) == 0 {
		sel = profile.DefaultSelectors()
	}
	c, err := profile.Compile(sel)
	if err != nil {
		return nil, fault(BlameOurs, CodeConnectionInvalid, "selectors do not compile: %w", err)
	}
	return &selection{compiled: c, split: splitEmail(sel), bySubject: bySubject(sel.FederationID)}, nil
}

func bySubject(s profile.Selector) bool {
	return (s.Path == "sub" || s.Path == "$.sub" || s.Path == "$['sub']") && (s.Source == "" || s.Source == profile.FromIDToken)
}

func splitEmail(sel profile.Selectors) bool {
	v := sel.EmailVerified
	return v.Path != "" && v.Source != "" && v.Source != sel.Email.Source
}

// read fills in the part of an identity that selectors find.
func (s *selection) read(d profile.Documents, v *VerifiedIdentity) error {
	attributes, result, err := s.compiled.Select(d)
	switch {
	case errors.Is(err, profile.ErrNoFederationID):
		return fault(BlameProvider, CodeFederationIDAbsent, "%w", err)
	case err != nil:
		return fault(BlameProvider, CodeAttributesInvalid, "%w", err)
	}
	v.attributes, v.emailVerified = attributes, result.EmailVerified
	if s.split {
		v.emailVerified = profile.Absent
	}
	if attributes.Email != "" {
		if v.email, err = profile.ParseEmail(attributes.Email); err != nil {
			return fault(BlameProvider, CodeAttributesInvalid, "the selected e-mail is not an address")
		}
	}
	for _, m := range result.Misses {
		v.warnings = append(v.warnings, m.Attribute+": "+m.Why)
		v.missed = append(v.missed, m.Attribute)
	}
	v.warnings = append(v.warnings, result.Warnings...)
	return nil
}
