package mockidp

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// claim sets one claim of the ID token.
func claim(name string, value any) func(*Provider, *idToken, string) error {
	return func(_ *Provider, t *idToken, _ string) error {
		t.claims[name] = value
		return nil
	}
}

// noClaim removes one.
func noClaim(name string) func(*Provider, *idToken, string) error {
	return func(_ *Provider, t *idToken, _ string) error {
		delete(t.claims, name)
		return nil
	}
}

// claimAt sets a time claim, relative to now.
func claimAt(name string, offset time.Duration) func(*Provider, *idToken, string) error {
	return func(p *Provider, t *idToken, _ string) error {
		t.claims[name] = p.cfg.Now().Add(offset).Unix()
		return nil
	}
}

// claimFaults are those of the ID token's claims.
func claimFaults() []Fault {
	row := func(name, description string, change func(*Provider, *idToken, string) error) Fault {
		return Fault{Name: name, Stage: StageIDToken, Description: description, idToken: change}
	}
	issuer := func(change func(string) string) func(*Provider, *idToken, string) error {
		return func(p *Provider, t *idToken, _ string) error {
			t.claims["iss"] = change(p.issuer)
			return nil
		}
	}
	const year = 365 * 24 * time.Hour
	return []Fault{
		row("wrong_nonce", "the nonce is another", claim("nonce", "not-the-nonce")),
		row("missing_nonce", "the nonce is missing", noClaim("nonce")),
		row("other_nonce", "the nonce is that of the login before this one", func(p *Provider, t *idToken, _ string) error {
			t.claims["nonce"] = "no-login-before"
			if last := p.lastSeen.Load(); last != nil {
				t.claims["nonce"] = *last
			}
			return nil
		}),
		{
			Name: "wrong_iss", Stage: StageIDToken, Description: "iss is the value", Value: "https://evil.example",
			idToken: func(_ *Provider, t *idToken, v string) error { t.claims["iss"] = v; return nil },
		},
		row("missing_iss", "iss is missing", noClaim("iss")),
		row("iss_trailing_slash", "iss has a slash at its end", issuer(func(s string) string { return s + "/" })),
		row("iss_case", "iss is in capitals", issuer(strings.ToUpper)),
		row("wrong_aud", "aud is another client", claim("aud", "another-client")),
		row("extra_aud", "aud is a list of this client and a stranger", func(_ *Provider, t *idToken, _ string) error {
			t.claims["aud"] = []string{t.login.client, "another-client"}
			return nil
		}),
		row("extra_aud_with_azp", "aud is a list of this client and a stranger, azp is this client", func(_ *Provider, t *idToken, _ string) error {
			t.claims["aud"], t.claims["azp"] = []string{t.login.client, "another-client"}, t.login.client
			return nil
		}),
		row("missing_aud", "aud is missing", noClaim("aud")),
		row("empty_aud", "aud is an empty list", claim("aud", []string{})),
		row("number_aud", "aud is a number", claim("aud", 42)),
		row("wrong_azp", "azp is another client", claim("azp", "another-client")),
		row("expired", "exp is an hour ago", claimAt("exp", -time.Hour)),
		row("no_exp", "exp is missing", noClaim("exp")),
		row("far_exp", "exp is in 30 years", claimAt("exp", 30*year)),
		row("string_exp", "exp is a string", func(p *Provider, t *idToken, _ string) error {
			t.claims["exp"] = fmt.Sprint(p.cfg.Now().Add(time.Minute).Unix())
			return nil
		}),
		row("huge_exp", "exp is 1e300", claim("exp", json.RawMessage("1e300"))),
		row("negative_exp", "exp is negative", claim("exp", -1)),
		row("future_iat", "iat is in an hour", claimAt("iat", time.Hour)),
		row("old_iat", "iat is a year ago", claimAt("iat", -year)),
		row("missing_iat", "iat is missing", noClaim("iat")),
		row("future_nbf", "nbf is in an hour", claimAt("nbf", time.Hour)),
		row("missing_sub", "sub is missing", noClaim("sub")),
		row("empty_sub", "sub is empty", claim("sub", "")),
		row("null_sub", "sub is null", claim("sub", nil)),
		row("long_sub", "sub has 300 characters", claim("sub", strings.Repeat("s", 300))),
		row("number_sub", "sub is a number", claim("sub", 1234567890)),
		row("nul_sub", "sub has a NUL in it", claim("sub", "some\x00body")),
		row("space_sub", "sub ends in a space", func(_ *Provider, t *idToken, _ string) error {
			t.claims["sub"] = fmt.Sprint(t.claims["sub"]) + " "
			return nil
		}),
		row("case_sub", "sub is in the other case", func(_ *Provider, t *idToken, _ string) error {
			t.claims["sub"] = strings.Map(swapCase, fmt.Sprint(t.claims["sub"]))
			return nil
		}),
		row("duplicate_member", "sub stands twice, with two values", raw(`"sub":"somebody-else"`)),
		row("case_variant_member", "SUB and Email stand beside sub and email with other values", raw(`"SUB":"somebody-else","Email":"root@evil.example"`)),
		row("unicode_member", "sub stands twice, once written with an escape", raw(`"\u0073ub":"somebody-else"`)),
		row("wrong_at_hash", "at_hash is that of another token", func(_ *Provider, t *idToken, _ string) error {
			t.claims["at_hash"] = halfHash(t.key.alg, "another token")
			return nil
		}),
		row("missing_at_hash", "at_hash is missing, as is allowed in the code flow", noClaim("at_hash")),
		row("stale_auth_time", "auth_time is two days ago", claimAt("auth_time", -48*time.Hour)),
		row("future_auth_time", "auth_time is in an hour", claimAt("auth_time", time.Hour)),
		row("missing_auth_time", "auth_time is missing", noClaim("auth_time")),
		row("weak_acr", "acr is 0 and amr only pwd, whatever was asked for", func(_ *Provider, t *idToken, _ string) error {
			t.claims["acr"], t.claims["amr"] = "0", []string{"pwd"}
			return nil
		}),
		row("missing_acr", "acr and amr are missing", func(_ *Provider, t *idToken, _ string) error {
			delete(t.claims, "acr")
			delete(t.claims, "amr")
			return nil
		}),
		row("logout_events", "the ID token carries the events claim of a logout token", claim("events",
			map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}})),
	}
}

// raw adds members behind the encoded claims, which an encoder would never do.
func raw(members string) func(*Provider, *idToken, string) error {
	return func(_ *Provider, t *idToken, _ string) error {
		t.members += "," + members
		return nil
	}
}

func swapCase(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z':
		return r - 'a' + 'A'
	case 'A' <= r && r <= 'Z':
		return r - 'A' + 'a'
	}
	return r
}
