package mockidp

import (
	"maps"
	"net/url"
	"strings"
)

func callbackFaults() []Fault {
	row := func(name, value, description string, change func(p *Provider, v url.Values, value string)) Fault {
		return Fault{Name: name, Stage: StageCallback, Value: value, Description: description, callback: change}
	}
	set := func(param, value string) func(*Provider, url.Values, string) {
		return func(_ *Provider, v url.Values, _ string) { v.Set(param, value) }
	}
	fails := func(code string) Fault {
		return row("error_"+code, "", "error="+code+" in place of a code", func(_ *Provider, v url.Values, _ string) {
			failWith(v, code, "the mock provider was told to say "+code)
		})
	}
	return []Fault{
		row("wrong_state", "", "another state comes back", set("state", "not-the-state")),
		row("missing_state", "", "no state comes back", func(_ *Provider, v url.Values, _ string) { v.Del("state") }),
		row("duplicate_state", "", "two states come back", func(_ *Provider, v url.Values, _ string) { v.Add("state", "not-the-state") }),
		row("truncated_state", "", "half of the state comes back", func(_ *Provider, v url.Values, _ string) {
			v.Set("state", v.Get("state")[:len(v.Get("state"))/2])
		}),
		row("wrong_callback_iss", "https://evil.example", "the iss parameter is the value", func(_ *Provider, v url.Values, value string) { v.Set("iss", value) }),
		row("missing_callback_iss", "", "no iss parameter although it is advertised", func(_ *Provider, v url.Values, _ string) { v.Del("iss") }),
		row("duplicate_iss", "", "two iss parameters: the right one and another", func(_ *Provider, v url.Values, _ string) { v.Add("iss", "https://evil.example") }),
		row("code_and_error", "", "a code and error=access_denied together", set("error", "access_denied")),
		row("missing_code", "", "neither code nor error", func(_ *Provider, v url.Values, _ string) { v.Del("code") }),
		row("empty_code", "", "the code is empty", set("code", "")),
		row("duplicate_code", "", "two codes", func(_ *Provider, v url.Values, _ string) { v.Add("code", "another-code") }),
		row("wrong_code", "", "a code that was never issued", set("code", "never-issued")),
		row("huge_code", "", "a code of 6000 characters", set("code", strings.Repeat("c", 6000))),
		row("extra_params", "", "id_token, access_token and expires_in beside the code, as from another flow", func(_ *Provider, v url.Values, _ string) {
			v.Set("access_token", "stray")
			v.Set("id_token", "e30.e30.")
			v.Set("expires_in", "3600")
		}),
		fails("access_denied"), fails("server_error"), fails("temporarily_unavailable"), fails("login_required"),
		fails("interaction_required"), fails("consent_required"), fails("invalid_scope"), fails("invalid_request"),
		fails("unauthorized_client"), fails("unsupported_response_type"),
		row("error_unknown", "", "an error code that no standard knows, with characters that none may have", func(_ *Provider, v url.Values, _ string) {
			failWith(v, "<b>\"oops\"\r\nSet-Cookie: x=y", "")
		}),
		row("huge_error_description", "", "error_description of 6000 characters with HTML, script, bidi marks and line breaks", func(_ *Provider, v url.Values, _ string) {
			failWith(v, "access_denied", "<script>alert(1)</script><img src=x onerror=alert(2)>{{.}}\u202e\r\nX-Evil: 1 "+strings.Repeat("A", 6000))
			v.Set("error_uri", "javascript:alert(3)")
		}),
	}
}

// failWith takes everything but state and iss out and says an error.
func failWith(v url.Values, code, description string) {
	maps.DeleteFunc(v, func(name string, _ []string) bool { return name != "state" && name != "iss" })
	v.Set("error", code)
	if description != "" {
		v.Set("error_description", description)
	}
}
