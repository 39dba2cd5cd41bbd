package templates

// englishRouting are the words of the console's page about routing.
func englishRouting() map[string]string {
	return map[string]string{
		"console.routing.title":    "Routing",
		"console.routing.lead":     "Which connection an address leads to, and why. Nothing is sent anywhere, and nothing of what you ask is kept.",
		"console.routing.ask":      "Ask for an address",
		"console.routing.address":  "E-mail address",
		"console.routing.hint":     "Of somebody who wants to sign in. Only its domain counts.",
		"console.routing.client":   "App",
		"console.routing.any":      "Any app",
		"console.routing.apps":     "What the app may use counts, too.",
		"console.routing.submit":   "Explain",
		"console.routing.answer":   "Where the login goes",
		"console.routing.findings": "Worth a second look",
		"console.routing.about":    "What a check of all rules found. Warnings are about people who do not get where they should, or could be led astray; notes may be meant so.",
		"console.routing.clean":    "Nothing. Every rule counts, and none stands in another's way.",
		"console.routing.omitted":  "{{.Omitted}} more are listed by",
	}
}
