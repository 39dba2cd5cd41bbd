package templates

// englishConnections are the words of the console's forms and test logins.
func englishConnections() map[string]string {
	return map[string]string{
		"console.form.faults": "This was not saved:",
		"console.form.notes":  "Good to know",

		"console.detail.warnings": "Worth a second look",

		"console.test.window":      "Test login",
		"console.test.title":       "Test login",
		"console.test.about":       "About this test",
		"console.test.link":        "The link of this test",
		"console.test.link_lead":   "It works once, for half an hour, and is shown only now. Open it yourself, or send it to somebody of the company: they need no account here, and see whether it went well but none of the values below.",
		"console.test.open":        "Open the test",
		"console.test.waiting":     "Nobody has finished this test yet.",
		"console.test.again":       "Look again",
		"console.test.fault":       "What went wrong",
		"console.test.tabs":        "Parts of the result",
		"console.test.token":       "Token response",
		"console.test.profile":     "Profile response",
		"console.test.identity":    "Identity",
		"console.test.admission":   "Admission",
		"console.test.claims":      "Claims",
		"console.test.warnings":    "Warnings",
		"console.test.none":        "It did not come this far.",
		"console.test.no_profile":  "No profile was asked for.",
		"console.test.no_warnings": "None.",
		"console.test.in":          "in",
		"console.test.proposals":   "These would find something:",
		"console.test.reveal":      "Reveal",
	}
}
