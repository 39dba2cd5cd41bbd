package templates

import "maps"

// wordsIn are all words of a language. What another language lacks is English;
// a test finds it.
func wordsIn(language string) words {
	w := english()
	if language == "de" {
		maps.Copy(w, german())
	}
	return w
}

// german returns the German words, file by file as the English ones.
func german() words {
	w := words{}
	for _, part := range []map[string]string{
		germanPublic(), germanLocal(), germanAccount(), germanScopes(), germanBrand(), germanTests(), germanAdmission(), germanConsole(), germanRequests(), germanConnections(), germanRouting(), germanTraces(),
	} {
		maps.Copy(w, part)
	}
	for key, value := range germanErrors() {
		w["error."+key] = value
	}
	return w
}

func germanPublic() map[string]string {
	return map[string]string{
		"lang":          "de",
		"cancel":        "Abbrechen",
		"fault_prefix":  "Problem: ",
		"privacy":       "Datenschutzerklärung",
		"terms":         "Nutzungsbedingungen",
		"new_tab":       "(öffnet sich in einem neuen Tab)",
		"back_to_app":   `{{if .App.Name}}Zurück zu <bdi>{{name .App.Name}}</bdi>{{else}}Zurück zur App{{end}}`,
		"start_again":   "Neu beginnen",
		"correlation":   "Wenn Sie um Hilfe bitten, nennen Sie",
		"sign_in_to":    `{{if .App.Name}}Bei <bdi>{{name .App.Name}}</bdi> anmelden{{else}}Anmelden{{end}}`,
		"window_signin": `{{if .App.Name}}Anmelden bei {{name .App.Name}}{{else}}Anmelden{{end}}`,

		"email.lead":   "Geben Sie Ihre geschäftliche E-Mail-Adresse ein. Ihr Unternehmen bittet Sie dann, sich anzumelden.",
		"email.label":  "Geschäftliche E-Mail-Adresse",
		"email.submit": "Weiter",

		"chooser.title": "Wo möchten Sie sich anmelden?",
		"chooser.lead":  `{{if .Email}}Zu <bdi class="strong">{{line .Email}}</bdi> passen mehrere Anmeldungen.{{else}}Mehrere Anmeldungen sind möglich. Wählen Sie Ihre aus.{{end}}`,
		"chooser.again": "Andere Adresse verwenden",

		"no_route.window": "Unternehmen nicht gefunden",
		"no_route.title":  `{{if .Domain}}Wir kennen <bdi>{{line .Domain}}</bdi> nicht{{else}}Wir kennen dieses Unternehmen nicht{{end}}`,
		"no_route.lead": `Kein Unternehmen mit dieser E-Mail-Domain ist{{if .App.Name}} für <bdi>{{name .App.Name}}</bdi>{{end}} eingerichtet. ` +
			`Prüfen Sie die Schreibweise oder versuchen Sie eine andere geschäftliche Adresse.`,
		"no_route.submit":  "Diese Adresse versuchen",
		"no_route.help":    "Sollte es gehen?",
		"no_route.contact": "Hilfe bekommen",

		"waiting.title":    "Fast geschafft",
		"waiting.window":   "Warten auf Freigabe",
		"waiting.who":      `{{if .Organization}}<bdi>{{name .Organization}}</bdi>{{else}}Ihrem Unternehmen{{end}}`,
		"waiting.lead":     `Zuerst muss jemand aus der Verwaltung von {{template "who" .}} Sie freigeben.`,
		"waiting.step1":    `Sie haben sich{{if .Email}} als <bdi class="strong">{{line .Email}}</bdi>{{end}} angemeldet`,
		"waiting.step2":    `Die Verwaltung von {{template "who" .}} sieht sich Ihre Anfrage an`,
		"waiting.step3":    `{{if .App.Name}}<bdi>{{name .App.Name}}</bdi> öffnet{{else}}Die App öffnet{{end}} sich von selbst`,
		"waiting.status":   "Lassen Sie diese Seite offen. Es geht von selbst weiter.",
		"waiting.decided":  "Es gibt eine Antwort. Es geht weiter …",
		"waiting.cancel":   "Nicht länger warten",
		"waiting.here_now": "jetzt",
		"waiting.is_done":  "erledigt",

		"refused.window": "Nicht freigegeben",
		"refused.title":  "Sie wurden nicht freigegeben",
		"refused.lead":   `Die Verwaltung von {{if .Organization}}<bdi>{{name .Organization}}</bdi>{{else}}Ihrem Unternehmen{{end}} hat Ihre Anfrage{{if .App.Name}} für <bdi>{{name .App.Name}}</bdi>{{end}} abgelehnt.`,
		"refused.says":   "Die Begründung:",
		"refused.silent": "Ein Grund wurde nicht genannt. Bitte fragen Sie die Personen, die in Ihrem Unternehmen die Anmeldung betreuen.",

		"signed_out.title": "Sie sind abgemeldet",
		"signed_out.lead":  "Sie können dieses Fenster schließen. Schließen Sie an einem gemeinsam genutzten Computer den ganzen Browser.",

		"logout.title":  "Abmelden?",
		"logout.lead":   `Sie sind{{if .Email}} als <bdi class="strong">{{line .Email}}</bdi>{{end}} angemeldet.{{if .App.Name}} <bdi>{{name .App.Name}}</bdi> möchte diese Sitzung beenden.{{end}}`,
		"logout.submit": "Abmelden",
		"logout.cancel": "Angemeldet bleiben",

		"form_post.title":  "Einen Moment",
		"form_post.lead":   `{{if .App.Name}}<bdi>{{name .App.Name}}</bdi>{{else}}Die App{{end}} öffnet sich von selbst. Falls nicht, verwenden Sie die Schaltfläche.`,
		"form_post.submit": `{{if .App.Name}}Weiter zu <bdi>{{name .App.Name}}</bdi>{{else}}Weiter{{end}}`,

		"consent.window": "Zugriff erlauben",
		"consent.title":  `{{if .App.Name}}<bdi>{{name .App.Name}}</bdi> möchte Zugriff{{else}}Eine App möchte Zugriff{{end}}`,
		"consent.lead":   `{{if .Person}}Sie sind als <bdi class="strong">{{line .Person}}</bdi> angemeldet. {{end}}Wenn Sie zustimmen, kann diese App:`,
		"consent.other":  "die Berechtigung verwenden:",
		"consent.note":   "Stimmen Sie nur zu, wenn Sie diese App kennen und ihr vertrauen. Ihr Unternehmen betreibt sie nicht.",
		"consent.submit": "Erlauben",
		"consent.cancel": "Nicht erlauben",
	}
}

func germanScopes() map[string]string {
	return map[string]string{
		"scope.openid":         "Sie wiedererkennen",
		"scope.profile":        "Ihren Namen und Ihr Bild sehen",
		"scope.email":          "Ihre E-Mail-Adresse sehen",
		"scope.phone":          "Ihre Telefonnummer sehen",
		"scope.address":        "Ihre Postanschrift sehen",
		"scope.offline_access": "angemeldet bleiben, während Sie sie nicht benutzen",
		"scope.organization":   "sehen, zu welchem Unternehmen Sie gehören",
		"scope.groups":         "Ihre Gruppen in Ihrem Unternehmen sehen",
		"scope.roles":          "Ihre Rolle in Ihrem Unternehmen sehen",
	}
}

// germanErrors are the words of error pages: title, sentence, and a note for
// the app's developers.
func germanErrors() map[string]string {
	return map[string]string{
		"for_developers": "Für die Entwicklung der App",

		"redirect_uri.title":     "Die Rückkehradresse dieser App ist nicht registriert",
		"redirect_uri.say":       "Die App möchte die Antwort an einer Adresse, die wir nicht kennen. Deshalb geht es hier nicht weiter. Wer die App herstellt, kann das beheben.",
		"redirect_uri.developer": "Die redirect_uri muss Byte für Byte einer registrierten gleichen.",

		"unknown_client.title":     "Wir kennen diese App nicht",
		"unknown_client.say":       "Die App, von der Sie kommen, ist nicht registriert oder abgeschaltet. Wer die App herstellt, kann das beheben.",
		"unknown_client.developer": "Die client_id fehlt, ist unbekannt oder abgeschaltet.",

		"request_invalid.title":     "Die App hat eine Anfrage gesendet, die wir nicht annehmen können",
		"request_invalid.say":       "Mit Ihrem Konto ist alles in Ordnung. Wer die App herstellt, kann das beheben.",
		"request_invalid.developer": "Die Autorisierungsanfrage ist ungültig: Ein Parameter fehlt, ist doppelt oder falsch geschrieben.",

		"request_uri.title":     "Diese Anmeldeanfrage ist abgelaufen",
		"request_uri.say":       "Bitte gehen Sie zurück zur App und melden Sie sich neu an.",
		"request_uri.developer": "Die request_uri ist unbekannt, abgelaufen oder schon verwendet.",

		"request_too_large.title":     "Die App hat zu viel auf einmal gesendet",
		"request_too_large.say":       "Mit Ihrem Konto ist alles in Ordnung. Wer die App herstellt, kann das beheben.",
		"request_too_large.developer": "Die Autorisierungsanfrage ist zu groß. Senden Sie sie als Pushed Authorization Request (PAR).",

		"login_expired.title": "Diese Anmeldung ist abgelaufen",
		"login_expired.say":   "Sie war zu lange offen oder ist schon beendet. Bitte gehen Sie zurück zur App und melden Sie sich neu an.",

		"other_browser.title": "Diese Anmeldung wurde nicht hier begonnen",
		"other_browser.say":   "Sie begann in einem anderen Browser oder Fenster, oder Cookies sind abgeschaltet. Bitte gehen Sie zurück zur App und melden Sie sich neu an.",

		"form_expired.title": "Diese Seite war zu lange offen",
		"form_expired.say":   "Nichts wurde geändert. Bitte gehen Sie zurück, laden Sie die Seite neu und versuchen Sie es noch einmal.",

		"connection_changed.title": "Die Anmeldung Ihres Unternehmens wurde gerade geändert",
		"connection_changed.say":   "Die Verwaltung hat die Einstellungen geändert, während Sie sich angemeldet haben. Bitte versuchen Sie es noch einmal.",

		"provider_failed.title": "Die Anmeldung Ihres Unternehmens hat nicht funktioniert",
		"provider_failed.say":   "Wir können ihre Antwort nicht annehmen. Bitte versuchen Sie es noch einmal; wenn es wieder geschieht, sagen Sie es den Personen, die in Ihrem Unternehmen die Anmeldung betreuen.",

		"provider_unavailable.title": "Die Anmeldung Ihres Unternehmens ist nicht erreichbar",
		"provider_unavailable.say":   "Bitte versuchen Sie es in einigen Minuten noch einmal.",

		"provider_denied.title": "Die Anmeldung Ihres Unternehmens hat abgelehnt",
		"provider_denied.say":   "Sie haben dort abgebrochen oder dürfen sie nicht benutzen. Bitte versuchen Sie es noch einmal oder fragen Sie die Personen, die in Ihrem Unternehmen die Anmeldung betreuen.",

		"wrong_company.title": "Dieses Konto gehört zu einem anderen Unternehmen",
		"wrong_company.say":   "Die benutzte Anmeldung darf nicht für Ihre E-Mail-Adresse sprechen. Bitte beginnen Sie neu mit Ihrer geschäftlichen E-Mail-Adresse.",

		"not_admitted.title": "Sie können diese App nicht benutzen",
		"not_admitted.say":   "Ihre Anmeldung hat funktioniert, aber Ihr Unternehmen hat Ihnen keinen Zugang gegeben. Bitte fragen Sie die Personen, die in Ihrem Unternehmen die Anmeldung betreuen.",

		"invitation_other.title": "Sie haben sich mit einer anderen Adresse angemeldet",
		"invitation_other.say":   "Die Einladung ist für eine andere E-Mail-Adresse als die, mit der Sie sich angemeldet haben. Sie gilt weiter: Öffnen Sie sie noch einmal und melden Sie sich mit der eingeladenen Adresse an.",

		"invitation_gone.title": "Diese Einladung gilt nicht mehr",
		"invitation_gone.say":   "Sie wurde angenommen, zurückgezogen oder neu verschickt, oder sie ist abgelaufen. Bitten Sie die Personen, die Sie eingeladen haben, um eine neue.",

		"app_missing.title": "Diese App ist Ihnen nicht zugewiesen",
		"app_missing.say":   "Ihre Anmeldung hat funktioniert, aber diese App ist nur für Personen, die sie bekommen haben. Bitte fragen Sie die Personen, die in Ihrem Unternehmen die Anmeldung betreuen.",

		"request_expired.title": "Niemand hat rechtzeitig entschieden",
		"request_expired.say":   "Ihre Anfrage ist abgelaufen. Melden Sie sich neu an, um noch einmal zu fragen.",

		"post_logout_redirect_uri.title":     "Sie können nicht zur App zurückgeschickt werden",
		"post_logout_redirect_uri.say":       "Die App möchte Sie an einer Adresse zurückhaben, die wir nicht kennen. Sie können dieses Fenster schließen.",
		"post_logout_redirect_uri.developer": "Die post_logout_redirect_uri muss Byte für Byte einer registrierten gleichen.",

		"id_token_hint.title":     "Die Bitte der App, Sie abzumelden, ist nicht gültig",
		"id_token_hint.say":       "Sie sind weiterhin angemeldet. Wer die App herstellt, kann das beheben.",
		"id_token_hint.developer": "Der id_token_hint wurde nicht hier ausgestellt oder verändert.",

		"forbidden.title": "Das dürfen Sie nicht",
		"forbidden.say":   "Ihre Rolle erlaubt es nicht. Wer Inhaber ist, kann Ihnen mehr Rechte geben.",

		"not_found.title": "Hier ist nichts",
		"not_found.say":   "Die Adresse ist falsch, oder was hier war, wurde entfernt.",

		"method_not_allowed.title": "So lässt sich diese Adresse nicht öffnen",
		"method_not_allowed.say":   "Bitte gehen Sie zurück und versuchen Sie es von der vorigen Seite aus noch einmal.",

		"conflict.title": "Jemand war schneller",
		"conflict.say":   "Das wurde entschieden oder geändert, während Sie die Seite offen hatten. Bitte laden Sie sie neu, um zu sehen, wie es steht.",

		"too_many.title": "Zu viele Versuche",
		"too_many.say":   "Bitte warten Sie einige Minuten und versuchen Sie es noch einmal.",

		"internal.title": "Bei uns ist etwas schiefgegangen",
		"internal.say":   "Bitte versuchen Sie es noch einmal. Wenn es wieder geschieht, sagen Sie es den Personen, die diesen Dienst betreiben.",
	}
}

// germanBrand are the words around what an organization says on public pages.
func germanBrand() map[string]string {
	return map[string]string{
		"brand.contact": "Fragen? Kontakt:",
		"brand.help":    "Hilfe",
		"brand.request": "Zugang beantragen",
	}
}

func germanTests() map[string]string {
	return map[string]string{
		"test.window": "Probeanmeldung",
		"test.title":  `Anmeldung{{if .Connection}} „<bdi>{{name .Connection}}</bdi>“{{end}} ausprobieren`,
		"test.lead":   "Die Verwaltung bittet Sie auszuprobieren, wie sich die Leute Ihres Unternehmens anmelden.",
		"test.nobody": "Sie melden sich wie gewohnt bei Ihrem Unternehmen an. Hier wird nichts für Sie eingerichtet, und Sie sind danach nirgends angemeldet.",
		"test.shows":  "Die Verwaltung sieht mit verdeckten Werten, was der Anmeldedienst Ihres Unternehmens über Sie sagt. Inhaber dieses Dienstes können einzelne Werte aufdecken; das wird aufgezeichnet.",
		"test.once":   "Dieser Link funktioniert einmal.",
		"test.submit": "Probe beginnen",
		"test.good":   "Die Anmeldung funktioniert",
		"test.bad":    "Die Anmeldung funktioniert noch nicht",
		"test.ended":  `Die Probe{{if .Connection}} von „<bdi>{{name .Connection}}</bdi>“{{end}} ist vorbei. Sie sind nicht angemeldet.`,
		"test.tell":   "Sagen Sie der Person, die Ihnen den Link geschickt hat, diese drei Wörter; sie führen zu dem, was geschehen ist.",
		"test.words":  "Die Wörter dieser Probe:",
		"test.close":  "Sie können diese Seite schließen.",
	}
}
