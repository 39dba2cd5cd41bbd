package templates

// englishLocal are the words of accounts that live here: passwords, passkeys,
// codes and mailed links.
func englishLocal() map[string]string {
	return map[string]string{
		"local.lead":     "Sign in with the account your company has for you here.",
		"local.email":    "E-mail address",
		"local.password": "Password",
		"local.submit":   "Sign in",
		"local.forgot":   "Forgot your password?",
		"local.join":     "You were invited? Make your account",
		"local.back":     "Back",

		"passkey.use":    "Use a passkey",
		"passkey.create": "Make a passkey",
		"passkey.name":   "A name for it, such as the device",
		"passkey.failed": "No passkey was used. Try again, or go on another way.",

		"factor.title":         "One more step",
		"factor.lead":          "Enter the code that your authenticator app shows now, or one of your recovery codes.",
		"factor.passkey_lead":  "Use your passkey to go on.",
		"factor.confirm_title": "Is it still you?",
		"factor.confirm_lead":  "This change is a dangerous one. Confirm that it is you who makes it.",
		"factor.code":          "Code",
		"factor.hint":          "Six digits, or a recovery code.",
		"factor.submit":        "Continue",
		"factor.not_now":       "Not now",

		"enrol.title":         "Set up a second factor",
		"enrol.must":          "Your role needs a second factor. It takes a minute, and nobody gets in with your password alone.",
		"enrol.lead":          "With it nobody gets in with your password alone.",
		"enrol.passkey_title": "Make a passkey",
		"enrol.passkey_lead":  "A passkey is kept by your device and opened by its PIN, finger or face. It signs you in without a password.",
		"enrol.no_script":     "Passkeys need JavaScript.",
		"enrol.app":           "Authenticator app",
		"enrol.scan":          "Scan this with the app, then enter the code it shows.",
		"enrol.qr":            "QR code for your authenticator app",
		"enrol.type":          "Cannot scan? Type this into the app:",
		"enrol.code":          "Code from the app",
		"enrol.submit":        "Confirm",

		"recovery.title":  "Keep these recovery codes",
		"recovery.lead":   "Each signs you in once when your device is lost. They are shown only now: print them, or put them into a password manager.",
		"recovery.submit": "I have kept them",

		"forgot.title":  "Forgot your password?",
		"forgot.lead":   "Enter your e-mail address. If there is an account with a password, a link goes there with which you set a new one.",
		"forgot.submit": "Send the link",
		"forgot.sent":   "If there is an account with this address, a mail is on its way. Its link works for one hour. Look into the spam folder too.",

		"reset.title":    "Set a new password",
		"reset.lead":     "Choose one you use nowhere else. Length counts: three or four words are better than signs.",
		"reset.account":  "Account",
		"reset.password": "New password",
		"reset.hint":     "At least 12 characters.",
		"reset.again":    "The same again",
		"reset.submit":   "Set the password",
		"join.title":     "Make your account",
		"join.name":      "Your name",
		"join.submit":    "Make the account",

		"prove.title":    "Confirm an e-mail address",
		"prove.lead":     `The account <bdi class="strong">{{line .Account}}</bdi> wants to use <bdi class="strong">{{line .Address}}</bdi>. If that is your account, enter its password. If it is not, close this page: nothing happens.`,
		"prove.password": "Password of the account",
		"prove.submit":   "Confirm the address",

		"note.password_set.title": "Your password is set",
		"note.password_set.say":   "Everywhere else you were signed out. Go back to the app and sign in with the new password.",
		"note.link_gone.title":    "This link does not work any more",
		"note.link_gone.say":      "It was used already, or is too old, or another one was sent after it. Ask for a new one on the sign-in page.",
		"note.proven.title":       "The address is confirmed",
		"note.proven.say":         "From now on you sign in with it.",
		"note.prove_first.title":  "Confirm your e-mail address first",
		"note.prove_first.say":    "A mail with a link is on its way to you. Open it, then sign in again.",
		"note.taken.title":        "This address belongs to another account",
		"note.taken.say":          "Nothing has changed. Sign in with the account that has it, or use another address.",
	}
}
