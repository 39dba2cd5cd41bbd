package federation

import (
	"crypto/subtle"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
)

const (
	// skew is how far the provider's clock may be from ours (K1).
	skew = 90 * time.Second
	// backdated is how long before the departure an ID token may say it was
	// issued: Microsoft Entra ID dates iat five minutes back.
	backdated = 10 * time.Minute
	// maxLifetime of an ID token; more is absurd (J12).
	maxLifetime = 24 * time.Hour
)

// expected is what one login requires of its ID token.
type expected struct {
	issuer, clientID string
	nonce            string // "" only when the connection switched it off
	accessToken      string
	now, startedAt   time.Time
	forceLogin       bool
	maxAge           *int64
	acrValues        []string
	alone            bool               // the token came without its access token
	passed           func(store.Detail) // told of each check that went well; may be nil
}

// check judges a claims set whose signature is verified.
func (e expected) check(payload []byte) (idToken, error) {
	t := idToken{payload: payload}
	c, err := parseObject("ID token claims", CodeIDTokenMalformed, payload, profile.Limits{})
	if err != nil {
		return t, err
	}
	if _, present := c["events"]; present {
		return t, fault(BlameProvider, CodeIDTokenType, "it has the events claim: a logout or security event token")
	}
	for _, check := range []struct {
		run  func(map[string]any, *idToken) error
		name store.Detail
	}{
		{e.checkIssuer, store.Passed("issuer")},
		{e.checkAudience, store.Passed("audience")},
		{e.checkTimes, store.Passed("times")},
		{e.checkSubject, store.Passed("subject")},
		{e.checkNonce, store.Passed("nonce")},
		{e.checkAuthentication, store.Passed("authentication")},
	} {
		if err := check.run(c, &t); err != nil {
			return idToken{}, err
		}
		if e.passed != nil {
			e.passed(check.name)
		}
	}
	return t, nil
}

func (e expected) checkIssuer(c map[string]any, _ *idToken) error {
	if iss, _ := c["iss"].(string); iss != e.issuer {
		return fault(BlameProvider, CodeIDTokenIssuer, "%s", issuerDifference(e.issuer, iss))
	}
	return nil
}

// checkAudience wants us and nobody else: a token that is also for a stranger
// could be replayed to us by that stranger (J10).
func (e expected) checkAudience(c map[string]any, _ *idToken) error {
	var audience []any
	switch a := c["aud"].(type) {
	case string:
		audience = []any{a}
	case []any:
		audience = a
	}
	if len(audience) == 0 || slices.ContainsFunc(audience, func(a any) bool { return a != e.clientID }) {
		return fault(BlameProvider, CodeIDTokenAudience, "aud is not this connection's client alone")
	}
	if azp, present := c["azp"]; present && azp != e.clientID {
		return fault(BlameProvider, CodeIDTokenAuthorizedParty, "azp is another client")
	}
	// at_hash is compared by go-oidc, to which "" means absent.
	if hash, present := c["at_hash"]; present {
		if s, _ := hash.(string); s == "" {
			return fault(BlameProvider, CodeIDTokenAccessTokenHash, "at_hash is not text")
		}
	}
	return nil
}

func (e expected) checkTimes(c map[string]any, _ *idToken) error {
	exp, ok := numericDate(c["exp"])
	if !ok {
		return fault(BlameProvider, CodeIDTokenTimes, "exp is missing or not a sensible number")
	}
	iat, ok := numericDate(c["iat"])
	if !ok {
		return fault(BlameProvider, CodeIDTokenTimes, "iat is missing or not a sensible number")
	}
	nbf, ok := numericDate(c["nbf"])
	if _, present := c["nbf"]; present && !ok {
		return fault(BlameProvider, CodeIDTokenTimes, "nbf is not a sensible number")
	}
	switch {
	case !e.now.Before(exp.Add(skew)):
		return fault(BlameProvider, CodeIDTokenExpired, "expired %s ago by our clock; compare the clocks", e.now.Sub(exp).Round(time.Second))
	case exp.Sub(iat) > maxLifetime:
		return fault(BlameProvider, CodeIDTokenLifetime, "valid for %s, at most %s is accepted", exp.Sub(iat), maxLifetime)
	case !exp.After(iat):
		return fault(BlameProvider, CodeIDTokenTimes, "expires before it is issued")
	case iat.After(e.now.Add(skew)):
		return fault(BlameProvider, CodeIDTokenTimes, "issued %s in the future by our clock; compare the clocks", iat.Sub(e.now).Round(time.Second))
	case iat.Before(e.startedAt.Add(-backdated)):
		return fault(BlameProvider, CodeIDTokenTimes, "issued %s before this login began; compare the clocks", e.startedAt.Sub(iat).Round(time.Second))
	case nbf.After(e.now.Add(skew)):
		return fault(BlameProvider, CodeIDTokenTimes, "not valid before %s from now; compare the clocks", nbf.Sub(e.now).Round(time.Second))
	}
	return nil
}

// numericDate reads seconds since 1970 (RFC 7519 §2). Text, negative numbers
// and years beyond 5000 are not dates.
func numericDate(v any) (time.Time, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	s, err := strconv.ParseFloat(n.String(), 64)
	if err != nil || s < 0 || s > 1e11 {
		return time.Time{}, false
	}
	return time.Unix(int64(s), 0), true
}

// checkSubject: OpenID Connect Core §2 wants at most 255 ASCII characters. We
// also want them visible, so that two subjects never look the same (J14).
func (e expected) checkSubject(c map[string]any, t *idToken) error {
	t.subject, _ = c["sub"].(string)
	if !soundSubject(t.subject) {
		return fault(BlameProvider, CodeIDTokenSubject, "sub is not text of 1 to 255 printable ASCII characters without space at the ends")
	}
	return nil
}

func soundSubject(s string) bool {
	return s != "" && len(s) <= 255 && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r > 0x7e })
}

// checkNonce: the token belongs to this browser's login and no other (S4).
func (e expected) checkNonce(c map[string]any, _ *idToken) error {
	if e.nonce == "" {
		return nil
	}
	got, _ := c["nonce"].(string)
	if subtle.ConstantTimeCompare([]byte(got), []byte(e.nonce)) != 1 {
		return fault(BlameProvider, CodeIDTokenNonce, "nonce is missing or another login's")
	}
	return nil
}

// checkAuthentication holds the provider to what was asked of it: a fresh
// sign-in, a maximum age, a context class (J18, A12).
func (e expected) checkAuthentication(c map[string]any, t *idToken) error {
	if at, present := c["auth_time"]; present {
		var ok bool
		if t.authTime, ok = numericDate(at); !ok {
			return fault(BlameProvider, CodeIDTokenAuthTime, "auth_time is not a sensible number")
		}
		if t.authTime.After(e.now.Add(skew)) {
			return fault(BlameProvider, CodeIDTokenAuthTime, "auth_time is in the future")
		}
	}
	switch {
	case (e.forceLogin || e.maxAge != nil) && t.authTime.IsZero():
		return fault(BlameProvider, CodeIDTokenAuthTime, "a recent sign-in was demanded and auth_time is missing")
	case e.forceLogin && t.authTime.Before(e.startedAt.Add(-skew)):
		return fault(BlameProvider, CodeIDTokenAuthTime, "a new sign-in was demanded and auth_time is older")
	case e.maxAge != nil && t.authTime.Before(e.startedAt.Add(-seconds(*e.maxAge)-skew)):
		return fault(BlameProvider, CodeIDTokenAuthTime, "the sign-in is older than max_age")
	}
	var ok bool
	if t.acr, ok = c["acr"].(string); !ok && c["acr"] != nil {
		return fault(BlameProvider, CodeIDTokenACR, "acr is not text")
	}
	if len(e.acrValues) > 0 && !slices.Contains(e.acrValues, t.acr) {
		return fault(BlameProvider, CodeIDTokenACR, "acr %s is none of those asked for", quoted(t.acr))
	}
	if list, ok := c["amr"].([]any); ok && len(list) <= 32 {
		for _, m := range list {
			if s, ok := m.(string); ok && len(s) <= 64 {
				t.amr = append(t.amr, s)
			}
		}
	}
	return nil
}

// seconds as a duration; what would overflow is a century.
func seconds(n int64) time.Duration {
	const century = 100 * 365 * 24 * 3600
	return time.Duration(min(max(n, 0), century)) * time.Second
}
