package mockidp

import "strings"

// profileFaults change who the person is, the same in ID token and userinfo.
func profileFaults() []Fault {
	row := func(name, value, description string, change func(*Provider, map[string]any, string)) Fault {
		return Fault{Name: name, Stage: StageProfile, Value: value, Description: description, edit: change}
	}
	put := func(member string, value any) func(*Provider, map[string]any, string) {
		return func(_ *Provider, doc map[string]any, _ string) { doc[member] = value }
	}
	return []Fault{
		row("foreign_email", "mallory@globex.test", "the e-mail is the value, an address of another domain, said to be verified", func(_ *Provider, doc map[string]any, v string) {
			doc["email"], doc["email_verified"] = v, true
		}),
		row("unverified_email", "", "email_verified is false", put("email_verified", false)),
		row("string_email_verified", "", `email_verified is the string "true"`, put("email_verified", "true")),
		row("no_email_verified", "", "email_verified is missing", without("email_verified")),
		row("no_email", "", "email and email_verified are missing", without("email", "email_verified")),
		row("bad_email", "a@evil.example@acme.test", "the e-mail is the value, which is no address", func(_ *Provider, doc map[string]any, v string) { doc["email"] = v }),
		row("email_list", "", "email is a list", func(p *Provider, doc map[string]any, _ string) {
			doc["email"] = []any{doc["email"], "second@" + p.cfg.Domain}
		}),
		row("huge_name", "", "the name has 100,000 characters", put("name", strings.Repeat("N", 100_000))),
		row("script_name", "", "name, picture and locale carry script, a javascript: URL and bidi marks", script),
		row("claim_sources", "", "claims are said to live at an internal endpoint (OpenID Connect Core 1.0, section 5.6.2)", claimSources),
		row("admin_groups", "", "groups are owner, admin and root", put("groups", []any{"owner", "admin", "root"})),
		row("no_profile", "", "nothing but sub", func(_ *Provider, doc map[string]any, _ string) {
			for name := range doc {
				if name != "sub" {
					delete(doc, name)
				}
			}
		}),
	}
}

func script(_ *Provider, doc map[string]any, _ string) {
	doc["name"] = "<img src=x onerror=alert(1)>{{.}}\u202egnp.exe\r\nX-Evil: 1"
	doc["given_name"] = "<script>alert(2)</script>"
	doc["picture"] = "javascript:alert(3)"
	doc["locale"] = "../../etc/passwd"
}

func claimSources(_ *Provider, doc map[string]any, _ string) {
	doc["_claim_names"] = map[string]any{"email": "src1", "groups": "src1"}
	doc["_claim_sources"] = map[string]any{"src1": map[string]any{"endpoint": internalURL, "access_token": "stray"}}
}
