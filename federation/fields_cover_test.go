package federation

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fieldProofs says for every row of connection.fields.yaml which test shows
// what the field does: a case of TestFields by its name, or a test by its.
func fieldProofs() map[string]string {
	return map[string]string{
		"id": "TestM4_OneIssuerTwoConnections", "organization": "TestE9_OnlyTheOwnerVouches", "kind": "kind oauth2", "preset": "TestCheckConnection_Fields",
		"title": "TestCheckConnection_Fields", "picture": "TestCheckConnection_Fields", "disabled": "disabled",
		"domains": "TestE7_LabelBoundaries", "join": "TestCheckConnection_Fields", "allow_public_domains": "TestCheckConnection_Fields", "issuer": "issuer of an oauth2 connection",
		"endpoints": "endpoints by hand", "endpoints.authorize": "endpoints by hand", "endpoints.token": "endpoints by hand",
		"endpoints.userinfo": "endpoints override discovery", "endpoints.jwks": "endpoints by hand",
		"endpoints.end_session": "TestCheckConnection_Fields", "endpoints.revocation": "endpoints.revocation",
		"endpoints.pushed_authorization": "TestPushed_Logins", "push_authorization": "TestPushed_Logins",
		"client_id": "client_auth form", "client_secret": "client_auth header", "client_auth": "client_auth private_key_jwt",
		"client_auth_alg": "client_auth_alg", "private_key": "client_auth private_key_jwt",
		"apple": "apple", "apple.team_id": "apple", "apple.key_id": "apple", "scopes": "scopes",
		"insecure_no_pkce": "insecure_no_pkce", "insecure_no_nonce": "insecure_no_nonce",
		"pkce_names": "pkce_names", "pkce_names.challenge": "pkce_names", "pkce_names.method": "pkce_names", "pkce_names.verifier": "pkce_names",
		"response_mode": "response_mode", "login_hint": "login_hint off", "hint": "hint", "hint.parameter": "hint", "hint.format": "hint local",
		"hint.template": "hint", "domain_hint": "domain_hint", "domain_hint.parameter": "domain_hint", "domain_hint.value": "domain_hint value",
		"public_hosts": "public_hosts", "parameters": "parameters constant", "parameters[].name": "parameters constant",
		"parameters[].source": "parameters session", "parameters[].value": "parameters request", "parameters[].in": "parameters constant",
		"parameters[].as": "parameters constant", "use_userinfo": "use_userinfo off",
		"profile": "profile none", "profile.kind": "profile url_in_url", "profile.url": "profile url_in_url",
		"profile.url_selector": "profile url_in_token_response", "profile.token_as": "profile token_as form", "profile.token_name": "profile token_name header",
		"profile.method": "profile method", "profile.allowed_hosts": "profile allowed_hosts",
		"selectors": "selectors", "selectors.federation_id": "selectors federation_id", "selectors.first_name": "selectors", "selectors.last_name": "selectors",
		"selectors.display_name": "selectors", "selectors.email": "selectors", "selectors.email_verified": "selectors", "selectors.phone": "selectors",
		"selectors.picture": "selectors", "selectors.custom": "selectors", "selectors.custom.<name>": "selectors",
		"selector.path": "selectors", "selector.source": "selectors", "selector.cardinality": "selectors", "selector.missing": "selectors",
		"selector.true_as": "selectors", "selector.optional": "selectors",
		"trust_email": "TestTrustSetting", "allow_private_network": "allow_private_network", "algorithms": "algorithms", "acr_values": "acr_values",
		"grant": "TestDirect_Grants", "extension_grant_type": "TestDirect_Grants", "assertion_connection": "TestDirect_Grants",
		"refresh_login": "refresh_login", "refresh_outage_seconds": "TestRefreshLogin_OutageIsToleratedWithinItsBound",
		"max_session_seconds": "TestSessionLimitsOfAConnection", "idle_session_seconds": "TestSessionLimitsOfAConnection",
		"server_only": "TestServerOnly_PublicClientsAreKeptOut", "concurrent_logins": "TestConcurrentLogins",
	}
}

// TestFields_EachHasATest: a field of a connection without a test that shows
// what it does fails here; so does a proof that is not there.
func TestFields_EachHasATest(t *testing.T) {
	t.Parallel()
	there := map[string]bool{}
	for _, folder := range []string{".", "../broker", "../provisioning"} {
		files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", folder, err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
			if file == "fields_test.go" {
				found = regexp.MustCompile(`\bfield:\s*"([^"]+)"`)
			}
			for _, m := range found.FindAllStringSubmatch(string(raw), -1) {
				there[m[1]] = true
			}
		}
	}
	proofs, used := fieldProofs(), map[string]bool{}
	for _, r := range fieldRows(t) {
		name := strings.TrimSuffix(r.Field, "[]") // an entry is shown by its list
		used[name] = true
		switch proof := proofs[name]; {
		case proof == "":
			t.Errorf("%s: no test shows what it does; write one and name it in fieldProofs", r.Field)
		case !there[proof]:
			t.Errorf("%s: the test %q is not there", r.Field, proof)
		}
	}
	for name := range proofs {
		if !used[name] {
			t.Errorf("%s is no field of a connection", name)
		}
	}
}
