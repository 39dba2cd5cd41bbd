package templates

import "net/http"

// localSamples are the pages of accounts that live here.
func localSamples() []sample {
	app := sampleApp()
	passkey := &Passkey{Action: "/login/local/passkey?tx=1", CSRF: "token-1", Options: `{"publicKey":{"challenge":"AA","rpId":"id.example"}}`, Ticket: "sealed"}
	create := &Passkey{Action: "/account/passkeys", CSRF: "token-1", Options: `{"publicKey":{}}`, Ticket: "sealed", Create: true, Name: "Laptop"}
	qr := "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	return []sample{
		{"local_sign_in", func(t *Templates, w http.ResponseWriter) error {
			return t.LocalSignIn(w, 401, LocalSignInPage{
				App: app, Connection: "Acme accounts", Action: "/login/local?tx=1", Cancel: "/login/local?tx=1", CSRF: "token-1", Email: "cara@contractor.test",
				Error: "The address or the password is not right.", Forgot: "/login/local/forgot?tx=1", Join: "/login/local/join?tx=1", Restart: "/login?tx=1", Passkey: passkey, Leaves: true,
			})
		}},
		{"factor", func(t *Templates, w http.ResponseWriter) error {
			return t.Factor(w, 401, FactorPage{App: app, Action: "/login/local/factor?tx=1", Cancel: "/login/local/factor?tx=1", CSRF: "token-1", Error: "The code is not right.", Code: true, Passkey: passkey, Leaves: true})
		}},
		{"factor_confirm", func(t *Templates, w http.ResponseWriter) error {
			return t.Factor(w, 200, FactorPage{Action: "/confirm", CSRF: "token-1", Confirm: true, Password: true, Back: "/", Fields: []Field{{"next", "/clients"}}})
		}},
		{"enrol", func(t *Templates, w http.ResponseWriter) error {
			return t.Enrol(w, 200, EnrolPage{
				Action: "/signin/enrol", CSRF: "token-1", Must: true, QR: qr, Secret: "ABCD EFGH IJKL MNOP", Ticket: "sealed", Passkey: create, Error: "The code is not right.",
			})
		}},
		{"enrol_passkey", func(t *Templates, w http.ResponseWriter) error {
			return t.Enrol(w, 200, EnrolPage{Action: "/account/passkeys", CSRF: "token-1", Back: "/account", Passkey: create, PasskeyOnly: true})
		}},
		{"recovery", func(t *Templates, w http.ResponseWriter) error {
			return t.Recovery(w, 200, RecoveryPage{Action: "/account", CSRF: "token-1", Codes: []string{"abcd-efgh-ijkl-mnop", "qrst-uvwx-yz23-4567"}})
		}},
		{"forgot", func(t *Templates, w http.ResponseWriter) error {
			return t.Forgot(w, 200, ForgotPage{Action: "/login/local/forgot", CSRF: "token-1", Email: "cara@contractor.test", Back: "/login/local?tx=1"})
		}},
		{"forgot_sent", func(t *Templates, w http.ResponseWriter) error { return t.Forgot(w, 200, ForgotPage{Sent: true}) }},
		{"new_password", func(t *Templates, w http.ResponseWriter) error {
			return t.NewPassword(w, 422, NewPasswordPage{Action: "/login/local/reset", CSRF: "token-1", Account: "cara@contractor.test", Error: "The two passwords differ.", Fields: []Field{{"token", "t"}}})
		}},
		{"join", func(t *Templates, w http.ResponseWriter) error {
			return t.NewPassword(w, 200, NewPasswordPage{App: app, Action: "/login/local/join?tx=1", Cancel: "/login/local/join?tx=1", CSRF: "token-1", Account: "cara@contractor.test", Join: true, Name: "Cara Cole", Leaves: true})
		}},
		{"prove", func(t *Templates, w http.ResponseWriter) error {
			return t.Prove(w, 200, ProvePage{Action: "/login/local/prove", CSRF: "token-1", Account: "cara@contractor.test", Address: "cara@new.test", Fields: []Field{{"token", "t"}}})
		}},
		{"local_note", func(t *Templates, w http.ResponseWriter) error {
			return t.LocalNote(w, 200, LocalNotePage{Note: NotePasswordSet, Back: "/login/local?tx=1"})
		}},
		{"local_note_gone", func(t *Templates, w http.ResponseWriter) error {
			return t.LocalNote(w, 410, LocalNotePage{Note: NoteLinkGone})
		}},
	}
}
