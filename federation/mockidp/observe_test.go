package mockidp

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// reply is what one HTTP request brought.
type reply struct {
	status int
	header http.Header
	body   string
	err    error
	took   time.Duration
}

func (r reply) json() map[string]any {
	var doc map[string]any
	d := json.NewDecoder(strings.NewReader(r.body))
	d.UseNumber()
	if d.Decode(&doc) != nil {
		return nil
	}
	return doc
}

// observed is everything a relying party sees of one login.
type observed struct {
	idp                                                  *Running
	discovery, authorize, jwks, token, renewed, userinfo reply
	callback                                             url.Values
	rawID                                                string
	header, claims                                       map[string]any // of the ID token, unverified
	payload                                              string
	verified                                             error // of the signature
}

const (
	testState = "state-of-the-test"
	testNonce = "nonce-of-the-test"
	slowDelay = 60 * time.Millisecond
	impatient = 250 * time.Millisecond // after which the test takes a reply for hanging
)

// exchange sends one request without following redirects. hangs says that a reply is
// not expected.
func exchange(t *testing.T, hangs bool, method, u, bearer string, form url.Values) reply {
	t.Helper()
	ctx := t.Context()
	if hangs {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, impatient)
		defer cancel()
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(ctx, method, u, body)
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	started := time.Now()
	res, err := client.Do(r)
	if err != nil {
		return reply{err: err, took: time.Since(started)}
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, string(content), err, time.Since(started)}
}

// observe runs one login with a fault armed by API, or asked for by parameter.
func observe(t *testing.T, f Fault, asked bool) *observed {
	t.Helper()
	// The login before this one, for other_nonce; RS256 where a fault needs no other.
	o := &observed{idp: Start(t, Config{AutoLogin: "alice", SlowDelay: slowDelay, HugeSize: 256 << 10})}
	signIn(t, &observed{idp: o.idp}, Fault{}, "nonce-before", "")
	suffix := ""
	if asked {
		suffix = f.Name
	} else {
		o.idp.SetFault(f.Name, 0)
	}
	signIn(t, o, f, testNonce, suffix)
	if fired := o.idp.Provider.FiredFaults()[f.Name]; fired == 0 {
		t.Errorf("the fault is not counted as fired")
	}
	return o
}

func signIn(t *testing.T, o *observed, f Fault, nonce, asked string) {
	t.Helper()
	hangs := func(stage Stage) bool {
		return f.Stage == stage && (strings.HasSuffix(f.Name, "_hang") || strings.HasSuffix(f.Name, "_drip"))
	}
	ask := func(stages ...Stage) string {
		if asked == "" || !slices.Contains(stages, f.Stage) {
			return ""
		}
		return "?fault=" + url.QueryEscape(asked)
	}
	o.discovery = exchange(t, hangs(StageDiscovery), "GET", o.idp.URL+"/.well-known/openid-configuration"+ask(StageDiscovery), "", nil)
	q := url.Values{
		"response_type": {"code"}, "client_id": {"gatehouse"}, "redirect_uri": {callback}, "state": {testState},
		"nonce": {nonce}, "scope": {"openid profile email offline_access"}, "acr_values": {"urn:mock:mfa"},
	}
	if asked != "" && f.Stage != StageDiscovery && f.Stage != StageJWKS {
		q.Set("fault", asked)
	}
	o.authorize = exchange(t, hangs(StageAuthorize), "GET", o.idp.URL+"/authorize?"+q.Encode(), "", nil)
	if u, err := url.Parse(o.authorize.header.Get("Location")); err == nil {
		o.callback = u.Query()
	}
	client := url.Values{"client_id": {"gatehouse"}, "client_secret": {"mock-secret"}}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {o.callback.Get("code")}, "redirect_uri": {callback}}
	o.token = exchange(t, hangs(StageToken), "POST", o.idp.URL+"/token", "", merged(client, form))
	doc := o.token.json()
	access, _ := doc["access_token"].(string)
	o.rawID, _ = doc["id_token"].(string)
	if refresh, ok := doc["refresh_token"].(string); ok {
		form = url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}
		o.renewed = exchange(t, false, "POST", o.idp.URL+"/token", "", merged(client, form))
	}
	if f.Stage == StageRefresh {
		o.rawID, _ = o.renewed.json()["id_token"].(string)
	}
	o.jwks = exchange(t, hangs(StageJWKS), "GET", o.idp.URL+"/jwks"+ask(StageJWKS), "", nil)
	o.userinfo = exchange(t, hangs(StageUserinfo), "GET", o.idp.URL+"/userinfo", access, nil)
	o.readIDToken(t)
}

func merged(a, b url.Values) url.Values {
	out := url.Values{}
	for _, v := range []url.Values{a, b} {
		for name, values := range v {
			out[name] = values
		}
	}
	return out
}

func (o *observed) readIDToken(t *testing.T) {
	t.Helper()
	parts := strings.Split(o.rawID, ".")
	if len(parts) != 3 {
		return
	}
	for i, to := range []*map[string]any{&o.header, &o.claims} {
		body, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			continue
		}
		if i == 1 {
			o.payload = string(body)
		}
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		_ = d.Decode(to) // stays nil; the expectation says whether that is right
	}
	_, o.verified = verifyWith(o.keys(), o.rawID)
}

// keys are the published ones.
func (o *observed) keys() jose.JSONWebKeySet {
	var set jose.JSONWebKeySet
	if json.Unmarshal([]byte(o.jwks.body), &set) != nil {
		return jose.JSONWebKeySet{}
	}
	return set
}

// at is a time claim, relative to now.
func (o *observed) at(claim string) time.Duration {
	n, ok := o.claims[claim].(json.Number)
	if !ok {
		return 0
	}
	seconds, err := n.Int64()
	if err != nil {
		return 0
	}
	return time.Until(time.Unix(seconds, 0))
}

func (o *observed) of(stage Stage) reply {
	switch stage {
	case StageDiscovery:
		return o.discovery
	case StageJWKS:
		return o.jwks
	case StageAuthorize:
		return o.authorize
	case StageToken:
		return o.token
	case StageUserinfo:
		return o.userinfo
	}
	return o.renewed
}
