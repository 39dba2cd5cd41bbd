package profile

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// maxCustom is how many custom attributes a connection may have.
const maxCustom = 64

var customName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// Compiled selectors: immutable, safe to use from many goroutines.
type Compiled struct {
	single []selector // of the standard attributes, in the order of fields
	custom []selector // sorted by name
}

// selector is one compiled Selector.
type selector struct {
	name  string
	given Selector
	query *query // nil: the attribute is not selected
}

// The standard attributes, as they are named in records.
const (
	nameFederationID  = "federation_id"
	nameFirstName     = "first_name"
	nameLastName      = "last_name"
	nameDisplayName   = "display_name"
	nameEmail         = "email"
	nameEmailVerified = "email_verified"
	namePhone         = "phone"
	namePicture       = "picture"
)

// DefaultSelectors are the standard claims of OpenID Connect Core §5.1.
func DefaultSelectors() Selectors {
	return Selectors{
		FederationID:  Selector{Path: "sub", Source: FromIDToken},
		FirstName:     Selector{Path: "given_name"},
		LastName:      Selector{Path: "family_name"},
		DisplayName:   Selector{Path: "name"},
		Email:         Selector{Path: "email"},
		EmailVerified: Selector{Path: "email_verified"},
		Phone:         Selector{Path: "phone_number"},
		Picture:       Selector{Path: "picture"},
	}
}

// Compile checks every selector and makes them ready to run. All faults are
// reported at once, joined with errors.Join, each a *[FieldError] whose Path is
// "selectors." and the field. Store the admin's text, never the compiled form.
func Compile(sel Selectors) (*Compiled, error) {
	c := &Compiled{}
	var faults []error
	for _, f := range []struct {
		name  string
		given Selector
	}{
		{nameFederationID, sel.FederationID},
		{nameFirstName, sel.FirstName},
		{nameLastName, sel.LastName},
		{nameDisplayName, sel.DisplayName},
		{nameEmail, sel.Email},
		{nameEmailVerified, sel.EmailVerified},
		{namePhone, sel.Phone},
		{namePicture, sel.Picture},
	} {
		s, errs := compileSelector("selectors."+f.name, f.name, f.given, true)
		c.single, faults = append(c.single, s), append(faults, errs...)
	}
	if sel.FederationID.Path == "" {
		faults = append(faults, &FieldError{"selectors.federation_id", "is required", "name the member that identifies the person, such as sub or id"})
	}
	if len(sel.Custom) > maxCustom {
		faults = append(faults, &FieldError{"selectors.custom", fmt.Sprintf("has %d attributes, at most %d are allowed", len(sel.Custom), maxCustom), ""})
	}
	for _, name := range slices.Sorted(maps.Keys(sel.Custom)) {
		path := "selectors.custom." + name
		switch {
		case !customName.MatchString(name):
			faults = append(faults, &FieldError{"selectors.custom", fmt.Sprintf("has the name %s", Untrusted(name)), "use lower-case letters, digits and _, beginning with a letter, at most 64"})
			continue
		case reserved(name):
			faults = append(faults, &FieldError{path, "is a name our tokens or the standard attributes use", "choose another name"})
		case sel.Custom[name].Path == "":
			faults = append(faults, &FieldError{path, "has no path", "write a path such as user.groups, or remove the attribute"})
		}
		s, errs := compileSelector(path, name, sel.Custom[name], false)
		c.custom, faults = append(c.custom, s), append(faults, errs...)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return c, nil
}

func compileSelector(path, name string, given Selector, single bool) (selector, []error) {
	s := selector{name: name, given: given}
	var faults []error
	switch given.Source {
	case "", FromIDToken, FromProfile, FromTokenResponse:
	default:
		faults = append(faults, &FieldError{path + ".source", "is not known", "use id_token, profile, token_response, or leave it out"})
	}
	if given.Path == "" {
		return s, faults
	}
	q, problems := compileQuery(given.Path)
	for _, p := range problems {
		faults = append(faults, &FieldError{path, p.problem, p.fix})
	}
	if q != nil && single && !q.singular {
		faults = append(faults, &FieldError{path, "can select several values, and this attribute has one",
			"name one, as in email[0], without *, filters, slices, unions and .."})
	}
	s.query = q
	return s, faults
}

// reserved names are claims of our own tokens and the standard attributes: an
// upstream value never stands where an app reads ours (SECURITY-CASES U3, G1).
func reserved(name string) bool {
	switch name {
	case "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "typ", "auth_time", "nonce", "acr", "amr", "azp",
		"at_hash", "c_hash", "s_hash", "sid", "cnf", "act", "may_act", "events", "client_id", "scope", "scp",
		"active", "token_type", "role", "roles", "org", "org_id", "organization", "connection",
		"name", "given_name", "family_name", "email_verified", "phone_number", "updated_at",
		nameFederationID, nameFirstName, nameLastName, nameDisplayName, nameEmail, namePhone, namePicture, "custom":
		return true
	}
	return false
}
