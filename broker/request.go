package broker

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"gatehouse/profile"
	"gatehouse/store"
)

// request is an app's authorization request after the strict parse: client and
// redirect URI are proven, everything else has its type. It is made again from
// the sealed login cookie at every later step, never from what the browser
// sends then (SECURITY-CASES A6).
type request struct {
	// Own is the path of ours that a login leads to which no app began; then
	// there is no client and no code.
	Own         string
	Params      url.Values // what we know of the app's parameters
	Client      store.Client
	RedirectURI string
	State       string
	FormPost    bool
	Scopes      []string
	Audience    []string
	Prompt      []string
	MaxAge      *int64 // seconds
	// LoginHint is zero unless login_hint is an address: it only routes.
	LoginHint    profile.Email
	Organization string
	Connection   string
	// HintSubject is the sub of a valid id_token_hint.
	HintSubject string
	UILocales   string
	// Forward are parameters for the provider, as the client's record allows.
	Forward        map[string]string
	UserinfoClaims []string
	IDTokenClaims  []string
}

// pageError is a request refused before client and redirect URI are proven: a
// page on the requested URL, never a redirect.
type pageError struct {
	Kind   string // of the fixed phrase, see pages.go
	Status int
	cause  error
}

func (e *pageError) Error() string { return "broker: request refused: " + e.Kind }
func (e *pageError) Unwrap() error { return e.cause }

// kept are the parameters a login carries along. Everything else an app sends
// is ignored (RFC 6749 §3.1) and not carried.
func kept() []string {
	return []string{
		"client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce",
		"code_challenge", "code_challenge_method", "prompt", "max_age", "login_hint", "ui_locales",
		"acr_values", "claims", "organization", "connection", "audience", "resource",
	}
}

// scopeToken reports whether s is a scope token (RFC 6749 §3.3).
func scopeToken(s string) bool {
	for _, c := range []byte(s) {
		if c < 0x21 || c == '"' || c == '\\' || c > 0x7e {
			return false
		}
	}
	return s != ""
}

// parseRequest proves client and redirect URI, then reads the rest. The error
// is a *pageError while nothing is proven; a *oauthError comes together with a
// request that says where to send it.
func (b *Broker) parseRequest(ctx context.Context, f form) (*request, error) {
	if len(f.repeated) > 0 {
		return nil, &pageError{Kind: pageRepeated, Status: 400}
	}
	req := &request{Params: url.Values{}, State: f.Get("state")}
	for _, name := range kept() {
		if v := f.Get(name); v != "" {
			req.Params.Set(name, v)
		}
	}
	if err := b.proveClient(ctx, req); err != nil {
		return nil, err
	}
	lookOf(ctx).uiLocales = f.Get("ui_locales")
	knows(ctx, f.Get("organization"))
	if f.Get("code_challenge") == "" && f.Get("code_challenge_method") == "" && needsPKCE(req.Client) {
		// Without PKCE the request may not be the client's own (P8): no redirect.
		return nil, &pageError{Kind: pagePKCE, Status: 400}
	}
	for _, step := range []func(*request, form) *oauthError{
		readForwarded, readResponse, readScopes, readPKCE, readPrompt, readClaims, b.readHint, readRouting,
	} {
		if err := step(req, f); err != nil {
			return req, err
		}
	}
	return req, nil
}

// proveClient answers unknown, disabled and deleted clients alike (A2).
func (b *Broker) proveClient(ctx context.Context, req *request) error {
	id := req.Params.Get("client_id")
	if id == "" {
		return &pageError{Kind: pageClient, Status: 400}
	}
	err := b.store.View(ctx, func(tx store.Tx) (err error) {
		req.Client, err = b.store.Clients.Get(tx, id)
		return err
	})
	if errors.Is(err, store.ErrNotFound) || (err == nil && req.Client.Disabled) {
		return &pageError{Kind: pageClient, Status: 400}
	}
	if err != nil {
		return err
	}
	// Required even when only one is registered: OpenID Connect Core §3.1.2.1.
	req.RedirectURI = req.Params.Get("redirect_uri")
	if !matchRedirectURI(req.Client, req.RedirectURI) {
		return &pageError{Kind: pageRedirectURI, Status: 400}
	}
	return nil
}

// readForwarded keeps what the client's record lets connections pass on.
func readForwarded(req *request, f form) (fault *oauthError) {
	if req.Forward, fault = forwarded(req.Client, f); fault != nil {
		return fault
	}
	for name, v := range req.Forward {
		req.Params.Set(name, v)
	}
	return nil
}

func needsPKCE(c store.Client) bool { return c.Public() || !c.InsecurePKCEOptional }

func readResponse(req *request, f form) *oauthError {
	switch mode := f.Get("response_mode"); {
	case mode == "" || mode == "query":
	case mode == "form_post" && slices.Contains(req.Client.ResponseModes, "form_post"):
		req.FormPost = true
	default:
		return errInvalidRequest("This response_mode is not allowed for the client: use query, or form_post where the client is registered for it.")
	}
	switch f.Get("response_type") {
	case "":
		return errInvalidRequest("response_type is missing: send response_type=code.")
	case "code":
	default:
		return errCode("unsupported_response_type", "Only response_type=code is supported.")
	}
	if !slices.Contains(req.Client.GrantTypes, "authorization_code") {
		return errCode("unauthorized_client", "This client may not use the authorization code grant.")
	}
	switch {
	case f.Get("request") != "":
		return errCode("request_not_supported", "Request objects are not supported: send plain parameters.")
	case f.Get("request_uri") != "":
		return errCode("request_uri_not_supported", "request_uri is not supported: send plain parameters.")
	case f.Get("registration") != "":
		return errCode("registration_not_supported", "The registration parameter is not supported.")
	}
	return nil
}

func readScopes(req *request, f form) *oauthError {
	raw := f.Get("scope")
	if raw == "" {
		return errInvalidScope("scope is missing: ask for at least one, such as openid.")
	}
	list := strings.Split(raw, " ")
	if len(list) > 64 {
		return errInvalidScope("Too many scopes.")
	}
	for _, s := range list {
		switch {
		case !scopeToken(s):
			return errInvalidScope("scope must be tokens separated by single spaces.")
		case slices.Contains(req.Scopes, s):
			return errInvalidScope("A scope is named twice.")
		case !slices.Contains(req.Client.Scopes, s):
			return errInvalidScope("A requested scope is not allowed for this client.")
		}
		req.Scopes = append(req.Scopes, s)
	}
	for _, name := range []string{"audience", "resource"} { // RFC 8707 §2; audience is its older cousin
		for _, a := range strings.Fields(f.Get(name)) {
			if !slices.Contains(req.Client.Audiences, a) {
				return errCode("invalid_target", "A requested audience is not registered for this client.")
			}
			req.Audience = append(req.Audience, a)
		}
	}
	return nil
}

// readPKCE holds RFC 7636 §4.2 and §4.3 to the letter, S256 only.
func readPKCE(req *request, f form) *oauthError {
	challenge, method := f.Get("code_challenge"), f.Get("code_challenge_method")
	if challenge == "" && method == "" {
		return nil // the client's record allows it: checked before
	}
	if method != "S256" {
		return errInvalidRequest("code_challenge_method must be S256.")
	}
	if len(challenge) != 43 || strings.Trim(challenge, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		return errInvalidRequest("code_challenge must be 43 characters of base64url: the SHA-256 of the verifier.")
	}
	return nil
}

func readPrompt(req *request, f form) *oauthError {
	req.Prompt = strings.Fields(f.Get("prompt"))
	for _, p := range req.Prompt {
		if !slices.Contains(promptValues(), p) {
			return errInvalidRequest("prompt holds a value that is not supported.")
		}
		if p == "none" && len(req.Prompt) > 1 {
			return errInvalidRequest("prompt=none cannot be combined with other values.")
		}
	}
	if raw := f.Get("max_age"); raw != "" || slices.Contains(f.empty, "max_age") {
		n, err := strconv.ParseUint(raw, 10, 31)
		if err != nil || raw[0] == '+' {
			return errInvalidRequest("max_age must be a whole number of seconds, zero or more.")
		}
		age := int64(n)
		req.MaxAge = &age
	}
	return nil
}

func promptValues() []string { return []string{"none", "login", "consent", "select_account"} }

// readClaims reads the claims parameter (OpenID Connect Core §5.5): the names
// asked for, at most 64 of each.
func readClaims(req *request, f form) *oauthError {
	raw := f.Get("claims")
	if raw == "" {
		return nil
	}
	var claims struct {
		Userinfo map[string]json.RawMessage `json:"userinfo"`
		IDToken  map[string]json.RawMessage `json:"id_token"`
	}
	bad := errInvalidRequest("claims must be a JSON object as in OpenID Connect Core 5.5.")
	if len(raw) > 4096 {
		return bad
	}
	if err := json.Unmarshal([]byte(raw), &claims); err != nil {
		return bad
	}
	if len(claims.Userinfo) > 64 || len(claims.IDToken) > 64 {
		return bad
	}
	req.UserinfoClaims, req.IDTokenClaims = names(claims.Userinfo), names(claims.IDToken)
	return nil
}

func names(m map[string]json.RawMessage) []string {
	var out []string
	for name := range m {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// readHint takes the subject out of an id_token_hint of ours. An expired one is
// fine (it is a hint); any other fault is an error (A14).
func (b *Broker) readHint(req *request, f form) *oauthError {
	raw := f.Get("id_token_hint")
	if raw == "" {
		return nil
	}
	hint, err := b.readIDTokenHint(raw)
	if err != nil || !slices.Contains(hint.Audience, req.Client.ID) {
		return errInvalidRequest("id_token_hint is not an ID token this server made for this client.")
	}
	req.HintSubject = hint.Subject
	return nil
}

func readRouting(req *request, f form) *oauthError {
	if hint := f.Get("login_hint"); len(hint) <= 320 {
		// Not an address, or a foreign one: no error, it is only a hint (A15).
		if e, err := profile.ParseEmail(hint); err == nil {
			req.LoginHint = e
		}
	}
	if req.LoginHint.IsZero() {
		req.Params.Del("login_hint")
	}
	req.UILocales = f.Get("ui_locales")
	req.Organization, req.Connection = f.Get("organization"), f.Get("connection")
	if len(req.Organization) > 64 || len(req.Connection) > 64 {
		return errInvalidRequest("organization and connection are ids of at most 64 characters.")
	}
	return nil
}

func (r *request) prompts(p string) bool { return slices.Contains(r.Prompt, p) }

func (r *request) hasScope(s string) bool { return slices.Contains(r.Scopes, s) }
