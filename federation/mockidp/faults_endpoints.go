package mockidp

import (
	"slices"
)

// The ways in which every endpoint of a provider can fail, by suffix.
type failure struct {
	suffix, description, value string
	answer                     func(answer) bool
}

func failures() []failure {
	sorry := []string{"Retry-After", "7"}
	return []failure{
		{"500", "answers 500 with an HTML page", "", sends(500, "text/html", htmlSorry)},
		{"503", "answers 503 with Retry-After", "", sends(503, "text/plain", "busy", sorry...)},
		{"429", "answers 429 with Retry-After", "", sends(429, "application/json", `{"error":"slow_down"}`, sorry...)},
		{"404", "answers 404", "", sends(404, "text/plain", "not found")},
		{"204", "answers 204 with nothing", "", sends(204, "application/json", "")},
		{"html", "answers 200 with an HTML page", "", sends(200, "text/html", htmlSorry)},
		{"garbage", "answers 200 with bytes that are no JSON", "", sends(200, "application/json", garbageBody)},
		{"empty_body", "answers 200 with an empty body", "", sends(200, "application/json", "")},
		{"array", "answers 200 with a JSON array", "", sends(200, "application/json", `[{"sub":"x"}]`)},
		{"deep", "answers 200 with JSON nested ten thousand levels deep", "", sends(200, "application/json", deepJSON())},
		{"huge", "answers 200 with megabytes (Config.HugeSize)", "", huge},
		{"cut", "breaks the connection in the middle of the body", "", cuts},
		{"slow", "waits before it answers; the value is the time", "", slow},
		{"hang", "never answers", "", hang},
		{"drip", "sends headers and never finishes the body", "", drip},
		{"redirect", "redirects with 302 to the value", internalURL, redirects(302)},
		{"redirect_307", "redirects with 307, which repeats a POST, to the value", internalURL, redirects(307)},
	}
}

func deepJSON() string {
	const depth = 10_000
	return string(slices.Concat(slices.Repeat([]byte(`{"a":`), depth), []byte("1"), slices.Repeat([]byte("}"), depth)))
}

// failuresOf are the common failures of one endpoint.
func failuresOf(stage Stage) []Fault {
	var all []Fault
	for _, f := range failures() {
		value := f.value
		if f.suffix == "slow" {
			value = "default"
		}
		all = append(all, Fault{
			Name: string(stage) + "_" + f.suffix, Stage: stage, Value: value,
			Description: "the " + string(stage) + " endpoint " + f.description, answer: f.answer,
		})
	}
	return all
}

func authorizeFaults() []Fault {
	return slices.DeleteFunc(failuresOf(StageAuthorize), func(f Fault) bool {
		// A browser talks to this endpoint: only what a person would run into.
		return !slices.Contains([]string{"authorize_500", "authorize_503", "authorize_slow", "authorize_hang"}, f.Name)
	})
}

func discoveryFaults() []Fault {
	set := func(name, value string) func(*Provider, map[string]any, string) {
		return func(_ *Provider, doc map[string]any, v string) {
			if value != "" {
				v = value
			}
			doc[name] = v
		}
	}
	return append(failuresOf(StageDiscovery), []Fault{
		{
			Name: "discovery_wrong_issuer", Stage: StageDiscovery, Value: "https://evil.example",
			Description: "the document names another issuer: the value", edit: set("issuer", ""),
		},
		{
			Name: "discovery_issuer_slash", Stage: StageDiscovery, Description: "the document's issuer ends in a slash",
			edit: func(p *Provider, doc map[string]any, _ string) { doc["issuer"] = p.issuer + "/" },
		},
		{
			Name: "discovery_issuer_template", Stage: StageDiscovery, Description: "the document's issuer has a {tenantid} placeholder",
			edit: func(p *Provider, doc map[string]any, _ string) { doc["issuer"] = p.issuer + "/{tenantid}" },
		},
		{Name: "discovery_missing_issuer", Stage: StageDiscovery, Description: "the document has no issuer", edit: without("issuer")},
		{Name: "discovery_missing_token_endpoint", Stage: StageDiscovery, Description: "the document has no token_endpoint", edit: without("token_endpoint")},
		{Name: "discovery_missing_jwks_uri", Stage: StageDiscovery, Description: "the document has no jwks_uri", edit: without("jwks_uri")},
		{
			Name: "discovery_internal_endpoint", Stage: StageDiscovery, Value: internalURL,
			Description: "token_endpoint, jwks_uri and userinfo_endpoint point to the value, an internal address",
			edit: func(_ *Provider, doc map[string]any, v string) {
				doc["token_endpoint"], doc["jwks_uri"], doc["userinfo_endpoint"] = v, v, v
			},
		},
		{
			Name: "discovery_foreign_token_endpoint", Stage: StageDiscovery, Value: "https://login.evil.example/token",
			Description: "token_endpoint is the value, on another company's host", edit: set("token_endpoint", ""),
		},
		{Name: "discovery_file_endpoint", Stage: StageDiscovery, Description: "jwks_uri is a file: URL", edit: set("jwks_uri", "file:///etc/passwd")},
		{
			Name: "discovery_alg_none", Stage: StageDiscovery, Description: "the document offers the ID token algorithms none and HS256",
			edit: func(_ *Provider, doc map[string]any, _ string) {
				doc["id_token_signing_alg_values_supported"] = []string{"none", "HS256"}
			},
		},
		{
			Name: "discovery_types", Stage: StageDiscovery, Description: "members have the wrong JSON types",
			edit: func(_ *Provider, doc map[string]any, _ string) {
				doc["token_endpoint"], doc["jwks_uri"] = 7, []string{"x"}
			},
		},
	}...)
}

// without removes members of a document.
func without(names ...string) func(*Provider, map[string]any, string) {
	return func(_ *Provider, doc map[string]any, _ string) {
		for _, name := range names {
			delete(doc, name)
		}
	}
}
