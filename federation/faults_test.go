package federation

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/federation/mockidp"
	"gatehouse/profile"
)

// faultCodes says for each fault of the mock provider what must come of it.
// "ok" is a login that a good client lets through.
func faultCodes() map[string]map[string]string {
	return map[string]map[string]string{
		"J1": {"alg_none": CodeIDTokenAlgorithm, "alg_none_mixed_case": CodeIDTokenAlgorithm, "empty_signature": CodeIDTokenSignature},
		"J2": {"alg_hs256_secret": CodeIDTokenAlgorithm, "alg_hs256_pubkey": CodeIDTokenAlgorithm, "alg_unknown": CodeIDTokenAlgorithm},
		"J3": {"alg_hs256_oct": CodeIDTokenAlgorithm, "jwks_oct_key": "ok"},
		"J4": {
			"enc_key": CodeIDTokenKeyUnfit, "jwks_use_enc": CodeIDTokenKeyUnfit, "jwks_key_ops": CodeIDTokenKeyUnfit,
			"jwks_small_rsa": CodeIDTokenKeyUnknown, "jwks_unknown_kty": "ok", "jwks_private_key": CodeIDTokenKeyUnfit,
			"jwks_empty": CodeIDTokenKeyUnknown, "jwks_many": CodeResponseTooLarge,
		},
		"J5": {"jwk_header": CodeIDTokenKeyUnknown, "jku_header": CodeIDTokenKeyUnknown, "x5u_header": CodeIDTokenKeyUnknown, "x5c_header": CodeIDTokenMalformed},
		"J6": {"crit_header": CodeIDTokenHeader, "b64_false": CodeIDTokenHeader, "jwe": CodeIDTokenHeader, "json_serialization": CodeIDTokenMalformed, "huge_id_token": CodeResponseTooLarge},
		"J7": {
			"kid_traversal": CodeIDTokenKeyUnknown, "kid_sql": CodeIDTokenKeyUnknown, "kid_array": CodeIDTokenMalformed, "kid_huge": CodeIDTokenMalformed,
			"missing_kid": "ok", "missing_kid_ambiguous": CodeIDTokenKeyAmbiguous, "unknown_kid": CodeIDTokenKeyUnknown,
			"jwks_duplicate_kid": CodeIDTokenKeyAmbiguous, "jwks_no_kid": CodeIDTokenKeyUnknown,
		},
		"signature": {"bad_signature": CodeIDTokenSignature, "changed_payload": CodeIDTokenSignature, "missing_key": CodeIDTokenKeyUnknown, "reused_kid": CodeIDTokenSignature},
		"J9":        {"wrong_iss": CodeIDTokenIssuer, "missing_iss": CodeIDTokenIssuer, "iss_trailing_slash": CodeIDTokenIssuer, "iss_case": CodeIDTokenIssuer},
		"J10": {
			"wrong_aud": CodeIDTokenAudience, "extra_aud": CodeIDTokenAudience, "extra_aud_with_azp": CodeIDTokenAudience, "missing_aud": CodeIDTokenAudience,
			"empty_aud": CodeIDTokenAudience, "number_aud": CodeIDTokenAudience, "wrong_azp": CodeIDTokenAuthorizedParty,
		},
		"J12": {
			"expired": CodeIDTokenExpired, "no_exp": CodeIDTokenTimes, "far_exp": CodeIDTokenLifetime, "string_exp": CodeIDTokenTimes, "huge_exp": CodeIDTokenTimes,
			"negative_exp": CodeIDTokenTimes, "future_iat": CodeIDTokenTimes, "old_iat": CodeIDTokenLifetime, "missing_iat": CodeIDTokenTimes, "future_nbf": CodeIDTokenTimes,
		},
		"J14": {
			"missing_sub": CodeIDTokenSubject, "empty_sub": CodeIDTokenSubject, "null_sub": CodeIDTokenSubject, "long_sub": CodeIDTokenSubject,
			"number_sub": CodeIDTokenSubject, "nul_sub": CodeIDTokenSubject, "space_sub": CodeIDTokenSubject, "case_sub": CodeUserinfoSubject,
		},
		"J15": {
			"duplicate_member": CodeIDTokenMalformed, "case_variant_member": CodeIDTokenMalformed, "unicode_member": CodeIDTokenMalformed,
			"array_claims": CodeIDTokenMalformed, "deep_claims": CodeIDTokenMalformed, "token_duplicate_member": CodeResponseInvalid,
			"userinfo_case_variant": CodeResponseInvalid, "userinfo_duplicate_member": CodeResponseInvalid,
		},
		"J16": {"typ_at_jwt": CodeIDTokenType, "typ_logout_jwt": CodeIDTokenType, "typ_dpop_jwt": CodeIDTokenType, "typ_secevent_jwt": CodeIDTokenType, "logout_events": CodeIDTokenType},
		"J17": {"wrong_at_hash": CodeIDTokenAccessTokenHash, "missing_at_hash": "ok"},
		"J18": {"stale_auth_time": "ok", "future_auth_time": CodeIDTokenAuthTime, "missing_auth_time": "ok", "weak_acr": "ok", "missing_acr": "ok"},
		"J21": {"jwks_hang": CodeTimeout, "jwks_drip": CodeTimeout, "jwks_slow": "ok"},
		"J22": {
			"token_access_token_as_id_token": CodeIDTokenMalformed, "not_a_jwt": CodeIDTokenMalformed, "token_no_id_token": CodeIDTokenMissing,
			"token_null_id_token": CodeIDTokenMissing, "token_number_id_token": CodeTokenResponseInvalid, "extra_params": "ok",
		},
		"K3": {"rotated_key": "ok"},
		"S1": {
			"wrong_state": CodeStateMismatch, "missing_state": CodeStateMismatch, "duplicate_state": CodeStateMismatch, "truncated_state": CodeStateMismatch,
			"duplicate_code": CodeCallbackMalformed, "missing_code": CodeCallbackMalformed, "empty_code": CodeCallbackMalformed, "huge_code": CodeCallbackMalformed, "wrong_code": CodeCodeRefused,
		},
		"S4": {"wrong_nonce": CodeIDTokenNonce, "missing_nonce": CodeIDTokenNonce, "other_nonce": CodeIDTokenNonce},
		"S6": {
			"code_and_error": CodeDeniedByUser, "error_access_denied": CodeDeniedByUser, "huge_error_description": CodeDeniedByUser,
			"error_server_error": CodeProviderTemporary, "error_temporarily_unavailable": CodeProviderTemporary,
			"error_login_required": CodeInteraction, "error_interaction_required": CodeInteraction, "error_consent_required": CodeInteraction,
			"error_invalid_scope": CodeProviderRefused, "error_invalid_request": CodeProviderRefused, "error_unauthorized_client": CodeProviderRefused,
			"error_unsupported_response_type": CodeProviderRefused, "error_unknown": CodeProviderOtherError,
		},
		"M2": {"wrong_callback_iss": CodeCallbackIssuer, "missing_callback_iss": CodeCallbackIssuer, "duplicate_iss": CodeCallbackMalformed},
		"M6": {"discovery_foreign_token_endpoint": CodeDiscoveryEndpoint},
		"M7": {
			"discovery_wrong_issuer": CodeDiscoveryIssuer, "discovery_issuer_slash": CodeDiscoveryIssuer, "discovery_issuer_template": CodeDiscoveryIssuer, "discovery_missing_issuer": CodeDiscoveryInvalid,
			"discovery_missing_token_endpoint": CodeDiscoveryInvalid, "discovery_missing_jwks_uri": CodeDiscoveryInvalid, "discovery_types": CodeDiscoveryInvalid,
			"discovery_alg_none": "ok",
		},
		"U1": {"userinfo_wrong_sub": CodeUserinfoSubject},
		"U2": {
			"userinfo_missing_sub": CodeUserinfoInvalid, "userinfo_number_sub": CodeUserinfoInvalid, "userinfo_empty_sub": CodeUserinfoSubject, "userinfo_array": CodeResponseInvalid,
			"userinfo_jwt": CodeResponseType, "userinfo_html": CodeResponseType, "userinfo_charset": CodeResponseType, "userinfo_401": CodeUserinfoInvalid,
		},
		"U3": {"userinfo_override": "ok"},
		"U6": {"userinfo_claim_sources": "ok", "claim_sources": "ok"},
		"H1": {"discovery_internal_endpoint": CodeDiscoveryEndpoint, "discovery_file_endpoint": CodeDiscoveryEndpoint},
		"H3": {
			"discovery_redirect": CodeRedirectRefused, "discovery_redirect_307": CodeRedirectRefused, "jwks_redirect": CodeRedirectRefused, "jwks_redirect_307": CodeRedirectRefused,
			"token_redirect": CodeRedirectRefused, "token_redirect_307": CodeRedirectRefused, "userinfo_redirect": CodeRedirectRefused, "userinfo_redirect_307": CodeRedirectRefused,
		},
		"Q2": {
			"token_500": CodeUnavailable, "token_503": CodeUnavailable, "token_429": CodeUnavailable, "token_404": CodeResponseStatus, "token_204": CodeResponseStatus,
			"token_html": CodeResponseType, "token_json_error": CodeCodeRefused, "token_invalid_client": CodeClientRejected, "token_server_error": CodeUnavailable,
			"token_200_error": CodeCodeRefused, "token_not_bearer": CodeTokenResponseInvalid, "token_no_type": CodeTokenResponseInvalid,
			"token_no_access_token": CodeTokenResponseInvalid, "token_form": CodeResponseType, "token_string_expires": "ok", "token_negative_expires": "ok", "token_huge_expires": "ok",
		},
		"FT11": {
			"token_hang": CodeTimeout, "token_drip": CodeTimeout, "token_slow": "ok", "userinfo_hang": CodeTimeout, "userinfo_drip": CodeTimeout, "userinfo_slow": "ok",
			"discovery_hang": CodeTimeout, "discovery_drip": CodeTimeout, "discovery_slow": "ok",
		},
		"FT12": {
			"discovery_500": CodeUnavailable, "discovery_503": CodeUnavailable, "discovery_429": CodeUnavailable, "discovery_404": CodeResponseStatus, "discovery_204": CodeResponseStatus,
			"discovery_html": CodeResponseType, "discovery_garbage": CodeResponseInvalid, "discovery_empty_body": CodeResponseInvalid, "discovery_array": CodeResponseInvalid,
			"discovery_deep": CodeResponseInvalid, "discovery_huge": CodeResponseTooLarge, "discovery_cut": CodeUnreachable,
			"jwks_500": CodeUnavailable, "jwks_503": CodeUnavailable, "jwks_429": CodeUnavailable, "jwks_404": CodeResponseStatus, "jwks_204": CodeResponseStatus,
			"jwks_html": CodeResponseType, "jwks_garbage": CodeResponseInvalid, "jwks_empty_body": CodeResponseInvalid, "jwks_array": CodeResponseInvalid,
			"jwks_deep": CodeResponseInvalid, "jwks_huge": CodeResponseTooLarge, "jwks_cut": CodeUnreachable,
			"token_garbage": CodeResponseInvalid, "token_empty_body": CodeResponseInvalid, "token_array": CodeResponseInvalid,
			"token_deep": CodeResponseInvalid, "token_huge": CodeResponseTooLarge, "token_cut": CodeUnreachable,
			"userinfo_500": CodeUnavailable, "userinfo_503": CodeUnavailable, "userinfo_429": CodeUnavailable, "userinfo_404": CodeUserinfoInvalid, "userinfo_204": CodeUserinfoInvalid,
			"userinfo_garbage": CodeResponseInvalid, "userinfo_empty_body": CodeResponseInvalid, "userinfo_deep": CodeResponseInvalid,
			"userinfo_huge": CodeResponseTooLarge, "userinfo_cut": CodeUnreachable,
		},
		"X8": {"huge_name": CodeIDTokenMalformed},
		// Not for this package to judge: provisioning looks at domain and proof.
		"people": {
			"foreign_email": "ok", "unverified_email": "ok", "string_email_verified": "ok", "no_email_verified": "ok", "no_email": "ok", "bad_email": "ok", "email_list": "ok",
			"script_name": "ok", "admin_groups": "ok", "no_profile": "ok", "userinfo_script": "ok",
		},
	}
}

// TestFaults_AllAreJudged fails when the mock provider learns a fault that
// nobody decided about here.
func TestFaults_AllAreJudged(t *testing.T) {
	t.Parallel()
	judged := map[string]bool{}
	for _, group := range faultCodes() {
		for name := range group {
			judged[name] = true
		}
	}
	for _, f := range mockidp.Faults() {
		if !judged[f.Name] && f.Stage != mockidp.StageRefresh && f.Stage != mockidp.StageAuthorize {
			t.Errorf("fault %s (%s) has no expected outcome", f.Name, f.Description)
		}
	}
}

// runFaults makes one login per fault of a case and compares the outcome.
func runFaults(t *testing.T, id string) {
	t.Helper()
	t.Parallel()
	stages := map[string]mockidp.Stage{}
	for _, f := range mockidp.Faults() {
		stages[f.Name] = f.Stage
	}
	group := faultCodes()[id]
	for _, name := range slices.Sorted(maps.Keys(group)) {
		want := group[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, mockidp.Config{})
			if strings.HasSuffix(name, "_hang") || strings.HasSuffix(name, "_drip") {
				w.timing.request = 200 * time.Millisecond
			}
			if name == "other_nonce" || name == "alg_hs256_oct" {
				if name == "alg_hs256_oct" {
					w.idp.SetFault("jwks_oct_key", 0)
				}
				if _, err := w.login(); err != nil {
					t.Fatal(err)
				}
			}
			var got VerifiedIdentity
			var err error
			switch stages[name] {
			case mockidp.StageDiscovery, mockidp.StageJWKS:
				w.idp.SetFault(name, 0)
				got, err = w.login()
			case "":
				t.Fatalf("the mock provider has no fault %s", name)
			default:
				got, err = w.login(name)
			}
			wantCode(t, err, want)
			if got.Valid() != (want == "ok") {
				t.Errorf("Valid() = %v with %v", got.Valid(), err)
			}
			before := stages[name] == mockidp.StageDiscovery || stages[name] == mockidp.StageCallback && name != "wrong_code"
			if n := w.count("token"); want != "ok" && before && n != 0 {
				t.Errorf("the code was sent out although the callback or the configuration was bad")
			} else if n > 1 && name != "other_nonce" && name != "alg_hs256_oct" {
				t.Errorf("the code was sent %d times", n)
			}
			if n := w.count("jwks"); n > 2 {
				t.Errorf("%d JWKS requests", n)
			}
		})
	}
}

func TestJ1_AlgNone(t *testing.T)                  { runFaults(t, "J1") }
func TestJ2_SymmetricAlgorithms(t *testing.T)      { runFaults(t, "J2") }
func TestJ3_OctKey(t *testing.T)                   { runFaults(t, "J3") }
func TestJ4_UnfitKeys(t *testing.T)                { runFaults(t, "J4") }
func TestJ5_KeysInHeader(t *testing.T)             { runFaults(t, "J5") }
func TestJ6_HeaderExtensions(t *testing.T)         { runFaults(t, "J6") }
func TestJ7_KeyIDs(t *testing.T)                   { runFaults(t, "J7") }
func TestSignatures(t *testing.T)                  { runFaults(t, "signature") }
func TestJ9_Issuer(t *testing.T)                   { runFaults(t, "J9") }
func TestJ10_Audience(t *testing.T)                { runFaults(t, "J10") }
func TestJ12_Times(t *testing.T)                   { runFaults(t, "J12") }
func TestJ14_Subject(t *testing.T)                 { runFaults(t, "J14") }
func TestJ15_DuplicateMembers(t *testing.T)        { runFaults(t, "J15") }
func TestJ16_TokenType(t *testing.T)               { runFaults(t, "J16") }
func TestJ17_AccessTokenHash(t *testing.T)         { runFaults(t, "J17") }
func TestJ18_NotAskedFor(t *testing.T)             { runFaults(t, "J18") }
func TestJ21_KeysNeverAnswered(t *testing.T)       { runFaults(t, "J21") }
func TestJ22_WrongTokenInPlace(t *testing.T)       { runFaults(t, "J22") }
func TestK3_RotatedJustBeforeSigning(t *testing.T) { runFaults(t, "K3") }
func TestS1_StateAndCode(t *testing.T)             { runFaults(t, "S1") }
func TestS4_Nonce(t *testing.T)                    { runFaults(t, "S4") }
func TestS6_CodeAndError(t *testing.T)             { runFaults(t, "S6") }
func TestM2_CallbackIssuer(t *testing.T)           { runFaults(t, "M2") }
func TestM6_ForeignTokenEndpoint(t *testing.T)     { runFaults(t, "M6") }
func TestM7_DiscoveryIssuer(t *testing.T)          { runFaults(t, "M7") }
func TestU1_OtherSubject(t *testing.T)             { runFaults(t, "U1") }
func TestU2_NotAnObject(t *testing.T)              { runFaults(t, "U2") }
func TestU6_ClaimSources(t *testing.T)             { runFaults(t, "U6") }
func TestH1_InternalEndpoints(t *testing.T)        { runFaults(t, "H1") }
func TestH3_Redirects(t *testing.T)                { runFaults(t, "H3") }
func TestQ2_TokenEndpointAnswers(t *testing.T)     { runFaults(t, "Q2") }
func TestFT11_SlowProvider(t *testing.T)           { runFaults(t, "FT11") }
func TestFT12_Garbage(t *testing.T)                { runFaults(t, "FT12") }
func TestX8_HugeAttribute(t *testing.T)            { runFaults(t, "X8") }
func TestPeople_ReadAsTheyAre(t *testing.T)        { runFaults(t, "people") }

// U3: userinfo may add attributes; it never says who issued what for whom, and
// the ID token's own e-mail comes first.
func TestU3_UserinfoOverrides(t *testing.T) {
	runFaults(t, "U3")
	t.Run("values", func(t *testing.T) {
		w := newWorld(t, mockidp.Config{})
		id, err := w.login("userinfo_override")
		if err != nil {
			t.Fatal(err)
		}
		if id.Email() != address(t, "alice@acme.test") || id.Issuer() != w.idp.URL {
			t.Errorf("e-mail %s, issuer %s came from userinfo", id.Email(), id.Issuer())
		}
	})
}

// What a provider says of an address reaches provisioning as it is.
func TestN_EmailVerifiedIsThreeValued(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]profile.Tristate{
		"unverified_email": profile.False, "string_email_verified": profile.Absent, "no_email_verified": profile.Absent, "no_email": profile.Absent, "bad_email": profile.Absent,
	} {
		w := newWorld(t, mockidp.Config{})
		id, err := w.login(fault)
		if err != nil {
			t.Fatalf("%s: %v", fault, err)
		}
		if id.EmailVerified() != want {
			t.Errorf("%s: verified %s, want %s", fault, id.EmailVerified(), want)
		}
	}
}
