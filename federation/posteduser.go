package federation

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"gatehouse/profile"
	"gatehouse/store"
)

// Bounds of what a provider's form says of the person: Apple's is one name.
const (
	maxPostedUser = 2048 // bytes of the JSON
	maxPostedName = 256  // bytes of one name
)

// postedName and postedUser are what is read of the form field `user`, which
// Apple posts beside the code at a person's first login, and what becomes of
// it: a profile with these two texts and nothing else.
type postedUser struct {
	Name postedName `json:"name"`
}

type postedName struct {
	First string `json:"firstName,omitempty"`
	Last  string `json:"lastName,omitempty"`
}

// PostedUser reads the form field `user`. It came through the browser, so
// anybody can have written it: only names are read of it, never an address, and
// it is as good as what people type about themselves. What is not well-formed,
// too long or without a name is not there: no login fails for it.
func PostedUser(raw string) (user string, ok bool) {
	v, err := profile.ParseJSON([]byte(raw), profile.Limits{Bytes: maxPostedUser, Depth: 4, Nodes: 64})
	if err != nil {
		return "", false
	}
	o, _ := v.(map[string]any)
	name, _ := o["name"].(map[string]any)
	u := postedUser{Name: postedName{First: soundName(name["firstName"]), Last: soundName(name["lastName"])}}
	if u == (postedUser{}) {
		return "", false
	}
	out, err := json.Marshal(u)
	return string(out), err == nil
}

func soundName(v any) string {
	s, _ := v.(string)
	if len(s) > maxPostedName || !utf8.ValidString(s) || profile.Untrusted(s).Clean(maxPostedName) != s {
		return ""
	}
	return s
}

// postedDocument is the profile of a connection that takes it from the form.
func postedDocument(conn *store.Connection, params url.Values) []byte {
	raw := params["user"]
	if conn.Profile.Kind != store.ProfilePosted || len(raw) != 1 {
		return nil
	}
	if user, ok := PostedUser(raw[0]); ok {
		return []byte(user)
	}
	return nil
}

// readPosted adds names from the form to an identity that is complete without
// them: nothing else of it is ever read from there, whatever selectors say.
func (s *selection) readPosted(d profile.Documents, posted []byte, v *VerifiedIdentity) error {
	if posted == nil {
		return nil
	}
	d.Profile = posted
	with, _, err := s.compiled.Select(d)
	if err != nil {
		return fault(BlameProvider, CodeAttributesInvalid, "%w", err)
	}
	for _, n := range []struct {
		name string
		at   *string
		text string
	}{
		{"first_name", &v.attributes.FirstName, with.FirstName},
		{"last_name", &v.attributes.LastName, with.LastName},
		{"display_name", &v.attributes.DisplayName, with.DisplayName},
	} {
		if *n.at != "" || n.text == "" {
			continue
		}
		*n.at = n.text
		v.missed = slices.DeleteFunc(v.missed, func(m string) bool { return m == n.name })
		v.warnings = slices.DeleteFunc(v.warnings, func(w string) bool { return strings.HasPrefix(w, n.name+": ") })
	}
	return nil
}

// AttributesAfter are the attributes of a login, given those of the one before:
// the same as Attributes, but where names come only with a person's first login
// (profile kind posted_user) the known ones stay.
func (v VerifiedIdentity) AttributesAfter(before profile.Attributes) profile.Attributes {
	a := v.Attributes()
	if v.connection.Profile.Kind == store.ProfilePosted && a.FirstName+a.LastName+a.DisplayName == "" {
		a.FirstName, a.LastName, a.DisplayName = before.FirstName, before.LastName, before.DisplayName
	}
	return a
}
