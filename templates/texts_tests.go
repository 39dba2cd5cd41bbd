package templates

// englishTests are the words of the public pages of a test login.
func englishTests() map[string]string {
	return map[string]string{
		"test.window": "Test sign-in",
		"test.title":  `Test the sign-in{{if .Connection}} “<bdi>{{name .Connection}}</bdi>”{{end}}`,
		"test.lead":   "An administrator asks you to try out how people of your company sign in.",
		"test.nobody": "You sign in at your company as usual. Nothing is set up for you here, and you are not signed in anywhere afterwards.",
		"test.shows":  "The administrator sees what your company's sign-in service says about you, with the values masked. An owner of this service can unmask single values; that is recorded.",
		"test.once":   "This link works once.",
		"test.submit": "Start the test",
		"test.good":   "The sign-in works",
		"test.bad":    "The sign-in does not work yet",
		"test.ended":  `The test{{if .Connection}} of “<bdi>{{name .Connection}}</bdi>”{{end}} is over. You are not signed in.`,
		"test.tell":   "Tell the administrator who sent you the link these three words; they lead to what happened.",
		"test.words":  "The words of this test:",
		"test.close":  "You can close this page.",
	}
}
