package templates

// germanChrome are words of the console's frame and of many pages, and
// sentences of public pages that are chosen in Go.
func germanChrome() map[string]string {
	return map[string]string{
		"Overview": "Übersicht", "Requests": "Anfragen", "Organizations": "Organisationen", "Domains": "Domains", "Connections": "Verbindungen",
		"Routing": "Routing", "Apps": "Apps", "People": "Personen", "Sessions": "Sitzungen", "Logins": "Anmeldungen", "Audit": "Protokoll",
		"Webhooks": "Webhooks", "Mails": "E-Mails", "Invitations": "Einladungen",

		"Organization": "Organisation", "Domain": "Domain", "Connection": "Verbindung", "App": "App", "Person": "Person", "Waiting requests": "Wartende Anfragen",
		"Title": "Titel", "Name": "Name", "Id": "Kennung", "State": "Stand", "Role": "Rolle", "Type": "Art", "E-mail": "E-Mail", "Contact": "Kontakt",
		"Groups": "Gruppen", "Language": "Sprache", "Languages": "Sprachen", "Created": "Angelegt", "Save": "Speichern", "Add": "Hinzufügen", "Change": "Ändern",
		"Go there": "Dorthin", "More": "Mehr", "active": "aktiv", "disabled": "abgeschaltet", "Saved.": "Gespeichert.",

		"Show in English": "Show in English", "Auf Deutsch anzeigen": "Auf Deutsch anzeigen", "Show in the browser's language": "In der Sprache des Browsers anzeigen",
		"As the browser asks": "Wie der Browser es verlangt", "English": "English", "Deutsch": "Deutsch", "Pages and mails": "Seiten und E-Mails",

		"Add an organization":           "Organisation hinzufügen",
		"Connect its identity provider": "Ihren Anmeldedienst verbinden",
		"Register an app":               "App registrieren",

		"This is not an e-mail address: it is longer than 254 characters.":                                               "Das ist keine E-Mail-Adresse: Sie ist länger als 254 Zeichen.",
		"This is not an e-mail address: it needs a name, one @ and a domain.":                                            "Das ist keine E-Mail-Adresse: Sie braucht einen Namen, ein @ und eine Domain.",
		"This is not an e-mail address: the part before the @ is longer than 64 characters.":                             "Das ist keine E-Mail-Adresse: Der Teil vor dem @ ist länger als 64 Zeichen.",
		"This is not an e-mail address: the part before the @ has a character or a dot that cannot stand there.":         "Das ist keine E-Mail-Adresse: Vor dem @ steht ein Zeichen oder ein Punkt, der dort nicht stehen kann.",
		"This is not an e-mail domain: it needs at least two names with one dot between each, and none at the end.":      "Das ist keine E-Mail-Domain: Sie braucht mindestens zwei Namen mit je einem Punkt dazwischen und keinem am Ende.",
		"This is not an e-mail domain: it is longer than 253 characters.":                                                "Das ist keine E-Mail-Domain: Sie ist länger als 253 Zeichen.",
		"This is not an e-mail domain: it has a character that cannot stand there, or one that only looks like another.": "Das ist keine E-Mail-Domain: Sie enthält ein Zeichen, das dort nicht stehen kann oder nur wie ein anderes aussieht.",
		"This is not an e-mail domain: use a name, not a network address.":                                               "Das ist keine E-Mail-Domain: Verwenden Sie einen Namen, keine Netzwerkadresse.",
		"Choose one of the ways to sign in below.":                                                                       "Wählen Sie unten eine der Anmeldungen aus.",
		"People like you would be signed in at once.":                                                                    "Personen wie Sie würden sofort angemeldet.",
		"People like you would wait until an administrator lets them in.":                                                "Personen wie Sie würden warten, bis die Verwaltung sie freigibt.",
		"The sign-in at your company works, but you would not be let in here.":                                           "Die Anmeldung bei Ihrem Unternehmen funktioniert, aber hier würden Sie nicht zugelassen.",
		"The sign-in was cancelled at your company's sign-in page.":                                                      "Die Anmeldung wurde auf der Seite Ihres Unternehmens abgebrochen.",
		"The address or the password is not right.":                                                                      "Die Adresse oder das Passwort stimmt nicht.",
		"Too many tries. Wait half a minute and try again.":                                                              "Zu viele Versuche. Warten Sie eine halbe Minute und versuchen Sie es noch einmal.",
		"The two passwords differ.":                                                                                      "Die beiden Passwörter sind verschieden.",
	}
}
