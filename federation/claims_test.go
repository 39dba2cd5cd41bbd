package federation

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

// TestIDToken_Claims covers J9, J10, J12, J14, J15, J17, J18 and S4 by value.
func TestIDToken_Claims(t *testing.T) {
	t.Parallel()
	now, half := testNow().Unix(), sha256.Sum256([]byte(goodExpected().accessToken))
	type m = map[string]any
	for name, c := range map[string]struct {
		claims m
		want   string
	}{
		"good":                         {m{}, "ok"},
		"J9 other port":                {m{"iss": "https://idp.acme.test:443"}, CodeIDTokenIssuer},
		"J9 http":                      {m{"iss": "http://idp.acme.test"}, CodeIDTokenIssuer},
		"J9 list":                      {m{"iss": []string{"https://idp.acme.test"}}, CodeIDTokenIssuer},
		"J10 list of us":               {m{"aud": []string{"us"}}, "ok"},
		"J10 us twice":                 {m{"aud": []string{"us", "us"}}, "ok"},
		"J10 us and a number":          {m{"aud": []any{"us", 1}}, CodeIDTokenAudience},
		"J10 object":                   {m{"aud": m{"us": true}}, CodeIDTokenAudience},
		"J10 case":                     {m{"aud": "US"}, CodeIDTokenAudience},
		"J10 azp us":                   {m{"azp": "us"}, "ok"},
		"J10 azp list":                 {m{"azp": []string{"us"}}, CodeIDTokenAuthorizedParty},
		"J10 azp empty":                {m{"azp": ""}, CodeIDTokenAuthorizedParty},
		"J12 exp with fraction":        {m{"exp": json.Number("1795262700.5")}, "ok"},
		"J12 exp NaN text":             {m{"exp": "NaN"}, CodeIDTokenTimes},
		"J12 exp 1e300":                {m{"exp": json.Number("1e300")}, CodeIDTokenTimes},
		"J12 exp 1e999":                {m{"exp": json.Number("1e999")}, CodeIDTokenTimes},
		"J12 exp list":                 {m{"exp": []int64{now + 300}}, CodeIDTokenTimes},
		"J12 lifetime 24 h":            {m{"exp": now + 86400}, "ok"},
		"J12 lifetime 24 h and 1 s":    {m{"exp": now + 86401}, CodeIDTokenLifetime},
		"J12 exp before iat":           {m{"exp": now - 1}, CodeIDTokenTimes},
		"J12 nbf text":                 {m{"nbf": "0"}, CodeIDTokenTimes},
		"J12 nbf past":                 {m{"nbf": 0}, "ok"},
		"K1 expired 89 s ago":          {m{"iat": now - 300, "exp": now - 89}, "ok"},
		"K1 expired 91 s ago":          {m{"iat": now - 300, "exp": now - 91}, CodeIDTokenExpired},
		"K1 iat 89 s ahead":            {m{"iat": now + 89}, "ok"},
		"K1 iat 91 s ahead":            {m{"iat": now + 91}, CodeIDTokenTimes},
		"K1 nbf 89 s ahead":            {m{"nbf": now + 89}, "ok"},
		"K1 nbf 91 s ahead":            {m{"nbf": now + 91}, CodeIDTokenTimes},
		"K1 iat backdated like Entra":  {m{"iat": now - 300, "nbf": now - 300, "exp": now + 3600}, "ok"},
		"K1 iat long before the login": {m{"iat": now - 3600}, CodeIDTokenTimes},
		"K1 year 2039 is no overflow":  {m{"exp": 2177452800}, CodeIDTokenLifetime},
		"J14 255":                      {m{"sub": strings.Repeat("s", 255)}, "ok"},
		"J14 256":                      {m{"sub": strings.Repeat("s", 256)}, CodeIDTokenSubject},
		"J14 not ASCII":                {m{"sub": "ſ"}, CodeIDTokenSubject},
		"J14 inner space":              {m{"sub": "a b"}, "ok"},
		"J14 leading space":            {m{"sub": " a"}, CodeIDTokenSubject},
		"J14 line break":               {m{"sub": "a\nb"}, CodeIDTokenSubject},
		"J14 boolean":                  {m{"sub": true}, CodeIDTokenSubject},
		"J15 only SUB":                 {m{"sub": nil, "SUB": "s"}, CodeIDTokenSubject},
		"J17 at_hash empty":            {m{"at_hash": ""}, CodeIDTokenAccessTokenHash},
		"J17 at_hash number":           {m{"at_hash": 1}, CodeIDTokenAccessTokenHash},
		"J17 at_hash other":            {m{"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, CodeIDTokenAccessTokenHash},
		"J17 at_hash right":            {m{"at_hash": base64.RawURLEncoding.EncodeToString(half[:16])}, "ok"},
		"J18 auth_time text":           {m{"auth_time": "now"}, CodeIDTokenAuthTime},
		"J18 acr list":                 {m{"acr": []string{"1"}}, CodeIDTokenACR},
		"J18 amr text":                 {m{"amr": "pwd"}, "ok"},
		"S4 nonce other":               {m{"nonce": "N"}, CodeIDTokenNonce},
		"S4 nonce prefix":              {m{"nonce": "n "}, CodeIDTokenNonce},
		"S4 nonce list":                {m{"nonce": []string{"n"}}, CodeIDTokenNonce},
		"U6 claim sources ignored":     {m{"_claim_names": m{"groups": "s"}, "_claim_sources": m{"s": m{"endpoint": "http://169.254.169.254/"}}}, "ok"},
	} {
		s := ecSigner(t, "k")
		_, err := verifyAll(jwks(t, s.jwk(nil)), s.sign(claims(t, c.claims), nil), goodExpected(), DefaultAlgorithms())
		if got := code(err); got != c.want {
			t.Errorf("%s: got %s (%v), want %s", name, got, err, c.want)
		}
	}
}

func TestJ18_FreshSignInAndContextClass(t *testing.T) {
	t.Parallel()
	e := goodExpected()
	started := e.startedAt.Unix()
	minute := int64(60)
	for name, c := range map[string]struct {
		claims map[string]any
		force  bool
		maxAge *int64
		acr    []string
		want   string
	}{
		"forced, after":           {map[string]any{"auth_time": started + 30}, true, nil, nil, "ok"},
		"forced, within skew":     {map[string]any{"auth_time": started - 80}, true, nil, nil, "ok"},
		"forced, older":           {map[string]any{"auth_time": started - 100}, true, nil, nil, CodeIDTokenAuthTime},
		"forced, not said":        {nil, true, nil, nil, CodeIDTokenAuthTime},
		"max_age, fresh":          {map[string]any{"auth_time": started - 60}, false, &minute, nil, "ok"},
		"max_age, older":          {map[string]any{"auth_time": started - 200}, false, &minute, nil, CodeIDTokenAuthTime},
		"max_age, not said":       {nil, false, &minute, nil, CodeIDTokenAuthTime},
		"auth_time in the future": {map[string]any{"auth_time": testNow().Unix() + 100}, false, nil, nil, CodeIDTokenAuthTime},
		"acr as asked":            {map[string]any{"acr": "gold"}, false, nil, []string{"platinum", "gold"}, "ok"},
		"acr weaker":              {map[string]any{"acr": "silver"}, false, nil, []string{"platinum", "gold"}, CodeIDTokenACR},
		"acr not said":            {nil, false, nil, []string{"gold"}, CodeIDTokenACR},
	} {
		e := goodExpected()
		e.forceLogin, e.maxAge, e.acrValues = c.force, c.maxAge, c.acr
		_, err := e.check(claims(t, c.claims))
		if got := code(err); got != c.want {
			t.Errorf("%s: got %s (%v), want %s", name, got, err, c.want)
		}
	}
}
