package templates

// germanConsole are the words of the console's own pages.
func germanConsole() map[string]string {
	return map[string]string{
		"console.sign_out":   "Abmelden",
		"console.skip":       "Zum Inhalt springen",
		"console.navigation": "Konsole",
		"console.next":       "Nächste Seite",
		"console.first":      "Erste Seite",
		"console.pages":      "Seiten",
		"console.none":       "–",

		"console.sign_in.title":    "Verwaltung",
		"console.sign_in.lead":     "Melden Sie sich mit Ihrem Verwaltungskonto an.",
		"console.sign_in.email":    "E-Mail-Adresse",
		"console.sign_in.password": "Passwort",
		"console.sign_in.submit":   "Anmelden",
		"console.sign_in.company":  "Mit dem Unternehmen anmelden",

		"console.setup.title":    "Ersten Inhaber anlegen",
		"console.setup.lead":     "Dieser Link funktioniert einmal. Das Konto, das Sie hier anlegen, darf in der Konsole alles.",
		"console.setup.email":    "E-Mail-Adresse",
		"console.setup.password": "Passwort",
		"console.setup.hint":     "Mindestens {{.MinLength}} Zeichen. Einige Wörter hintereinander sind gut.",
		"console.setup.again":    "Dasselbe Passwort noch einmal",
		"console.setup.submit":   "Konto anlegen",

		"console.overview.title":      "Übersicht",
		"console.overview.steps":      "Erste Schritte",
		"console.overview.done":       "erledigt",
		"console.overview.failing":    "Verbindungen mit Fehlern",
		"console.overview.silent":     "Anbieter antwortet nicht",
		"console.overview.failed":     "Anmeldungen der letzten Stunde gescheitert",
		"console.overview.by_hour":    "Anmeldungen der letzten 24 Stunden",
		"console.overview.by_day":     "Anmeldungen der letzten 30 Tage",
		"console.overview.signed_in":  "angemeldet",
		"console.overview.waiting":    "wartet auf eine Entscheidung",
		"console.overview.lost":       "abgelehnt, gescheitert oder abgebrochen",
		"console.overview.most":       "höchster Balken:",
		"console.overview.table":      "Als Tabelle",
		"console.overview.when":       "Wann",
		"console.overview.no_logins":  "In dieser Zeit hat sich niemand angemeldet.",
		"console.overview.last_day":   "Die letzten 24 Stunden zeigen",
		"console.overview.last_month": "Die letzten 30 Tage zeigen",
	}
}

func germanRequests() map[string]string {
	return map[string]string{
		"console.requests.title":         "Zugangsanfragen",
		"console.requests.decided_title": "Entschiedene Anfragen",
		"console.requests.lead":          "Personen, die sich bei ihrem Unternehmen angemeldet haben und auf Ihre Entscheidung warten. Nach der Freigabe geht es bei ihnen von selbst weiter.",
		"console.requests.to_decided":    "Entschiedene Anfragen",
		"console.requests.to_queue":      "Wartende Anfragen",
		"console.requests.empty_title":   "Niemand wartet",
		"console.requests.empty":         "Wenn eine Organisation Personen auf Anfrage zulässt, erscheinen neue hier mit dem, was ihr Unternehmen über sie sagt.",
		"console.requests.decided_empty": "Noch ist nichts entschieden.",
		"console.requests.vouched":       `Was <bdi class="strong">{{name .Connection}}</bdi> sagt`,
		"console.requests.email":         "E-Mail",
		"console.requests.verified":      "bestätigt",
		"console.requests.unverified":    "nicht bestätigt",
		"console.requests.organization":  "Organisation",
		"console.requests.app":           "Für die App",
		"console.requests.since":         "Wartet seit",
		"console.requests.expires":       "Läuft ab",
		"console.requests.approve":       "Freigeben",
		"console.requests.refuse":        "Ablehnen …",
		"console.requests.refuse_now":    "Ablehnen",
		"console.requests.reason":        "Begründung",
		"console.requests.reason_hint":   "Die Person sieht diesen Satz.",
		"console.requests.state":         "Stand",
		"console.requests.decided_by":    "Entschieden von",
		"console.requests.decided_at":    "Entschieden",
		"console.requests.id":            "Kennung der Anfrage",
		"console.requests.nameless":      "Kein Name angegeben",
		"console.request.window":         "Zugangsanfrage",
	}
}

func germanConnections() map[string]string {
	return map[string]string{
		"console.form.faults": "Das wurde nicht gespeichert:",
		"console.form.notes":  "Gut zu wissen",

		"console.detail.warnings": "Einen zweiten Blick wert",

		"console.test.window":      "Probeanmeldung",
		"console.test.title":       "Probeanmeldung",
		"console.test.about":       "Über diese Probe",
		"console.test.link":        "Der Link dieser Probe",
		"console.test.link_lead":   "Er funktioniert einmal, eine halbe Stunde lang, und wird nur jetzt gezeigt. Öffnen Sie ihn selbst oder schicken Sie ihn jemandem aus dem Unternehmen: Ein Konto ist nicht nötig, und zu sehen ist nur, ob es gelungen ist, keiner der Werte unten.",
		"console.test.open":        "Probe öffnen",
		"console.test.waiting":     "Noch hat niemand diese Probe beendet.",
		"console.test.again":       "Noch einmal nachsehen",
		"console.test.fault":       "Was schiefging",
		"console.test.tabs":        "Teile des Ergebnisses",
		"console.test.token":       "Token-Antwort",
		"console.test.profile":     "Profil-Antwort",
		"console.test.identity":    "Identität",
		"console.test.admission":   "Zulassung",
		"console.test.claims":      "Claims",
		"console.test.warnings":    "Warnungen",
		"console.test.none":        "So weit ist es nicht gekommen.",
		"console.test.no_profile":  "Ein Profil wurde nicht abgefragt.",
		"console.test.no_warnings": "Keine.",
		"console.test.in":          "in",
		"console.test.proposals":   "Das würde etwas finden:",
		"console.test.reveal":      "Aufdecken",
	}
}

func germanRouting() map[string]string {
	return map[string]string{
		"console.routing.title":    "Routing",
		"console.routing.lead":     "Zu welcher Verbindung eine Adresse führt und warum. Nichts wird irgendwohin gesendet, und nichts von Ihrer Frage bleibt gespeichert.",
		"console.routing.ask":      "Nach einer Adresse fragen",
		"console.routing.address":  "E-Mail-Adresse",
		"console.routing.hint":     "Von jemandem, der sich anmelden möchte. Nur die Domain zählt.",
		"console.routing.client":   "App",
		"console.routing.any":      "Jede App",
		"console.routing.apps":     "Was die App verwenden darf, zählt auch.",
		"console.routing.submit":   "Erklären",
		"console.routing.answer":   "Wohin die Anmeldung geht",
		"console.routing.findings": "Einen zweiten Blick wert",
		"console.routing.about":    "Was eine Prüfung aller Regeln gefunden hat. Warnungen betreffen Personen, die nicht dorthin gelangen, wohin sie sollen, oder irregeführt werden könnten; Hinweise können so gemeint sein.",
		"console.routing.clean":    "Nichts. Jede Regel zählt, und keine steht einer anderen im Weg.",
		"console.routing.omitted":  "{{.Omitted}} weitere zeigt",
	}
}

func germanTraces() map[string]string {
	return map[string]string{
		"console.traces.title":      "Anmeldungen",
		"console.traces.lead":       "Was bei jeder Anmeldung geschah. Wer Hilfe braucht, kann Ihnen drei Wörter von der gezeigten Seite nennen.",
		"console.traces.words":      "Die drei Wörter",
		"console.traces.outcome":    "Wie sie endete",
		"console.traces.any":        "Egal wie",
		"console.traces.connection": "Verbindung",
		"console.traces.user":       "Kennung der Person",
		"console.traces.since":      "Von",
		"console.traces.until":      "Bis",
		"console.traces.find":       "Suchen",

		"console.trace.blame":   "Ursache bei:",
		"console.trace.do":      "Was zu tun ist:",
		"console.trace.hops":    "Der Weg dieser Anmeldung",
		"console.trace.started": "Begonnen",
		"console.trace.steps":   "Schritt für Schritt",
		"console.trace.omitted": "{{.Omitted}} weitere Schritte waren zu viele zum Aufheben.",
	}
}
