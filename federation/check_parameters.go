package federation

import (
	"fmt"
	"slices"
	"strings"

	"gatehouse/store"
)

const maxParameters = 32

// defaultParameter fills in how a parameter travels when that is the same for
// all requests it goes into.
func defaultParameter(p *store.Parameter) {
	if p.As != "" || len(p.In) == 0 {
		return
	}
	as := ""
	for _, in := range p.In {
		usual := map[string]string{inAuthorize: asQuery, inToken: asForm, inRefresh: asForm, inProfile: asQuery}[in]
		if usual == "" || as != "" && usual != as {
			return // each takes its own
		}
		as = usual
	}
	p.As = as
}

// parameters checks what is sent along with requests to the provider.
func (c *checker) parameters() {
	if len(c.conn.Parameters) > maxParameters {
		c.fault("parameters", fmt.Sprintf("are more than %d", maxParameters), "remove some")
		return
	}
	taken := map[string]string{}
	for i, p := range c.conn.Parameters {
		path := fmt.Sprintf("parameters[%d]", i)
		c.parameterPlace(path, p)
		c.parameterName(path, p)
		c.parameterValue(path, p)
		for _, in := range p.In {
			key := in + " " + strings.ToLower(p.Name)
			if taken[key] != "" && taken[key] != path {
				c.fault(path+".name", "is also sent by "+taken[key]+" with "+in, "keep one of them")
			}
			taken[key] = path
		}
	}
}

func (c *checker) parameterPlace(path string, p store.Parameter) {
	if len(p.In) == 0 {
		c.fault(path+".in", "is missing", "list some of authorize, token, refresh, profile")
	}
	for i, in := range p.In {
		at := fmt.Sprintf("%s.in[%d]", path, i)
		if !c.word(at, in, inAuthorize, inToken, inRefresh, inProfile) {
			continue
		}
		switch {
		case slices.Contains(p.In[:i], in):
			c.fault(at, "is there twice", "remove one")
		case in == inAuthorize && !c.browser():
			c.unused(true, at, "this grant has no authorize request")
		case in == inRefresh && !c.conn.RefreshLogin:
			c.unused(true, at, "refresh_login is off")
		case in == inProfile && !c.fetchesProfile():
			c.unused(true, at, "no profile is fetched")
		}
	}
	if !c.word(path+".as", p.As, "", asQuery, asForm, asHeader) {
		return
	}
	switch {
	case slices.Contains(p.In, inAuthorize) && (p.As == asForm || p.As == asHeader):
		c.fault(path+".as", "is "+p.As+", and a browser is sent to authorize with a query only", "use query, and a second parameter for the other requests")
	case slices.Contains(p.In, inProfile) && p.As == asForm && c.conn.Profile.Method != "POST":
		c.fault(path+".as", "is form, and the profile is fetched with GET", "use query or header, or set profile.method to POST")
	}
}

func (c *checker) parameterName(path string, p store.Parameter) {
	path += ".name"
	if p.As == asHeader {
		if reservedHeader(p.Name) {
			c.fault(path, "is not the name of a header that may be set", "use the name in the provider's documentation; Authorization, Cookie and those of HTTP itself are ours")
		} else if c.conn.Profile.TokenName != "" && strings.EqualFold(p.Name, c.conn.Profile.TokenName) && slices.Contains(p.In, inProfile) {
			c.fault(path, "is the name the access token travels under", "choose another")
		}
		return
	}
	if !parameterName.MatchString(p.Name) {
		c.fault(path, "is not a parameter's name", "use 1 to 64 letters, digits, _, -, ., ~, :, [ and ]")
		return
	}
	if where := c.ours(strings.ToLower(p.Name), p.In); where != "" {
		c.fault(path, "is a parameter that Gatehouse sends itself with "+where, "choose another name; nothing may override it")
	}
}

// ours names the request in which we send a parameter of that name ourselves.
func (c *checker) ours(name string, in []string) string {
	n, conn := c.conn.PKCENames, c.conn
	sent := map[string][]string{
		inAuthorize: {n.Challenge, n.Method, conn.Hint.Parameter, conn.DomainHint.Parameter},
		inToken:     {n.Verifier},
		inProfile:   {conn.Profile.TokenName, "access_token"},
	}
	for _, where := range in {
		names := sent[where]
		if where != inProfile {
			names = append(names, standardParameters()...)
		}
		for _, s := range names {
			if s == "" || strings.ToLower(s) != name {
				continue
			}
			switch {
			case s == "scope" && where != inAuthorize:
				continue // some want it at the token endpoint too, where we send none
			case conn.Grant == store.GrantExtension && (s == "username" || s == "password" || s == "assertion"):
				continue // such a grant sends nothing of its own but its type
			}
			return where
		}
	}
	return ""
}

func (c *checker) parameterValue(path string, p store.Parameter) {
	if !c.word(path+".source", p.Source, store.FromConstant, store.FromConfiguration, store.FromRequest, store.FromSession) {
		return
	}
	if p.Source == store.FromSession && !c.browser() {
		c.fault(path+".source", "is the session, and a login without a browser has none",
			"use request: the app sends the value under a name that its record lists under forward_parameters")
		return
	}
	path += ".value"
	switch p.Source {
	case store.FromConstant:
		switch {
		case p.Value == "" || len(p.Value) > maxLent || !plain(p.Value):
			c.fault(path, fmt.Sprintf("is missing, over %d bytes or has control characters", maxLent), "write the value to send")
		case strings.Contains(p.Value, "${") || strings.Contains(p.Value, "{{") || simplePlaceholder.MatchString(p.Value):
			// H6: constants are constant.
			c.fault(path, "holds a placeholder, which would be sent as it stands", "use another source: configuration, request or session")
		}
	case store.FromConfiguration:
		if c.word(path, p.Value, "client_id", "client_secret", "scope", "grant_type") {
			c.configurationValue(path, p)
		}
	case store.FromRequest:
		if !parameterName.MatchString(p.Value) || slices.Contains(standardParameters(), strings.ToLower(p.Value)) {
			c.fault(path, "is not a parameter that apps may lend", "name one that is no part of OAuth, and list it at the client under forward_parameters")
		}
	case store.FromSession:
		connection, kind, attribute, ok := sessionReference(p.Value)
		switch {
		case !ok || !slugPattern.MatchString(connection) || !attributeName.MatchString(attribute):
			c.fault(path, "is not an attribute of the session", "write <connection>.<profile or security>.<attribute>, such as acme.profile.employee_id")
		case kind == "security" && (p.As == asQuery || slices.Contains(p.In, inAuthorize)):
			c.fault(path, "would put a security attribute in a URL, which is written down everywhere", "send it as form or header")
		}
	}
}

func (c *checker) configurationValue(path string, p store.Parameter) {
	switch p.Value {
	case "client_secret":
		if c.conn.ClientSecret.IsZero() {
			c.fault(path, "is the client secret, and there is none", "set client_secret, or remove the parameter")
		}
		if p.As == asQuery || slices.Contains(p.In, inAuthorize) || p.As == "" && slices.Contains(p.In, inProfile) {
			c.fault(path, "would put the client secret in a URL, which is written down everywhere", "send it as form or header, and not with authorize")
		}
	case "grant_type":
		if slices.Contains(p.In, inAuthorize) || slices.Contains(p.In, inProfile) {
			c.fault(path, "is the grant type, which only token and refresh requests have", "send it with token or refresh")
		}
	}
}
