package store

// TraceCode is one exact cause of a failed login: the code that logs, metrics
// and traces name it by, whose fault it usually is, and what to do about it.
type TraceCode struct {
	Code  string
	Blame string // ours, provider, app or user
	Means string
	Do    string
}

// TraceCodeOf finds a code. What is not in the list is "internal": nothing
// outside the list is ever recorded as a code.
func TraceCodeOf(code string) TraceCode {
	codes := TraceCodes()
	for i := range codes {
		if codes[i].Code == code {
			return codes[i]
		}
	}
	return codes[0]
}

// TraceCodes is the documented list (docs/traces.md is made of it). Codes of
// package federation, reasons of package provisioning and OAuth errors are all
// in it; tests there hold that.
func TraceCodes() []TraceCode {
	return []TraceCode{
		// Ourselves.
		{"internal", "ours", "Something went wrong here that has no code of its own.", "Look for the words in the log of that time and report it."},
		{"store_unavailable", "ours", "The store could not be read or written.", "Check disk space and the log; nothing was changed."},
		{"decision_changed", "ours", "The decision changed again and again while it was carried out.", "Sign in again."},
		{"login_used", "user", "This login had already been finished.", "Start again from the app; use neither the back button nor a bookmark."},
		{"login_expired", "user", "More than 15 minutes passed since the departure.", "Start again from the app."},
		{"login_too_big", "app", "The app's request is too big for a login cookie.", "Shorten the request or send it by PAR."},
		{"abandoned", "user", "The browser went away in the middle.", "Nothing, unless it happens often: then look at how long the provider takes."},
		{"cancelled", "user", "The person pressed cancel here.", "Nothing."},
		{"request_invalid", "ours", "A request of ours was not made properly.", "Report it with this trace."},

		// The way to the provider.
		{"no_route", "user", "No connection serves the domain of the address.", "Check the spelling; else add the domain to a connection and verify it."},
		{"route_closed", "ours", "The connections of this domain are switched off or not meant for this app.", "Switch one on, or allow the app to use it."},
		{"connection_disabled", "ours", "The connection is switched off or deleted.", "Switch it on again."},
		{"connection_invalid", "ours", "The connection's record cannot work.", "Save the connection again: every fault is named with its field."},
		{"connection_changed", "ours", "The connection was changed during the login.", "Sign in again; if it goes on, find out who keeps changing it."},
		{"connection_mismatch", "provider", "The browser came back on another connection's callback.", "Register at the provider exactly the callback URL of this connection."},
		{"state_mismatch", "provider", "state is missing, cut, repeated or another login's.", "Make sure the provider sends state back unchanged and once; else start again."},

		{"host_unknown", "ours", "The login began on a host that is not among the connection's public hosts.", "Add the host to the connection and register its callback URL at the provider."},
		{"grant_unfit", "ours", "The connection signs people in by another grant.", "Use a connection of that grant, or change the connection's."},
		{"fresh_unprovable", "ours", "A new sign-in is demanded, and this provider cannot prove one.", "Do not ask for prompt=login or max_age, or use an OpenID Connect provider."},

		// The callback's parameters.
		{"callback_malformed", "provider", "Parameters of the callback are repeated, too long or missing.", "Ask the provider's support; the trace says which parameters came."},
		{"callback_issuer", "provider", "iss is another issuer's, or missing although announced (RFC 9207).", "Compare the connection's issuer with the provider's, byte for byte."},
		{"denied_by_user", "user", "The person said no at the provider, or it did not let them on (access_denied).", "Ask whether the person pressed cancel; else assign the app to them at the provider."},
		{"interaction_needed", "provider", "The provider wanted to ask the person something and could not.", "Sign in again; check consent policies at the provider."},
		{"provider_temporary", "provider", "The provider said that it cannot just now.", "Try again later; look at the provider's status page."},
		{"provider_refused", "ours", "The provider does not accept our request.", "Compare client id, redirect URI and scopes with the registration at the provider."},
		{"provider_other_error", "provider", "The provider answered with an error code of its own.", "Look the code up in the provider's documentation."},

		// Reaching the provider.
		{"address_refused", "ours", "The provider's address is private, and private addresses are not allowed.", "Allow the network in the configuration and on the connection, if that is right."},
		{"url_refused", "ours", "An endpoint is not https, or not a usable URL.", "Correct the endpoint on the connection."},
		{"provider_unreachable", "provider", "DNS, TCP or TLS failed, or the connection was cut.", "Check host name, firewall and certificate of the provider."},
		{"provider_timeout", "provider", "The provider did not answer in time.", "Try again; look at the provider's status page."},
		{"provider_suspended", "provider", "The provider failed again and again and is not asked for some seconds.", "Find the first failures before this one."},
		{"provider_busy", "provider", "Too many logins wait for this provider.", "The provider is slow: look at its status page."},
		{"provider_unavailable", "provider", "The provider answered 5xx, 429 or that it is unavailable.", "Try again later; look at the provider's status page."},
		{"redirect_refused", "provider", "An endpoint redirected; redirects are not followed.", "Set the final URL of the endpoint on the connection."},
		{"response_status", "provider", "An endpoint answered with a status it should not.", "Check the endpoint's URL on the connection."},
		{"response_type", "provider", "An endpoint answered in another media type or encoding.", "Check the endpoint's URL: a web page often stands there."},
		{"response_too_large", "provider", "An endpoint answered too much.", "Check the endpoint's URL; reduce what the provider sends."},
		{"response_invalid", "provider", "The answer is not the JSON it must be.", "Check the endpoint's URL; ask the provider's support."},

		// Discovery and keys.
		{"discovery_issuer", "provider", "The discovery document is another issuer's.", "Set the connection's issuer to what the document says, if it is yours."},
		{"discovery_endpoint", "provider", "The discovery document names an endpoint on another site.", "Set this endpoint on the connection, if it is right."},
		{"discovery_invalid", "provider", "The discovery document lacks something or is malformed.", "Set the endpoints on the connection by hand."},
		{"keys_invalid", "provider", "The provider's key set cannot be read.", "Ask the provider's support; check the JWKS URL."},

		// The token endpoint.
		{"code_refused", "provider", "The provider did not take its own code back (invalid_grant).", "Sign in again; if it stays, compare redirect URI and PKCE settings with the registration."},
		{"client_rejected", "ours", "The provider does not accept our client id or secret.", "Enter the client secret again; check how the client has to authenticate."},
		{"token_error", "provider", "The token endpoint answered with another OAuth error.", "Look the error up in the provider's documentation."},
		{"token_response_invalid", "provider", "The token response lacks something or is malformed.", "Check the token endpoint's URL; ask the provider's support."},

		{"credentials_refused", "user", "The provider does not accept the person's credentials.", "Enter them again; reset them at the provider."},
		{"assertion_refused", "app", "The provider does not accept the assertion.", "Send a fresh assertion that is meant for this provider."},
		{"refresh_refused", "provider", "The provider says that the person may go on no longer.", "The person signs in again."},
		{"refresh_mismatch", "provider", "The refreshed sign-in is another person's.", "The person signs in again; report it to the provider if it happens again."},

		// The ID token.
		{"id_token_missing", "provider", "There is no ID token in the token response.", "Add the scope openid to the connection."},
		{"id_token_malformed", "provider", "The ID token cannot be read.", "Ask the provider's support."},
		{"id_token_algorithm", "provider", "The ID token is signed with an algorithm that is not accepted.", "Choose ES256, RS256, PS256 or EdDSA at the provider."},
		{"id_token_header", "provider", "The ID token is encrypted or has a header that is not supported.", "Switch ID token encryption off at the provider."},
		{"id_token_type", "provider", "It is another kind of token.", "Check the token endpoint's URL."},
		{"id_token_key_unknown", "provider", "The ID token is signed with a key the provider does not publish.", "Check the JWKS URL; if keys were just rotated, try again in a minute."},
		{"id_token_key_unfit", "provider", "The key of the ID token is not fit to verify it.", "Have the provider publish a signing key (use=sig, RSA of 2048 bits or more, or EC)."},
		{"id_token_key_ambiguous", "provider", "Several keys could be meant.", "Have the provider give each key its own kid and name it in the token."},
		{"id_token_signature", "provider", "The signature is wrong.", "Check the JWKS URL: it must be this provider's."},
		{"id_token_issuer", "provider", "The ID token is another issuer's.", "Compare the connection's issuer with the iss of the token, byte for byte."},
		{"id_token_audience", "provider", "The ID token is not for this client alone.", "Compare the client id; remove additional audiences at the provider."},
		{"id_token_authorized_party", "provider", "azp is another client.", "Compare the client id with the registration at the provider."},
		{"id_token_expired", "provider", "The ID token has expired.", "Compare the clocks."},
		{"id_token_times", "provider", "The times of the ID token do not fit.", "Compare the clocks."},
		{"id_token_lifetime", "provider", "The ID token is valid for longer than a day.", "Shorten its lifetime at the provider."},
		{"id_token_subject", "provider", "sub is missing or not usable.", "Have the provider send a sub of at most 255 printable characters."},
		{"id_token_nonce", "provider", "The nonce is missing or another login's.", "Sign in again; if it stays, the provider does not support nonce: switch it off on the connection."},
		{"id_token_access_token_hash", "provider", "at_hash does not belong to the access token.", "Ask the provider's support."},
		{"id_token_auth_time", "provider", "The sign-in there is older than demanded, or the provider does not say when it was.", "Have the provider send auth_time and obey max_age and prompt=login."},
		{"id_token_acr", "provider", "The sign-in there is not of the class that is demanded.", "Correct acr_values of the connection, or the provider's policy."},
		{"id_token_rejected", "provider", "A second check of the ID token refused it.", "Report it with this trace."},

		// Profile and attributes.
		{"userinfo_invalid", "provider", "The userinfo endpoint did not answer as it should.", "Check the userinfo endpoint and the scopes, or switch userinfo off."},
		{"userinfo_subject", "provider", "Userinfo is about another person than the ID token.", "Check the userinfo endpoint: it must be this provider's."},
		{"profile_url_absent", "provider", "The URL of the profile is not where the connection looks for it.", "Correct the selector of the profile's URL."},
		{"profile_url_refused", "provider", "The URL of the profile leads to another site.", "Add the host to the connection's allowed hosts, if it is right."},
		{"attributes_invalid", "provider", "The attributes cannot be read.", "Test the connection: it shows what each selector found."},
		{"federation_id_absent", "provider", "The selector of the federation id found nothing.", "Correct the selector: test the connection, it shows what came."},

		// Admission.
		{"no_identity", "ours", "There was no verified identity.", "Report it with this trace."},
		{"organization_disabled", "ours", "The organization is switched off or deleted.", "Switch it on again."},
		{"sign_in_off", "ours", "The organization has switched signing in off.", "Switch it on again on the organization."},
		{"client_disabled", "ours", "The app is switched off or deleted.", "Switch it on again."},
		{"client_not_allowed", "ours", "The app is not for this organization or connection.", "Allow it on the app, if that is right."},
		{"email_domain_not_owned", "provider", "The provider vouched for an address of a domain that is not its own.", "Add the domain to this connection and verify it, if it is theirs."},
		{"user_removed", "ours", "The person was deleted here.", "Create them again, if that was a mistake."},
		{"user_disabled", "ours", "The person is switched off here.", "Enable them, if that was a mistake."},
		{"not_a_member", "ours", "The person is no member of the connection's organization.", "Add the membership."},
		{"app_not_assigned", "ours", "The app has to be given to people, and was not given to this one.", "Give the person the app, or stop requiring its assignment."},
		{"invitation_other_address", "user", "The login began with an invitation for another address than the provider's.", "Invite the address that the provider states, or have the person sign in with the invited one."},
		{"identity_removed", "ours", "The person has no identity at this connection any more.", "Have them sign in anew, or link the identity."},
		{"join_off", "ours", "The organization takes no newcomers.", "Create the person, or let newcomers in by request."},
		{"queue_full", "ours", "Too many people wait at this connection.", "Decide the waiting requests."},
		{"request_refused", "ours", "An admin refused the person's request.", "Nothing; the admin can let them in after all."},
		{"request_expired", "ours", "Nobody decided the request in time.", "The person signs in again and asks once more."},
		{"request_not_found", "ours", "The request was deleted.", "The person signs in again and asks once more."},

		// OAuth: what the app asked, and what it got.
		{"access_denied", "user", "The login was refused.", "The step before says why."},
		{"consent_required", "app", "The person has not allowed the app yet.", "Send the request without prompt=none."},
		{"interaction_required", "app", "The person would have to do something.", "Send the request without prompt=none."},
		{"login_required", "app", "Nobody is signed in who satisfies the request.", "Send the request without prompt=none."},
		{"invalid_request", "app", "The app's request is not complete or not allowed.", "Correct the request; the description says what."},
		{"invalid_scope", "app", "A scope is not allowed for this app.", "Ask for less, or allow the scope on the app."},
		{"invalid_target", "app", "A resource is not allowed for this app.", "Correct resource or audience."},
		{"unauthorized_client", "app", "The app may not use this grant.", "Allow the grant type on the app."},
		{"unsupported_response_type", "app", "Only the code flow is offered.", "Use response_type=code."},
		{"unsupported_response_mode", "app", "This response mode is not offered to the app.", "Use query, or allow form_post on the app."},
		{"unsupported_grant_type", "app", "This grant type is not offered.", "Use one of the discovery document."},
		{"request_not_supported", "app", "Request objects are not supported.", "Send plain parameters."},
		{"request_uri_not_supported", "app", "request_uri is not supported.", "Send plain parameters."},
		{"registration_not_supported", "app", "The registration parameter is not supported.", "Leave it out."},
		{"unmet_authentication_requirements", "app", "The demanded kind of sign-in is not possible.", "Correct acr_values."},
		{"invalid_grant", "app", "The code was not valid for this request: expired, used, or with another verifier or redirect URI.", "Redeem the code once, within a minute, with the values of the authorization request."},
		{"invalid_client", "app", "The app did not prove who it is.", "Check the client secret and the authentication method."},
		{"server_error", "ours", "Something went wrong here.", "Look for the words in the log."},
		{"temporarily_unavailable", "ours", "We could not do it at that moment.", "Try again; the step before says why."},
	}
}
