package templates

// words are all the words of one language, by key. A template names them as
// [[key]]; they are put in before it is parsed, so they are HTML and may hold
// template actions. Those under "error." and "scope." are used from Go: plain text.
type words map[string]string

// english returns the English words. Another language is another function.
func english() words {
	w := words{
		"lang":          "en",
		"cancel":        "Cancel",
		"fault_prefix":  "Problem: ",
		"privacy":       "Privacy policy",
		"terms":         "Terms of use",
		"new_tab":       "(opens in a new tab)",
		"back_to_app":   `{{if .App.Name}}Back to <bdi>{{name .App.Name}}</bdi>{{else}}Back to the app{{end}}`,
		"start_again":   "Start again",
		"correlation":   "If you ask for help, mention",
		"sign_in_to":    `{{if .App.Name}}Sign in to <bdi>{{name .App.Name}}</bdi>{{else}}Sign in{{end}}`,
		"window_signin": `Sign in{{if .App.Name}} to {{name .App.Name}}{{end}}`,

		"email.lead":   "Enter your work e-mail address. Your company will then ask you to sign in.",
		"email.label":  "Work e-mail address",
		"email.submit": "Continue",

		"chooser.title": "Where do you want to sign in?",
		"chooser.lead":  `{{if .Email}}Several sign-ins fit <bdi class="strong">{{line .Email}}</bdi>.{{else}}Several sign-ins are possible. Pick yours.{{end}}`,
		"chooser.again": "Use another address",

		"no_route.window": "Company not found",
		"no_route.title":  `{{if .Domain}}We do not know <bdi>{{line .Domain}}</bdi>{{else}}We do not know this company{{end}}`,
		"no_route.lead": `No company with this e-mail domain is set up{{if .App.Name}} for <bdi>{{name .App.Name}}</bdi>{{end}}. ` +
			`Check the spelling, or try another address you have at work.`,
		"no_route.submit":  "Try this address",
		"no_route.help":    "Think it should work?",
		"no_route.contact": "Get help",

		"waiting.title":    "Almost there",
		"waiting.window":   "Waiting for approval",
		"waiting.who":      `{{if .Organization}}<bdi>{{name .Organization}}</bdi>{{else}}your company{{end}}`,
		"waiting.lead":     `An admin of {{template "who" .}} has to let you in first.`,
		"waiting.step1":    `You have signed in{{if .Email}} as <bdi class="strong">{{line .Email}}</bdi>{{end}}`,
		"waiting.step2":    `An admin of {{template "who" .}} looks at your request`,
		"waiting.step3":    `{{if .App.Name}}<bdi>{{name .App.Name}}</bdi> opens{{else}}The app opens{{end}} by itself`,
		"waiting.status":   "Leave this page open. It goes on by itself.",
		"waiting.decided":  "There is an answer. Going on …",
		"waiting.cancel":   "Stop waiting",
		"waiting.here_now": "now",
		"waiting.is_done":  "done",

		"refused.window": "Not admitted",
		"refused.title":  "You were not let in",
		"refused.lead":   `An admin of {{if .Organization}}<bdi>{{name .Organization}}</bdi>{{else}}your company{{end}} has declined your request{{if .App.Name}} to use <bdi>{{name .App.Name}}</bdi>{{end}}.`,
		"refused.says":   "They say:",
		"refused.silent": "No reason was given. Please ask the people who manage sign-in at your company.",

		"signed_out.title": "You are signed out",
		"signed_out.lead":  "You can close this window. On a shared computer, close the whole browser.",

		"logout.title":  "Sign out?",
		"logout.lead":   `You are signed in{{if .Email}} as <bdi class="strong">{{line .Email}}</bdi>{{end}}.{{if .App.Name}} <bdi>{{name .App.Name}}</bdi> asks to end this session.{{end}}`,
		"logout.submit": "Sign out",
		"logout.cancel": "Stay signed in",

		"form_post.title":  "One moment",
		"form_post.lead":   `{{if .App.Name}}<bdi>{{name .App.Name}}</bdi>{{else}}The app{{end}} opens by itself. If it does not, use the button.`,
		"form_post.submit": `{{if .App.Name}}Continue to <bdi>{{name .App.Name}}</bdi>{{else}}Continue{{end}}`,

		"consent.window": "Allow access",
		"consent.title":  `{{if .App.Name}}<bdi>{{name .App.Name}}</bdi> wants access{{else}}An app wants access{{end}}`,
		"consent.lead":   `{{if .Person}}You are signed in as <bdi class="strong">{{line .Person}}</bdi>. {{end}}If you agree, this app can:`,
		"consent.other":  "use the permission",
		"consent.note":   "Only agree if you know and trust this app. It is not run by your company.",
		"consent.submit": "Allow",
		"consent.cancel": "Do not allow",

		"scope.openid":         "recognise you when you come back",
		"scope.profile":        "see your name and picture",
		"scope.email":          "see your e-mail address",
		"scope.phone":          "see your phone number",
		"scope.address":        "see your postal address",
		"scope.offline_access": "stay signed in while you are not using it",
		"scope.organization":   "see which company you belong to",
		"scope.groups":         "see your groups at your company",
		"scope.roles":          "see your role at your company",
	}
	for key, value := range englishErrors() {
		w["error."+key] = value
	}
	for key, value := range englishBrand() {
		w[key] = value
	}
	for key, value := range englishAccount() {
		w[key] = value
	}
	for key, value := range englishLocal() {
		w[key] = value
	}
	for key, value := range englishConsole() {
		w[key] = value
	}
	for key, value := range englishConnections() {
		w[key] = value
	}
	for key, value := range englishRouting() {
		w[key] = value
	}
	for key, value := range englishAdmission() {
		w[key] = value
	}
	for key, value := range englishTests() {
		w[key] = value
	}
	for key, value := range englishTraces() {
		w[key] = value
	}
	return w
}

// englishErrors are title, sentence and note for developers of each ErrorKind.
func englishErrors() map[string]string {
	return map[string]string{
		"for_developers": "For the app’s developer",

		"redirect_uri.title":     "This app’s return address is not registered",
		"redirect_uri.say":       "The app wants its answer at an address we do not know, so we stopped here. The people who make the app can fix this.",
		"redirect_uri.developer": "The redirect_uri must equal a registered one, byte for byte.",

		"unknown_client.title":     "We do not know this app",
		"unknown_client.say":       "The app that sent you here is not registered, or has been switched off. The people who make the app can fix this.",
		"unknown_client.developer": "The client_id is missing, unknown or disabled.",

		"request_invalid.title":     "The app sent a request we cannot accept",
		"request_invalid.say":       "Nothing is wrong with your account. The people who make the app can fix this.",
		"request_invalid.developer": "The authorization request is invalid: a parameter is missing, repeated or malformed.",

		"request_uri.title":     "This sign-in request has expired",
		"request_uri.say":       "Please go back to the app and sign in again.",
		"request_uri.developer": "The request_uri is unknown, expired or already used.",

		"request_too_large.title":     "The app sent too much at once",
		"request_too_large.say":       "Nothing is wrong with your account. The people who make the app can fix this.",
		"request_too_large.developer": "The authorization request is too large. Send it as a pushed authorization request (PAR).",

		"login_expired.title": "This sign-in has expired",
		"login_expired.say":   "It was left open too long, or was finished already. Please go back to the app and sign in again.",

		"other_browser.title": "This sign-in was not started here",
		"other_browser.say":   "It began in another browser or window, or cookies are switched off. Please go back to the app and sign in again.",

		"form_expired.title": "This page was open too long",
		"form_expired.say":   "Nothing has been changed. Please go back, reload the page and try again.",

		"connection_changed.title": "Your company’s sign-in was just changed",
		"connection_changed.say":   "An admin changed its settings while you were signing in. Please try again.",

		"provider_failed.title": "Your company’s sign-in did not work",
		"provider_failed.say":   "It gave an answer we cannot accept. Please try again; if it happens again, tell the people who manage sign-in at your company.",

		"provider_unavailable.title": "Your company’s sign-in cannot be reached",
		"provider_unavailable.say":   "Please try again in a few minutes.",

		"provider_denied.title": "Your company’s sign-in said no",
		"provider_denied.say":   "You cancelled there, or may not use it. Please try again, or ask the people who manage sign-in at your company.",

		"wrong_company.title": "This account belongs to another company",
		"wrong_company.say":   "The sign-in you used may not speak for your e-mail address. Please start again with your work e-mail address.",

		"not_admitted.title": "You cannot use this app",
		"not_admitted.say":   "Your sign-in worked, but your company has not given you access. Please ask the people who manage sign-in at your company.",

		"invitation_other.title": "You signed in with another address",
		"invitation_other.say":   "The invitation is for another e-mail address than the one you signed in with. It is still good: open it again and sign in with the invited address.",

		"invitation_gone.title": "This invitation does not work any more",
		"invitation_gone.say":   "It was accepted, withdrawn or sent anew, or it has expired. Please ask the people who invited you for another one.",

		"app_missing.title": "This app is not assigned to you",
		"app_missing.say":   "Your sign-in worked, but this app is only for people it was given to. Please ask the people who manage sign-in at your company.",

		"request_expired.title": "Nobody decided in time",
		"request_expired.say":   "Your request has expired. Sign in again to ask once more.",

		"post_logout_redirect_uri.title":     "You cannot be sent back to the app",
		"post_logout_redirect_uri.say":       "The app wants you back at an address we do not know. You can close this window.",
		"post_logout_redirect_uri.developer": "The post_logout_redirect_uri must equal a registered one, byte for byte.",

		"id_token_hint.title":     "The app’s request to sign you out is not valid",
		"id_token_hint.say":       "You are still signed in. The people who make the app can fix this.",
		"id_token_hint.developer": "The id_token_hint was not issued here, or was altered.",

		"forbidden.title": "You may not do this",
		"forbidden.say":   "Your role does not allow it. An owner can give you more rights.",

		"not_found.title": "There is nothing here",
		"not_found.say":   "The address is wrong, or what was here has been removed.",

		"method_not_allowed.title": "This address cannot be opened like that",
		"method_not_allowed.say":   "Please go back and try again from the page before.",

		"conflict.title": "Somebody was faster",
		"conflict.say":   "This was decided or changed while you had the page open. Please reload it to see how it stands.",

		"too_many.title": "Too many attempts",
		"too_many.say":   "Please wait a few minutes and try again.",

		"internal.title": "Something went wrong on our side",
		"internal.say":   "Please try again. If it happens again, tell the people who run this service.",
	}
}

// englishBrand are the words around what an organization says on public pages.
func englishBrand() map[string]string {
	return map[string]string{
		"brand.contact": "Questions? Contact:",
		"brand.help":    "Help",
		"brand.request": "Request access",
	}
}
