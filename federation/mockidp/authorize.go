package mockidp

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// authRequest is a well-formed authorize request of a known client.
type authRequest struct {
	client       string
	redirectURI  string
	state        string
	nonce        string
	scope        []string
	challenge    string
	responseMode string
	prompt       []string
	maxAge       int64 // seconds; -1: not asked for
	loginHint    string
	idTokenHint  string
	acr          string
	mockUser     string // sign this person in without a page, this time
	faults       []active
}

// problem is an OAuth 2.0 error (RFC 6749, section 4.1.2.1).
type problem struct{ code, description string }

// mayRepeat are the parameters that may occur more than once.
func mayRepeat() []string { return []string{"fault", "resource"} }

// parseAuthorize reads what follows once client and redirect URI are proven.
func parseAuthorize(v url.Values, requirePKCE bool, pkce PKCENames) (authRequest, *problem) {
	req := authRequest{
		client: single(v, "client_id"), redirectURI: single(v, "redirect_uri"), state: single(v, "state"),
		nonce: single(v, "nonce"), scope: strings.Fields(single(v, "scope")), challenge: single(v, pkce.Challenge),
		responseMode: single(v, "response_mode"), prompt: strings.Fields(single(v, "prompt")), maxAge: -1,
		loginHint: single(v, "login_hint"), idTokenHint: single(v, "id_token_hint"), mockUser: single(v, "mock_user"),
	}
	if acr := strings.Fields(single(v, "acr_values")); len(acr) > 0 {
		req.acr = acr[0]
	}
	if req.responseMode != "form_post" {
		req.responseMode = "query"
	}
	switch mode := single(v, "response_mode"); {
	case repeated(v, mayRepeat()...) != "":
		return req, &problem{"invalid_request", "the parameter " + repeated(v, mayRepeat()...) + " occurs twice"}
	case single(v, "request") != "":
		return req, &problem{"request_not_supported", "request objects are not supported"}
	case single(v, "request_uri") != "":
		return req, &problem{"request_uri_not_supported", "request_uri is not supported"}
	case single(v, "response_type") == "":
		return req, &problem{"invalid_request", "response_type is missing"}
	case single(v, "response_type") != "code":
		return req, &problem{"unsupported_response_type", "only response_type=code is supported"}
	case mode != "" && mode != "query" && mode != "form_post":
		return req, &problem{"invalid_request", "response_mode must be query or form_post"}
	case slices.Contains(req.prompt, "none") && len(req.prompt) > 1:
		return req, &problem{"invalid_request", "prompt=none allows no other value"}
	case single(v, pkce.Method) != "" && single(v, pkce.Method) != "S256",
		req.challenge != "" && single(v, pkce.Method) == "":
		// Without a method it would be "plain" (RFC 7636, section 4.3), which is not offered.
		return req, &problem{"invalid_request", "code_challenge_method must be S256"}
	case req.challenge != "" && len(req.challenge) != 43:
		return req, &problem{"invalid_request", "code_challenge is not a SHA-256 in base64url"}
	case req.challenge == "" && requirePKCE:
		return req, &problem{"invalid_request", "code_challenge is required"}
	}
	if s := single(v, "max_age"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 {
			return req, &problem{"invalid_request", "max_age is not a number of seconds"}
		}
		req.maxAge = n
	}
	if req.mockUser != "" && checkUsername(req.mockUser) != "" {
		return req, &problem{"invalid_request", "mock_user is not a login name"}
	}
	return req, nil
}

func (p *Provider) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	v, ok := p.pulled(r.Form)
	if !ok {
		p.errorPage(w, "The request was not pushed as it has to be, was used before or is too old.")
		return
	}
	client, known := p.clients[single(v, "client_id")]
	switch {
	case !known:
		p.errorPage(w, "This application is not known here. Its client_id is missing, wrong or given twice.")
		return
	case !client.redirectAllowed(single(v, "redirect_uri")):
		// Before this is proven nothing may be redirected (RFC 6749, section 4.1.2.1).
		p.errorPage(w, "The redirect_uri of this request is not registered for the application.")
		return
	}
	asked, err := p.askedFaults(v)
	if err != nil {
		p.errorPage(w, "This fault cannot be asked for: "+err.Error())
		return
	}
	for _, f := range asked {
		if f.Stage == StageDiscovery || f.Stage == StageJWKS {
			p.errorPage(w, "The fault "+f.Name+" strikes outside of a login. Arm it with POST /mock/faults.")
			return
		}
	}
	if p.answered(w, r, p.faults.take(StageAuthorize, asked)) {
		return
	}
	req, bad := parseAuthorize(v, p.cfg.RequirePKCE, p.cfg.Shape.PKCENames)
	req.faults = asked
	if bad != nil {
		p.respondError(w, r, req, *bad)
		return
	}
	p.signIn(w, r, req)
}

// signIn decides whether the session will do, somebody is signed in without a page,
// or the page is shown (OpenID Connect Core 1.0, section 3.1.2.1).
func (p *Provider) signIn(w http.ResponseWriter, r *http.Request, req authRequest) {
	s := p.usableSession(r, req)
	name := p.withoutPage(req)
	switch {
	case s != nil && (name == "" || p.samePerson(name, s.person)):
		p.finish(w, r, req, *s)
	case slices.Contains(req.prompt, "none"):
		p.respondError(w, r, req, problem{"login_required", "nobody is signed in"})
	case name != "":
		p.finish(w, r, req, p.startSession(w, r, name))
	default:
		p.loginPage(w, http.StatusOK, p.pending.add(req), p.clients[req.client], req.loginHint, "")
	}
}

// withoutPage is who signs in without a page, or "".
func (p *Provider) withoutPage(req authRequest) string {
	if req.mockUser != "" {
		return req.mockUser
	}
	auto := *p.auto.Load()
	if auto == autoFromHint {
		if checkUsername(req.loginHint) != "" {
			return ""
		}
		return req.loginHint
	}
	return auto
}

func (p *Provider) samePerson(a, b string) bool {
	return p.people.find(a).name == p.people.find(b).name
}

// usableSession is the browser's session if it satisfies prompt, max_age and the hints.
func (p *Provider) usableSession(r *http.Request, req authRequest) *session {
	s := p.session(r)
	if s == nil || slices.Contains(req.prompt, "login") || slices.Contains(req.prompt, "select_account") {
		return nil
	}
	if age := p.cfg.Now().Sub(s.authTime); req.maxAge >= 0 && age >= time.Duration(min(req.maxAge, 1<<31))*time.Second {
		return nil
	}
	who := p.people.find(s.person)
	if req.idTokenHint != "" {
		if sub, ok := p.hintSubject(req.idTokenHint); !ok || fmt.Sprint(sub) != fmt.Sprint(who.profile["sub"]) {
			return nil
		}
	}
	// A hint that names somebody else asks for that person. With prompt=none it is
	// only a hint: the session answers.
	if req.loginHint != "" && !slices.Contains(req.prompt, "none") && !p.samePerson(req.loginHint, s.person) &&
		req.loginHint != who.profile["email"] {
		return nil
	}
	return s
}

// finish gives the client a code for the session's person.
func (p *Provider) finish(w http.ResponseWriter, r *http.Request, req authRequest, s session) {
	l := &login{
		client: req.client, person: s.person, scope: req.scope, nonce: req.nonce, authTime: s.authTime,
		acr: "urn:mock:password", amr: []string{"pwd"},
	}
	if req.acr != "" {
		l.acr = req.acr
	}
	// What changes the person is bound here, so that ID token and userinfo agree.
	l.faults = slices.DeleteFunc(slices.Clone(req.faults), func(f active) bool { return f.Stage == StageProfile })
	l.faults = append(l.faults, p.faults.take(StageProfile, req.faults)...)
	l.grant = &codeGrant{login: l, redirectURI: req.redirectURI, challenge: req.challenge}
	p.respond(w, r, req, url.Values{"code": {p.codes.add(l.grant)}})
}
