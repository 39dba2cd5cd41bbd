package mockidp

import "fmt"

func tokenFaults() []Fault {
	row := func(name, description string, change func(*Provider, map[string]any, string)) Fault {
		return Fault{Name: name, Stage: StageToken, Description: description, edit: change}
	}
	put := func(member string, value any) func(*Provider, map[string]any, string) {
		return func(_ *Provider, doc map[string]any, _ string) { doc[member] = value }
	}
	says := func(name string, status int, code string) Fault {
		return Fault{
			Name: name, Stage: StageToken, Description: fmt.Sprintf("the token endpoint answers %d with error=%s", status, code),
			answer: sends(status, "application/json", `{"error":"`+code+`","error_description":"<script>alert(1)</script>"}`),
		}
	}
	return append(failuresOf(StageToken), []Fault{
		says("token_json_error", 400, "invalid_grant"),
		says("token_invalid_client", 401, "invalid_client"),
		says("token_server_error", 400, "server_error"),
		says("token_200_error", 200, "invalid_grant"),
		row("token_no_id_token", "the answer has no id_token", without("id_token")),
		row("token_null_id_token", "id_token is null", put("id_token", nil)),
		row("token_number_id_token", "id_token is a number", put("id_token", 7)),
		row("token_no_access_token", "the answer has no access_token", without("access_token")),
		row("token_access_token_as_id_token", "id_token holds the access token", func(_ *Provider, doc map[string]any, _ string) {
			doc["id_token"] = doc["access_token"]
		}),
		row("token_not_bearer", "token_type is mac", put("token_type", "mac")),
		row("token_no_type", "the answer has no token_type", without("token_type")),
		row("token_string_expires", "expires_in is a string", put("expires_in", "3600")),
		row("token_negative_expires", "expires_in is negative", put("expires_in", -1)),
		row("token_huge_expires", "expires_in is 1e300", put("expires_in", 1e300)),
		{
			Name: "token_form", Stage: StageToken, Description: "the answer is form-encoded, as some old providers do",
			answer: sends(200, "application/x-www-form-urlencoded", "access_token=form-encoded&token_type=bearer&expires_in=3600"),
		},
		{
			Name: "token_duplicate_member", Stage: StageToken, Description: "the answer has two access_token members",
			answer: sends(200, "application/json", `{"access_token":"a","access_token":"b","token_type":"Bearer","id_token":"e30.e30."}`),
		},
	}...)
}

func refreshFaults() []Fault {
	return []Fault{
		{
			Name: "refresh_invalid_grant", Stage: StageRefresh, Description: "a refresh is answered with invalid_grant: a definite no",
			answer: sends(400, "application/json", `{"error":"invalid_grant","error_description":"the user was removed"}`),
		},
		{
			Name: "refresh_503", Stage: StageRefresh, Description: "a refresh is answered with 503: an outage",
			answer: sends(503, "text/html", htmlSorry, "Retry-After", "7"),
		},
		{Name: "refresh_wrong_sub", Stage: StageRefresh, Description: "the refreshed ID token has another sub", idToken: claim("sub", "somebody-else")},
		{Name: "refresh_wrong_iss", Stage: StageRefresh, Description: "the refreshed ID token has another iss", idToken: claim("iss", "https://evil.example")},
		{Name: "refresh_wrong_aud", Stage: StageRefresh, Description: "the refreshed ID token has another aud", idToken: claim("aud", "another-client")},
		{Name: "refresh_no_id_token", Stage: StageRefresh, Description: "the refresh answer has no id_token, as is allowed", edit: without("id_token")},
	}
}

func userinfoFaults() []Fault {
	row := func(name, description string, change func(*Provider, map[string]any, string)) Fault {
		return Fault{Name: name, Stage: StageUserinfo, Description: description, edit: change}
	}
	put := func(member string, value any) func(*Provider, map[string]any, string) {
		return func(_ *Provider, doc map[string]any, _ string) { doc[member] = value }
	}
	return append(failuresOf(StageUserinfo), []Fault{
		{
			Name: "userinfo_401", Stage: StageUserinfo, Description: "userinfo refuses a valid token with invalid_token",
			answer: sends(401, "application/json", `{"error":"invalid_token"}`, "WWW-Authenticate", `Bearer error="invalid_token"`),
		},
		row("userinfo_wrong_sub", "sub is another than in the ID token", put("sub", "somebody-else")),
		row("userinfo_missing_sub", "sub is missing", without("sub")),
		row("userinfo_number_sub", "sub is a number", put("sub", 1234567890)),
		row("userinfo_empty_sub", "sub is empty", put("sub", "")),
		row("userinfo_override", "iss, aud, nonce, email and groups contradict the ID token", func(_ *Provider, doc map[string]any, _ string) {
			doc["iss"], doc["aud"], doc["nonce"] = "https://evil.example", "another-client", "another-nonce"
			doc["email"], doc["email_verified"], doc["groups"] = "root@evil.example", true, []string{"owner"}
		}),
		row("userinfo_claim_sources", "claims are said to live at an internal endpoint (OpenID Connect Core 1.0, section 5.6.2)", claimSources),
		row("userinfo_script", "name, picture and locale carry script, a javascript: URL and bidi marks", script),
		row("userinfo_case_variant", "SUB and Email stand beside sub and email with other values", func(_ *Provider, doc map[string]any, _ string) {
			doc["SUB"], doc["Email"] = "somebody-else", "root@evil.example"
		}),
		{
			Name: "userinfo_duplicate_member", Stage: StageUserinfo, Description: "sub stands twice, with two values",
			answer: sends(200, "application/json", `{"sub":"a","sub":"b","email":"a@acme.test"}`),
		},
		{
			Name: "userinfo_jwt", Stage: StageUserinfo, Description: "the answer is an unsigned JWT for another audience",
			answer: sends(200, "application/jwt", "eyJhbGciOiJub25lIn0."+b64([]byte(`{"sub":"x","aud":"another-client"}`))+"."),
		},
		{
			Name: "userinfo_charset", Stage: StageUserinfo, Description: "the answer says JSON and is UTF-16",
			answer: sends(200, "application/json; charset=utf-16", "\xff\xfe{\x00\"\x00s\x00u\x00b\x00\"\x00:\x001\x00}\x00"),
		},
	}...)
}
