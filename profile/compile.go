package profile

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxCustom is how many custom attributes a connection may have.
const maxCustom = 64

// Caps of Selector.Missing.
const (
	maxMissing      = 16
	maxMissingBytes = 256
)

var customName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// Compiled selectors: immutable, safe to use from many goroutines.
type Compiled struct {
	single []selector // of the standard attributes, in the order of fields
	custom []selector // sorted by name
}

// selector is one compiled Selector.
type selector struct {
	name        string
	label       string // in misses and warnings
	given       Selector
	cardinality Cardinality // never empty
	whole       bool        // a list is no value and not taken apart
	query       *query      // nil: the attribute is not selected
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

	// The custom attribute that speaks of the phone number.
	namePhoneVerified = "phone_number_verified"
)

// fieldPrefix begins the path of every selector's faults.
const fieldPrefix = "selectors."

// customPrefix begins a custom attribute's name in faults and misses.
const customPrefix = "custom."

// namedSelector is a standard attribute with its selector.
type namedSelector struct {
	name  string
	given Selector
}

// standard lists the standard attributes in the order they are read.
func (s Selectors) standard() []namedSelector {
	return []namedSelector{
		{nameFederationID, s.FederationID},
		{nameFirstName, s.FirstName},
		{nameLastName, s.LastName},
		{nameDisplayName, s.DisplayName},
		{nameEmail, s.Email},
		{nameEmailVerified, s.EmailVerified},
		{namePhone, s.Phone},
		{namePicture, s.Picture},
	}
}

// Compile checks every selector and makes them ready to run. All faults are
// reported at once, joined with errors.Join, each a *[FieldError] whose Path is
// "selectors." and the field. Store the admin's text, never the compiled form.
func Compile(sel Selectors) (*Compiled, error) {
	c := &Compiled{}
	var faults []error
	for _, f := range sel.standard() {
		s, errs := compileSelector(f.name, f.given, true)
		c.single, faults = append(c.single, s), append(faults, errs...)
	}
	if sel.FederationID.Path == "" {
		faults = append(faults, &FieldError{fieldPrefix + nameFederationID, "is required", "name the member that identifies the person, such as sub or id"})
	}
	custom, errs := compileCustom(sel.Custom)
	c.custom, faults = custom, append(faults, errs...)
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return c, nil
}

func compileCustom(custom map[string]Selector) (compiled []selector, faults []error) {
	if len(custom) > maxCustom {
		faults = append(faults, &FieldError{fieldPrefix + "custom", fmt.Sprintf("has %d attributes, at most %d are allowed", len(custom), maxCustom), ""})
	}
	for _, name := range slices.Sorted(maps.Keys(custom)) {
		path := fieldPrefix + customPrefix + name
		switch {
		case !customName.MatchString(name):
			faults = append(faults, badCustomName(name))
			continue
		case reserved(name):
			faults = append(faults, &FieldError{path, "is a name our tokens or the standard attributes use", "choose another name"})
		case custom[name].Path == "":
			faults = append(faults, &FieldError{path, "has no path", "write a path such as user.groups, or remove the attribute"})
		}
		s, errs := compileSelector(name, custom[name], false)
		compiled, faults = append(compiled, s), append(faults, errs...)
	}
	return compiled, faults
}

func badCustomName(name string) *FieldError {
	return &FieldError{fieldPrefix + "custom", fmt.Sprintf("has the name %s", Untrusted(name)), "use lower-case letters, digits and _, beginning with a letter, at most 64"}
}

func compileSelector(name string, given Selector, standard bool) (selector, []error) {
	s := selector{
		name: name, label: name, given: given, cardinality: given.Cardinality,
		whole: name == nameFederationID || name == nameEmailVerified || name == namePhoneVerified,
	}
	s.given.Missing, s.given.TrueAs = slices.Clone(given.Missing), slices.Clone(given.TrueAs)
	if !standard {
		s.label = customPrefix + name
	}
	path := fieldPrefix + s.label
	var faults []error
	add := func(field, problem, fix string) { faults = append(faults, &FieldError{path + field, problem, fix}) }
	switch given.Source {
	case "", FromIDToken, FromProfile, FromTokenResponse:
	default:
		add(".source", "is not known", "use id_token, profile, token_response, or leave it out")
	}
	switch c := given.Cardinality; {
	case c == "" && standard:
		s.cardinality = One
	case c == "":
		s.cardinality = List
	case c != One && c != First && c != List:
		add(".cardinality", "is not known", "use one, first, list, or leave it out")
	case c == List && standard:
		add(".cardinality", "is list, and this attribute has one value", "use one or first, or a custom attribute")
	case c == First && s.whole:
		add(".cardinality", "is first, and an order can change: the value would be another's", "use one, with a path or a filter that selects one value")
	}
	if len(given.Missing) > maxMissing {
		add(".missing", fmt.Sprintf("has %d values, at most %d are allowed", len(given.Missing), maxMissing), "")
	}
	for _, m := range given.Missing {
		if len(m) > maxMissingBytes || !utf8.ValidString(m) {
			add(".missing", fmt.Sprintf("has a value over %d bytes or not UTF-8", maxMissingBytes), "list short texts such as N/A")
			break
		}
	}
	if len(given.TrueAs) > 0 && name != nameEmailVerified {
		add(".true_as", "is for email_verified alone", "remove it")
	}
	for _, text := range given.TrueAs {
		if text == "" || len(text) > 32 || len(given.TrueAs) > 8 || slices.Contains([]string{"0", "false"}, strings.ToLower(text)) {
			add(".true_as", "is no short list of words that mean true", `list at most 8, such as "true" and "1"`)
			break
		}
	}
	if given.Path == "" {
		return s, faults
	}
	q, problems := compileQuery(given.Path)
	for _, p := range problems {
		add("", p.problem, p.fix)
	}
	if q != nil && standard && !q.singular && given.Cardinality == "" {
		add("", "can select several values, and this attribute has one",
			"name one, as in email[0], or say with cardinality which counts: one (several are left out) or first")
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
