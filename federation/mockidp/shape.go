package mockidp

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Shape is how a provider departs from OpenID Connect: a plain OAuth 2.0 one
// has its profile somewhere, in a form of its own.
type Shape struct {
	// PlainOAuth2 leaves out ID tokens and the iss parameter and shows profiles
	// as they are written, whatever the scope.
	PlainOAuth2 bool
	// PKCENames of a provider that does not follow RFC 7636; "" keeps a name.
	PKCENames PKCENames
	// Profile says where the profile is.
	Profile ProfileShape
	// Passwords by login name allow grant_type=password.
	Passwords map[string]string
	// ExtensionGrants are further grant types; the form parameter username names
	// the person. The JWT bearer grant (RFC 7523) is always there: email or sub
	// of the assertion names the person, and its signature is not looked at.
	ExtensionGrants []string
}

// PKCENames are parameter names.
type PKCENames struct{ Challenge, Method, Verifier string }

func (n PKCENames) withDefaults() PKCENames {
	for _, d := range []struct {
		field *string
		value string
	}{{&n.Challenge, "code_challenge"}, {&n.Method, "code_challenge_method"}, {&n.Verifier, "code_verifier"}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	return n
}

// ProfileShape is where a profile is and how it is asked for.
type ProfileShape struct {
	// In is "" (at Path), token_response, url_in_token_response or url_in_url (at
	// /link stands the URL).
	In string
	// Member holds the profile or its URL, as user or links.profile. "" puts the
	// profile's members beside access_token; a URL is then in profile_url.
	Member string
	// Path of the profile endpoint. Default /userinfo, which is there anyway.
	Path string
	// Method is the only one taken: GET or POST. Default: both.
	Method string
	// TokenAs is the only way the access token is taken at Path and /link:
	// header, form or query, under TokenName. Default: header and form.
	TokenAs, TokenName string
	// URL is named in place of the profile's own, to see who follows it.
	URL string
}

func profileIns() []string {
	return []string{"", "token_response", "url_in_token_response", "url_in_url"}
}

// check reports faults of the shape by path and problem.
func (s Shape) check(fault func(path, format string, args ...any)) {
	p := s.Profile
	if !slices.Contains(profileIns(), p.In) {
		fault("profile.in", "%q is none of token_response, url_in_token_response, url_in_url", p.In)
	}
	if p.Path != "" && (!strings.HasPrefix(p.Path, "/") || strings.ContainsAny(p.Path, " {}?#") || strings.HasPrefix(p.Path, "/mock/")) {
		fault("profile.path", "%q is not a path such as /api/me", p.Path)
	}
	if !slices.Contains([]string{"", "GET", "POST"}, p.Method) {
		fault("profile.method", "%q is neither GET nor POST", p.Method)
	}
	if !slices.Contains([]string{"", "header", "form", "query"}, p.TokenAs) {
		fault("profile.token_as", "%q is none of header, form, query", p.TokenAs)
	}
	for name := range s.Passwords {
		if problem := checkUsername(name); problem != "" {
			fault("passwords."+name, "%s", problem)
		}
	}
}

// linkPath is where url_in_url has the profile's URL.
const linkPath = "/link"

// shapeRoutes adds the endpoints that only this shape has.
func (p *Provider) shapeRoutes(add func(pattern, name string, serve http.HandlerFunc)) {
	if path := p.cfg.Shape.Profile.Path; path != "" && path != "/userinfo" {
		add(path, "profile", p.serveUserinfo)
	}
	if p.cfg.Shape.Profile.In == "url_in_url" {
		add(linkPath, "profile_link", p.serveLink)
	}
}

// serveLink answers a document that holds the profile's URL.
func (p *Provider) serveLink(w http.ResponseWriter, r *http.Request) {
	if _, _, ok := p.profileLogin(w, r); !ok {
		return
	}
	doc := map[string]any{"note": "the profile is elsewhere"}
	put(doc, p.urlMember(), p.profileURL())
	writeJSON(w, http.StatusOK, doc)
}

func (p *Provider) profileURL() string {
	s := p.cfg.Shape.Profile
	switch {
	case s.URL != "":
		return s.URL
	case s.Path != "":
		return p.endpoint(s.Path)
	}
	return p.endpoint("/userinfo")
}

func (p *Provider) urlMember() string {
	if m := p.cfg.Shape.Profile.Member; m != "" {
		return m
	}
	return "profile_url"
}

// shapeToken puts the profile or its URL into a token response.
func (p *Provider) shapeToken(doc map[string]any, l *login) {
	s := p.cfg.Shape.Profile
	switch s.In {
	case "url_in_token_response":
		put(doc, p.urlMember(), p.profileURL())
	case "token_response":
		if s.Member != "" {
			put(doc, s.Member, p.claims(l))
			return
		}
		profile := p.claims(l)
		for _, own := range []string{"access_token", "token_type", "refresh_token", "id_token", "expires_in", "scope"} {
			delete(profile, own)
		}
		maps.Copy(doc, profile)
	}
}

// put sets a member at a dotted path, with the objects around it.
func put(doc map[string]any, path string, value any) {
	name, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		doc[name] = value
		return
	}
	inner, ok := doc[name].(map[string]any)
	if !ok {
		inner = map[string]any{}
		doc[name] = inner
	}
	put(inner, rest, value)
}

// presented is the access token of a profile request and in how many ways it
// came: the one way of the shape, or those of RFC 6750 that are safe.
func (p *Provider) presented(r *http.Request) (token string, ways int) {
	s := p.cfg.Shape.Profile
	token, ways = bearer(r)
	if s.TokenAs == "" {
		return token, ways
	}
	name := s.TokenName
	if name == "" {
		name = "access_token"
	}
	switch s.TokenAs {
	case "query":
		token = single(r.URL.Query(), name)
	case "form":
		token = single(r.PostForm, name)
	case "header":
		if s.TokenName != "" {
			token = r.Header.Get(name)
		} else if r.Header.Get("Authorization") == "" {
			token = ""
		}
	}
	if token == "" {
		return "", 0
	}
	return token, 1
}

const jwtBearerGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// directGrant signs a person in by password, assertion or extension grant.
func (p *Provider) directGrant(client Client, grant string, v url.Values) (*login, *problem) {
	refused := &problem{"invalid_grant", "the credentials are wrong"}
	name := ""
	switch {
	case grant == "password" && len(p.cfg.Shape.Passwords) > 0:
		if want, ok := p.cfg.Shape.Passwords[single(v, "username")]; !ok || want != single(v, "password") {
			return nil, refused
		}
		name = single(v, "username")
	case grant == jwtBearerGrant:
		token, err := jwt.ParseSigned(single(v, "assertion"), assertionAlgs())
		var claims struct {
			Email string `json:"email"`
			Sub   string `json:"sub"`
		}
		if err != nil || token.UnsafeClaimsWithoutVerification(&claims) != nil {
			return nil, refused
		}
		if name = claims.Email; name == "" {
			name = claims.Sub
		}
	case slices.Contains(p.cfg.Shape.ExtensionGrants, grant):
		name = single(v, "username")
	default:
		return nil, &problem{"unsupported_grant_type", "this grant type is not supported"}
	}
	if checkUsername(name) != "" {
		return nil, refused
	}
	return &login{
		client: client.ID, person: name, scope: strings.Fields(single(v, "scope")), authTime: p.cfg.Now(),
		acr: "urn:mock:direct", amr: []string{"pwd"},
	}, nil
}

// SecretJWT is a client secret that the client signs itself, as Apple has it.
type SecretJWT struct {
	// Issuer is the team: iss of the secret. Its sub is the client's id.
	Issuer string
	// Keys of the team by kid, ES256.
	Keys *jose.JSONWebKeySet
}

// fits checks a presented secret: signature, names, audience, at most six
// months of life.
func (s *SecretJWT) fits(secret, client, audience string, now time.Time) bool {
	token, err := jwt.ParseSigned(secret, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || s.Keys == nil {
		return false
	}
	var claims jwt.Claims
	if err := token.Claims(s.Keys, &claims); err != nil || claims.Expiry == nil {
		return false
	}
	err = claims.ValidateWithLeeway(jwt.Expected{Issuer: s.Issuer, Subject: client, AnyAudience: jwt.Audience{audience}, Time: now}, time.Minute)
	return err == nil && claims.Expiry.Time().Before(now.Add(183*24*time.Hour))
}
