package templates

// englishTraces are the words of the console's pages about traces.
func englishTraces() map[string]string {
	return map[string]string{
		"console.traces.title":      "Logins",
		"console.traces.lead":       "What happened in each login. A person who needs help can tell you three words from the page they saw.",
		"console.traces.words":      "The three words",
		"console.traces.outcome":    "How it ended",
		"console.traces.any":        "Any way",
		"console.traces.connection": "Connection",
		"console.traces.user":       "User id",
		"console.traces.since":      "From",
		"console.traces.until":      "To",
		"console.traces.find":       "Find",

		"console.trace.blame":   "At fault:",
		"console.trace.do":      "What to do:",
		"console.trace.hops":    "The way of this login",
		"console.trace.started": "Began",
		"console.trace.steps":   "Step by step",
		"console.trace.omitted": "{{.Omitted}} further steps were too many to keep.",
	}
}
