package mockidp

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

type expect func(o *observed) bool

func expectation(f Fault) (expect, bool) {
	if e, ok := expectations()[f.Name]; ok {
		return e, true
	}
	for suffix, e := range failureExpectations() {
		if f.Name == string(f.Stage)+"_"+suffix {
			return func(o *observed) bool { return e(o.of(f.Stage)) }, true
		}
	}
	return nil, false
}

func failureExpectations() map[string]func(reply) bool {
	status := func(n int) func(reply) bool { return func(r reply) bool { return r.status == n } }
	retry := func(n int) func(reply) bool {
		return func(r reply) bool { return r.status == n && r.header.Get("Retry-After") == "7" }
	}
	to := func(n int) func(reply) bool {
		return func(r reply) bool { return r.status == n && r.header.Get("Location") == internalURL }
	}
	return map[string]func(reply) bool{
		"500": status(500), "503": retry(503), "429": retry(429), "404": status(404), "204": status(204),
		"html": func(r reply) bool {
			return r.status == 200 && strings.HasPrefix(r.header.Get("Content-Type"), "text/html")
		},
		"garbage":      func(r reply) bool { return r.status == 200 && r.body != "" && !json.Valid([]byte(r.body)) },
		"empty_body":   func(r reply) bool { return r.status == 200 && r.body == "" && r.err == nil },
		"array":        func(r reply) bool { return strings.HasPrefix(r.body, "[") },
		"deep":         func(r reply) bool { return strings.Count(r.body, "{") == 10_000 },
		"huge":         func(r reply) bool { return len(r.body) > 256<<10 && json.Valid([]byte(r.body)) },
		"cut":          func(r reply) bool { return r.status == 200 && r.err != nil && r.took < time.Second*5 },
		"slow":         func(r reply) bool { return r.err == nil && r.status < 400 && r.took >= slowDelay },
		"hang":         func(r reply) bool { return r.err != nil && r.status == 0 && r.took >= impatient },
		"drip":         func(r reply) bool { return r.err != nil && r.status == 200 && r.took >= impatient },
		"redirect":     to(302),
		"redirect_307": to(307),
	}
}

func expectations() map[string]expect {
	all := map[string]expect{}
	for _, some := range []map[string]expect{documentExpectations(), callbackExpectations(), answerExpectations(), headerExpectations(), claimExpectations()} {
		for name, e := range some {
			all[name] = e
		}
	}
	return all
}

func documentExpectations() map[string]expect {
	discovery := func(member string, want any) expect {
		return func(o *observed) bool {
			doc := o.discovery.json()
			return doc != nil && reflect.DeepEqual(doc[member], want)
		}
	}
	keys := func(o *observed) []any { list, _ := o.jwks.json()["keys"].([]any); return list }
	key := func(o *observed, i int) map[string]any {
		if list := keys(o); i < len(list) {
			k, _ := list[i].(map[string]any)
			return k
		}
		return nil
	}
	return map[string]expect{
		"discovery_wrong_issuer":           discovery("issuer", "https://evil.example"),
		"discovery_issuer_slash":           func(o *observed) bool { return discovery("issuer", o.idp.URL+"/")(o) },
		"discovery_issuer_template":        func(o *observed) bool { return discovery("issuer", o.idp.URL+"/{tenantid}")(o) },
		"discovery_missing_issuer":         discovery("issuer", nil),
		"discovery_missing_token_endpoint": discovery("token_endpoint", nil),
		"discovery_missing_jwks_uri":       discovery("jwks_uri", nil),
		"discovery_internal_endpoint":      discovery("token_endpoint", internalURL),
		"discovery_foreign_token_endpoint": discovery("token_endpoint", "https://login.evil.example/token"),
		"discovery_file_endpoint":          discovery("jwks_uri", "file:///etc/passwd"),
		"discovery_alg_none":               discovery("id_token_signing_alg_values_supported", []any{"none", "HS256"}),
		"discovery_types":                  discovery("token_endpoint", json.Number("7")),
		"jwks_empty":                       func(o *observed) bool { return o.jwks.status == 200 && keys(o) != nil && len(keys(o)) == 0 },
		"jwks_duplicate_kid": func(o *observed) bool {
			return len(keys(o)) == 2 && key(o, 0)["kid"] == key(o, 1)["kid"] && key(o, 0)["x"] != key(o, 1)["x"]
		},
		"jwks_oct_key":     func(o *observed) bool { return key(o, 1)["kty"] == "oct" && key(o, 1)["k"] == b64([]byte(octSecret)) },
		"jwks_use_enc":     func(o *observed) bool { return key(o, 0)["use"] == "enc" },
		"jwks_key_ops":     func(o *observed) bool { return reflect.DeepEqual(key(o, 0)["key_ops"], []any{"encrypt"}) },
		"jwks_unknown_kty": func(o *observed) bool { return key(o, 0)["kty"] == "QTM" && key(o, 1)["kty"] == "EC" },
		"jwks_small_rsa":   func(o *observed) bool { return len(keys(o)) == 1 && key(o, 0)["kty"] == "RSA" },
		"jwks_private_key": func(o *observed) bool { return key(o, 0)["d"] != nil },
		"jwks_no_kid":      func(o *observed) bool { return key(o, 0)["kty"] == "EC" && key(o, 0)["kid"] == nil },
		"jwks_many":        func(o *observed) bool { return len(keys(o)) > 10_000 },
	}
}

func callbackExpectations() map[string]expect {
	is := func(param string, want ...string) expect {
		return func(o *observed) bool { return o.callback != nil && slices.Equal(o.callback[param], want) }
	}
	all := map[string]expect{
		"wrong_state":          is("state", "not-the-state"),
		"missing_state":        func(o *observed) bool { return o.callback.Has("code") && !o.callback.Has("state") },
		"duplicate_state":      is("state", testState, "not-the-state"),
		"truncated_state":      is("state", testState[:len(testState)/2]),
		"wrong_callback_iss":   is("iss", "https://evil.example"),
		"missing_callback_iss": func(o *observed) bool { return o.callback.Has("code") && !o.callback.Has("iss") },
		"duplicate_iss":        func(o *observed) bool { return is("iss", o.idp.URL, "https://evil.example")(o) },
		"code_and_error":       func(o *observed) bool { return o.callback.Has("code") && is("error", "access_denied")(o) },
		"missing_code": func(o *observed) bool {
			return o.callback.Has("state") && !o.callback.Has("code") && !o.callback.Has("error")
		},
		"empty_code":     is("code", ""),
		"duplicate_code": func(o *observed) bool { return len(o.callback["code"]) == 2 },
		"wrong_code":     func(o *observed) bool { return is("code", "never-issued")(o) && o.token.status == 400 },
		"huge_code":      func(o *observed) bool { return len(o.callback.Get("code")) == 6000 },
		"extra_params":   func(o *observed) bool { return o.callback.Has("code") && o.callback.Has("access_token") },
		"error_unknown": func(o *observed) bool {
			return strings.Contains(o.callback.Get("error"), "\r\n") && !o.callback.Has("code")
		},
		"huge_error_description": func(o *observed) bool {
			d := o.callback.Get("error_description")
			return len(d) > 6000 && strings.Contains(d, "<script>") && is("error", "access_denied")(o) && !o.callback.Has("code")
		},
	}
	for _, code := range []string{
		"access_denied", "server_error", "temporarily_unavailable", "login_required", "interaction_required",
		"consent_required", "invalid_scope", "invalid_request", "unauthorized_client", "unsupported_response_type",
	} {
		all["error_"+code] = func(o *observed) bool {
			return is("error", code)(o) && !o.callback.Has("code") && o.callback.Get("state") == testState
		}
	}
	return all
}

// answerExpectations are those of token, refresh, userinfo and profile.
func answerExpectations() map[string]expect {
	errorIs := func(status int, code string) expect {
		return func(o *observed) bool { return o.token.status == status && o.token.json()["error"] == code }
	}
	member := func(name string, want any) expect {
		return func(o *observed) bool {
			doc := o.token.json()
			got, has := doc[name]
			return o.token.status == 200 && doc != nil && reflect.DeepEqual(got, want) && (want != nil || !has)
		}
	}
	info := func(name string, want any) expect {
		return func(o *observed) bool {
			doc := o.userinfo.json()
			return o.userinfo.status == 200 && doc != nil && reflect.DeepEqual(doc[name], want)
		}
	}
	both := func(name string, want any) expect {
		return func(o *observed) bool { return info(name, want)(o) && reflect.DeepEqual(o.claims[name], want) }
	}
	renewed := func(name string, want any) expect {
		return func(o *observed) bool { return o.renewed.status == 200 && o.claims[name] == want && o.verified == nil }
	}
	sources := func(doc map[string]any) bool { return strings.Contains(fmt.Sprint(doc["_claim_sources"]), internalURL) }
	return map[string]expect{
		"token_json_error":     errorIs(400, "invalid_grant"),
		"token_invalid_client": errorIs(401, "invalid_client"),
		"token_server_error":   errorIs(400, "server_error"),
		"token_200_error":      errorIs(200, "invalid_grant"),
		"token_no_id_token":    member("id_token", nil),
		"token_null_id_token": func(o *observed) bool {
			v, has := o.token.json()["id_token"]
			return has && v == nil
		},
		"token_number_id_token":          member("id_token", json.Number("7")),
		"token_no_access_token":          member("access_token", nil),
		"token_access_token_as_id_token": func(o *observed) bool { return o.rawID != "" && o.rawID == o.token.json()["access_token"] },
		"token_not_bearer":               member("token_type", "mac"),
		"token_no_type":                  member("token_type", nil),
		"token_string_expires":           member("expires_in", "3600"),
		"token_negative_expires":         member("expires_in", json.Number("-1")),
		"token_huge_expires":             member("expires_in", json.Number("1e+300")),
		"token_form":                     func(o *observed) bool { return strings.HasPrefix(o.token.body, "access_token=") },
		"token_duplicate_member":         func(o *observed) bool { return strings.Count(o.token.body, `"access_token"`) == 2 },

		"refresh_invalid_grant": func(o *observed) bool { return o.token.status == 200 && o.renewed.json()["error"] == "invalid_grant" },
		"refresh_503":           func(o *observed) bool { return o.token.status == 200 && o.renewed.status == 503 },
		"refresh_wrong_sub":     renewed("sub", "somebody-else"),
		"refresh_wrong_iss":     renewed("iss", "https://evil.example"),
		"refresh_wrong_aud":     renewed("aud", "another-client"),
		"refresh_no_id_token": func(o *observed) bool {
			return o.renewed.status == 200 && o.renewed.json()["access_token"] != nil && o.renewed.json()["id_token"] == nil
		},

		"userinfo_401": func(o *observed) bool {
			return o.userinfo.status == 401 && o.userinfo.header.Get("WWW-Authenticate") != ""
		},
		"userinfo_wrong_sub":     info("sub", "somebody-else"),
		"userinfo_missing_sub":   info("sub", nil),
		"userinfo_number_sub":    info("sub", json.Number("1234567890")),
		"userinfo_empty_sub":     info("sub", ""),
		"userinfo_override":      func(o *observed) bool { return info("iss", "https://evil.example")(o) && o.claims["iss"] == o.idp.URL },
		"userinfo_claim_sources": func(o *observed) bool { return sources(o.userinfo.json()) && !sources(o.claims) },
		"userinfo_script": func(o *observed) bool {
			return info("picture", "javascript:alert(3)")(o) && o.claims["picture"] != "javascript:alert(3)"
		},
		"userinfo_case_variant": func(o *observed) bool { return info("SUB", "somebody-else")(o) && info("sub", o.claims["sub"])(o) },
		"userinfo_duplicate_member": func(o *observed) bool {
			return strings.Count(o.userinfo.body, `"sub"`) == 2
		},
		"userinfo_jwt":     func(o *observed) bool { return o.userinfo.header.Get("Content-Type") == "application/jwt" },
		"userinfo_charset": func(o *observed) bool { return strings.HasPrefix(o.userinfo.body, "\xff\xfe") },

		"foreign_email":         both("email", "mallory@globex.test"),
		"unverified_email":      both("email_verified", false),
		"string_email_verified": both("email_verified", "true"),
		"no_email_verified":     func(o *observed) bool { return both("email_verified", nil)(o) && both("email", "alice@acme.test")(o) },
		"no_email":              both("email", nil),
		"bad_email":             both("email", "a@evil.example@acme.test"),
		"email_list":            both("email", []any{"alice@acme.test", "second@acme.test"}),
		"huge_name":             both("name", strings.Repeat("N", 100_000)),
		"script_name":           both("picture", "javascript:alert(3)"),
		"claim_sources":         func(o *observed) bool { return sources(o.userinfo.json()) && sources(o.claims) },
		"admin_groups":          both("groups", []any{"owner", "admin", "root"}),
		"no_profile":            func(o *observed) bool { return len(o.userinfo.json()) == 1 && both("name", nil)(o) },
	}
}
