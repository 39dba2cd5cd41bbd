package federation

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"gatehouse/profile"
	"gatehouse/store"
)

// fetchesProfile reports whether a request for the profile is made.
func (c *checker) fetchesProfile() bool {
	switch c.conn.Profile.Kind {
	case store.ProfileURL, store.ProfileURLInURL, store.ProfileURLInTokenResponse:
		return true
	case "":
		return c.oidc() && c.conn.UseUserinfo
	}
	return false
}

// profile checks where the profile document comes from.
func (c *checker) profile() {
	p := c.conn.Profile
	if !c.word("profile.kind", p.Kind, "", store.ProfileNone, store.ProfileURL, store.ProfileURLInURL, store.ProfileTokenResponse, store.ProfileURLInTokenResponse, store.ProfilePosted) {
		return
	}
	if !c.oidc() && (p.Kind == "" || p.Kind == store.ProfileNone) {
		c.fault("profile.kind", "is missing, and without an ID token nothing else says who signed in",
			`use "url", "url_in_url", "token_response" or "url_in_token_response"`)
	}
	if p.Kind == store.ProfilePosted && (!c.oidc() || !c.browser() || c.conn.ResponseMode != "form_post") {
		c.fault("profile.kind", "is posted_user, which only an OpenID provider posts that answers with a form",
			`use another kind, or kind "oidc" with response_mode "form_post"`)
	}
	words := c.word("profile.method", p.Method, "", "GET", "POST")
	words = c.word("profile.token_as", p.TokenAs, "", asHeader, asForm, asQuery) && words
	asked := p.Kind == store.ProfileURL || p.Kind == store.ProfileURLInURL
	found := p.Kind == store.ProfileURLInURL || p.Kind == store.ProfileURLInTokenResponse
	if asked {
		if p.URL == "" {
			c.fault("profile.url", "is missing", "write the URL of the provider's profile endpoint")
		} else {
			c.url("profile.url", p.URL)
		}
	} else {
		c.unused(p.URL != "", "profile.url", "this kind of profile has no fixed URL")
	}
	if found {
		c.urlSelector(p.URLSelector)
		c.allowedHosts(p.AllowedHosts)
	} else {
		const because = "this kind of profile finds no URL in a response"
		c.unused(p.URLSelector.Path != "", "profile.url_selector", because)
		c.unused(len(p.AllowedHosts) > 0, "profile.allowed_hosts", because)
	}
	if asked || found {
		if words {
			c.profileRequest(p)
		}
		return
	}
	const because = "only the kinds with url in their name say how the profile is fetched"
	c.unused(words && p.TokenAs != "", "profile.token_as", because)
	c.unused(p.TokenName != "", "profile.token_name", because)
	c.unused(words && p.Method != "", "profile.method", because)
}

func (c *checker) profileRequest(p store.ProfileSource) {
	if p.TokenAs == asForm && p.Method != "POST" {
		c.fault("profile.token_as", "is form, and the profile is fetched with GET", "set profile.method to POST")
	}
	switch name := p.TokenName; {
	case name == "":
	case p.TokenAs == asForm || p.TokenAs == asQuery:
		if !parameterName.MatchString(name) {
			c.fault("profile.token_name", "is not a parameter's name", "leave it out for access_token")
		}
	case !strings.EqualFold(name, "Authorization") && reservedHeader(name):
		c.fault("profile.token_name", "is not the name of a header that may be set", "leave it out for Authorization")
	}
}

// urlSelector must find one URL, or which one is asked would be chance.
func (c *checker) urlSelector(s profile.Selector) {
	if s.Path == "" {
		c.fault("profile.url_selector", "is missing", "name the member that holds the profile's URL, such as id or links.profile")
		return
	}
	c.unused(s.Source != "", "profile.url_selector.source", "profile.kind says which response is read")
	s.Source = ""
	_, err := profile.Compile(profile.Selectors{FederationID: s})
	c.faults = append(c.faults, renamed(err, "selectors.federation_id", "profile.url_selector")...)
}

// allowedHosts are single hosts: a whole registrable domain of others is not
// ours to trust with an access token (H4).
func (c *checker) allowedHosts(hosts []string) {
	if len(hosts) > 16 {
		c.fault("profile.allowed_hosts", "are more than 16", "remove some")
	}
	for i, h := range hosts {
		path := fmt.Sprintf("profile.allowed_hosts[%d]", i)
		domain, err := profile.ParseDomain(h)
		suffix := ""
		if err == nil {
			suffix, _ = publicsuffix.PublicSuffix(domain)
		}
		switch {
		case err != nil && net.ParseIP(h) != nil && c.conn.AllowPrivateNetwork:
		case err != nil || suffix == domain:
			c.fault(path, "is not a host", "write the host's name alone, such as api.provider.test, without scheme, port and wildcard")
		case slices.Contains(hosts[:i], h):
			c.fault(path, "is there twice", "remove one")
		}
	}
}

// selectors checks what is read from the documents, and that they exist.
func (c *checker) selectors() {
	c.word("trust_email", c.conn.TrustEmail, TrustVerified, TrustAlways)
	s := c.conn.Selectors
	_, err := profile.Compile(s)
	c.faults = append(c.faults, renamed(err, "", "")...)
	if splitEmail(s) {
		c.fault("selectors.email_verified.source", "is another document than the address is read from",
			"give both the same source, or leave this one out")
	}
	named := map[string]profile.Selector{
		"federation_id": s.FederationID, "first_name": s.FirstName, "last_name": s.LastName, "display_name": s.DisplayName,
		"email": s.Email, "email_verified": s.EmailVerified, "phone": s.Phone, "picture": s.Picture,
	}
	for name, sel := range s.Custom {
		named["custom."+name] = sel
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		path := "selectors." + name + ".source"
		posted := c.conn.Profile.Kind == store.ProfilePosted && !slices.Contains([]string{"first_name", "last_name", "display_name"}, name)
		switch source := named[name].Source; {
		case posted && named[name].Path != "" && (source == profile.FromProfile || source == ""):
			c.fault(path, "would read what a browser posted, of which only names are taken", `use "id_token" or "token_response"`)
		case source == profile.FromProfile && !c.hasProfile():
			c.fault(path, "is the profile, which is not fetched", "set use_userinfo, or say in profile.kind where the profile is")
		case source == profile.FromIDToken && !c.oidc():
			c.fault(path, "is the ID token, which kind oauth2 does not have", "use profile or token_response")
		}
	}
}

func (c *checker) hasProfile() bool {
	return c.fetchesProfile() || c.conn.Profile.Kind == store.ProfileTokenResponse || c.conn.Profile.Kind == store.ProfilePosted
}

// renamed takes joined faults apart and gives them another path.
func renamed(err error, from, to string) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []error
		for _, e := range joined.Unwrap() {
			out = append(out, renamed(e, from, to)...)
		}
		return out
	}
	var f *profile.FieldError
	if !errors.As(err, &f) {
		return []error{err}
	}
	return []error{&profile.FieldError{Path: to + strings.TrimPrefix(f.Path, from), Problem: f.Problem, Fix: f.Fix}}
}
