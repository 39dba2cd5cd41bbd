package templates

// germanLocalWords are the sentences of sign-in with a password or passkey that
// are chosen in Go.
func germanLocalWords() map[string]string {
	return map[string]string{
		"The code is not right. Each code counts once: wait for the next one.":                     "Der Code stimmt nicht. Jeder Code zählt einmal: Warten Sie auf den nächsten.",
		"The code is not right. Check the clock of your phone.":                                    "Der Code stimmt nicht. Prüfen Sie die Uhr Ihres Telefons.",
		"This passkey does not sign you in here.":                                                  "Mit diesem Passkey können Sie sich hier nicht anmelden.",
		"There is an account with this address already. Go back and sign in with it.":              "Mit dieser Adresse gibt es schon ein Konto. Gehen Sie zurück und melden Sie sich damit an.",
		"The password is not right.":                                                               "Das Passwort stimmt nicht.",
		"The password must have at least 12 characters.":                                           "Das Passwort muss mindestens 12 Zeichen haben.",
		"The password must have at most 256 bytes.":                                                "Das Passwort darf höchstens 256 Bytes haben.",
		"The password must not be your address.":                                                   "Das Passwort darf nicht Ihre Adresse sein.",
		"The password must not be made of your address.":                                           "Das Passwort darf nicht aus Ihrer Adresse bestehen.",
		"The password is too easy to guess: it is common, repeated, or one row of keys or digits.": "Das Passwort ist zu leicht zu erraten: Es ist verbreitet, wiederholt sich oder ist eine Reihe von Tasten oder Ziffern.",
	}
}
