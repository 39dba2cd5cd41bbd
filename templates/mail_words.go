package templates

// mailWords are the words all mails share, by language.
func mailWords(language string) map[string]string {
	if language == "de" {
		return map[string]string{
			"account": "Diese Nachricht betrifft das Konto", "organization": "Organisation:", "contact": "Fragen? Kontakt:",
			"sent_by": "Gesendet von", "link_fallback": "Falls die Schaltfläche nicht funktioniert, öffnen Sie diese Adresse:",
			"fact.name": "Name", "fact.email": "E-Mail (bestätigt)", "fact.email_unproven": "E-Mail (nicht bestätigt)",
			"fact.connection": "Angemeldet über", "fact.app": "Anwendung", "fact.organization": "Organisation",
			"fact.groups": "Gruppen", "fact.typed": "Eigene Angabe (nicht geprüft)", "fact.until": "Wartet bis",
			"fact.record": "TXT-Eintrag", "fact.value": "Wert", "fact.since": "Fehlt seit", "fact.provider_id": "Kennung",
		}
	}
	return map[string]string{
		"account": "This message is about the account", "organization": "Organization:", "contact": "Questions? Contact:",
		"sent_by": "Sent by", "link_fallback": "If the button does not work, open this address:",
		"fact.name": "Name", "fact.email": "E-mail (vouched for)", "fact.email_unproven": "E-mail (not vouched for)",
		"fact.connection": "Signed in through", "fact.app": "App", "fact.organization": "Organization",
		"fact.groups": "Groups", "fact.typed": "Typed by themselves (not checked)", "fact.until": "Waits until",
		"fact.record": "TXT record", "fact.value": "Value", "fact.since": "Missing since", "fact.provider_id": "Identifier",
	}
}
