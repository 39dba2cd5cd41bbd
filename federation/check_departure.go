package federation

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

var (
	// parameterName is what a query or form parameter of a provider may be called.
	parameterName = regexp.MustCompile(`\A[A-Za-z0-9_.~:\[\]-]{1,64}\z`)
	// simplePlaceholder looks like what other products replace: {token}.
	simplePlaceholder = regexp.MustCompile(`\{[A-Za-z_][A-Za-z0-9_.]*\}`)
	attributeName     = regexp.MustCompile(`\A[a-z][a-z0-9_]{0,63}\z`)
)

// departure checks how the browser is sent to the provider.
func (c *checker) departure() {
	conn := c.conn
	if !c.browser() {
		const because = "this grant has no browser"
		c.unused(conn.ResponseMode != "", "response_mode", because)
		c.unused(conn.PushAuthorization, "push_authorization", because)
		c.unused(conn.Endpoints.PushedAuthorization != "", "endpoints.pushed_authorization", because)
		c.unused(conn.PKCENames.Challenge+conn.PKCENames.Method+conn.PKCENames.Verifier != "", "pkce_names", because)
		c.unused(conn.Hint.Parameter+conn.Hint.Format+conn.Hint.Template != "", "hint", because)
		c.unused(conn.DomainHint.Parameter+conn.DomainHint.Value != "", "domain_hint", because)
		c.unused(len(conn.PublicHosts) > 0, "public_hosts", because)
		return
	}
	c.word("response_mode", conn.ResponseMode, "", "query", "form_post")
	if conn.InsecureNoPKCE && conn.InsecureNoNonce {
		c.fault("insecure_no_nonce", "together with insecure_no_pkce lets anybody's code in", "keep one of the two on")
	}
	c.pushed()
	c.pkceNames()
	c.hints()
	c.publicHosts()
}

// pushed checks pushed authorization requests. With an issuer its discovery
// document may have the endpoint, and may demand its use.
func (c *checker) pushed() {
	switch conn := c.conn; {
	case conn.Issuer != "":
	case conn.PushAuthorization && conn.Endpoints.PushedAuthorization == "":
		c.fault("endpoints.pushed_authorization", "is missing, and there is no issuer to discover it from", "write the URL, or turn push_authorization off")
	case !conn.PushAuthorization:
		c.unused(conn.Endpoints.PushedAuthorization != "", "endpoints.pushed_authorization", "push_authorization is off")
	}
}

func (c *checker) pkceNames() {
	n := c.conn.PKCENames
	taken := map[string]string{}
	for _, f := range []struct{ path, name string }{
		{"pkce_names.challenge", n.Challenge}, {"pkce_names.method", n.Method}, {"pkce_names.verifier", n.Verifier},
	} {
		switch {
		case f.name == "":
			continue
		case c.conn.InsecureNoPKCE:
			c.unused(true, f.path, "PKCE is off")
		case !parameterName.MatchString(f.name):
			c.fault(f.path, "is not a parameter's name", "use 1 to 64 letters, digits, _, -, ., ~ and :")
		case slices.Contains(standardParameters(), f.name):
			c.fault(f.path, "is the name of another parameter of the protocol", "use the name in the provider's documentation")
		case taken[f.name] != "":
			c.fault(f.path, "is also the name of "+taken[f.name], "give each its own name")
		}
		taken[f.name] = f.path
	}
}

func (c *checker) hints() {
	conn := c.conn
	c.word("login_hint", conn.LoginHint, LoginHintOn, LoginHintOff)
	h := conn.Hint
	c.hintName("hint.parameter", h.Parameter)
	if c.word("hint.format", h.Format, "", "address", "local", "domain", "template") {
		c.unused(h.Format != "template" && h.Template != "", "hint.template", `the format is not "template"`)
		if h.Format == "template" {
			c.template(h.Template)
		}
	}
	d := conn.DomainHint
	c.hintName("domain_hint.parameter", d.Parameter)
	switch {
	case d.Parameter == "":
		c.unused(d.Value != "", "domain_hint.value", "domain_hint.parameter is missing")
	case d.Value != "" && !visible(d.Value, 253):
		c.fault("domain_hint.value", "is not a domain or word", "write a domain such as acme.test, or nothing for the domain of the address")
	case d.Parameter == h.Parameter || d.Parameter == "login_hint" && h.Parameter == "":
		c.fault("domain_hint.parameter", "is also the login hint's parameter", "give each its own name")
	}
}

func (c *checker) hintName(path, name string) {
	if name == "" || name == "login_hint" {
		return
	}
	if !parameterName.MatchString(name) {
		c.fault(path, "is not a parameter's name", "use 1 to 64 letters, digits, _, -, ., ~ and :")
	} else if slices.Contains(standardParameters(), name) {
		c.fault(path, "is the name of another parameter of the protocol", "use a name such as login_hint, hd or domain_hint")
	}
}

func (c *checker) template(t string) {
	const fix = "write text around {email}, {local} or {domain}, such as {local}@corp.{domain}"
	rest := t
	for _, known := range []string{"{email}", "{local}", "{domain}"} {
		rest = strings.ReplaceAll(rest, known, "")
	}
	switch {
	case rest == t:
		c.fault("hint.template", "holds no placeholder", fix)
	case strings.ContainsAny(rest, "{}"):
		c.fault("hint.template", "holds a placeholder that is not known", fix)
	case len(t) > 256 || strings.ContainsFunc(rest, func(r rune) bool { return r < 0x21 || r > 0x7e }):
		c.fault("hint.template", "is over 256 bytes, or has spaces or characters beyond ASCII", fix)
	}
}

// publicHosts checks further hosts of ours. Each is an origin: the callback's
// path is the same everywhere.
func (c *checker) publicHosts() {
	if len(c.conn.PublicHosts) > 16 {
		c.fault("public_hosts", "are more than 16", "remove some")
	}
	ours, _ := url.Parse(c.publicURL) // made by the operator's configuration, which is checked
	for i, host := range c.conn.PublicHosts {
		path := fmt.Sprintf("public_hosts[%d]", i)
		u, err := url.Parse(host)
		switch {
		case err != nil || u.Opaque != "" || u.Hostname() == "" || u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.User != nil || strings.HasSuffix(host, "#"):
			c.fault(path, "is not an origin", "write https:// and the host, such as https://login.brand.test")
		case u.Scheme != "https" && (ours == nil || u.Scheme != ours.Scheme):
			c.fault(path, "is not https", "browsers keep secure cookies for https only")
		case ours != nil && u.Host == ours.Host:
			c.fault(path, "is the main public host, which is always registered", "remove it")
		case slices.Contains(c.conn.PublicHosts[:i], host):
			c.fault(path, "is there twice", "remove one")
		}
	}
}

// standardParameters are names of OAuth and OpenID Connect whose meaning no
// record may change.
func standardParameters() []string {
	return []string{
		"response_type", "response_mode", "client_id", "client_secret", "redirect_uri", "scope", "state", "nonce", "code",
		"code_challenge", "code_challenge_method", "code_verifier", "grant_type", "refresh_token", "assertion", "username", "password",
		"client_assertion", "client_assertion_type", "request", "request_uri", "id_token_hint", "max_age", "acr_values", "ui_locales",
		"login_hint", "access_token", "id_token", "iss", "error",
	}
}
