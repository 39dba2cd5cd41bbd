package templates

import "net/http"

// LocalSignInPage asks for the password of an account that lives here.
// Elements: inputs name="email" and name="password", button id="submit", links
// id="forgot", id="join" and id="restart", the passkey form.
type LocalSignInPage struct {
	App        App
	Connection string // its title
	Action     string
	Cancel     string
	CSRF       string
	Email      string
	Error      string // one sentence, or ""
	Forgot     string // address of the page for a forgotten password
	Join       string // address of the page that makes an account; "" when nobody invited
	Restart    string // address of the page before
	Passkey    *Passkey
	Leaves     bool // the login may go on to the app from here
}

// LocalSignIn draws the page.
func (t *Templates) LocalSignIn(w http.ResponseWriter, status int, p LocalSignInPage) error {
	return t.render(w, status, "local_sign_in", policyOf(p.Leaves), p)
}

// FactorPage asks for a second factor, or, with Confirm, for any proof before
// something dangerous. Elements: input name="code" or name="password", button
// id="submit", the passkey form.
type FactorPage struct {
	App      App
	Action   string
	Cancel   string // where cancel is posted, or "" for none
	CSRF     string
	Fields   []Field
	Error    string
	Confirm  bool   // a signed-in person confirms
	Back     string // of Confirm: where "not now" leads
	Code     bool   // a code of the app or a recovery code will do
	Password bool   // the password will do: there is no other factor
	Passkey  *Passkey
	Leaves   bool // the login may go on to the app from here
}

// Factor draws the page.
func (t *Templates) Factor(w http.ResponseWriter, status int, p FactorPage) error {
	return t.render(w, status, "factor", policyOf(p.Leaves), p)
}

// EnrolPage sets an authenticator app up, or a passkey. Elements: img id="qr",
// code id="secret", input name="code", button id="submit", the passkey form.
type EnrolPage struct {
	App     App
	Action  string
	Cancel  string
	CSRF    string
	Fields  []Field
	Error   string
	Must    bool   // nothing else can be done before
	Back    string // of an account page: where "not now" leads
	QR      string // data: URL of a PNG
	Secret  string // in groups, for typing
	Ticket  string
	Passkey *Passkey
	// Only of a passkey: no authenticator app is offered.
	PasskeyOnly bool
}

// Enrol draws the page.
func (t *Templates) Enrol(w http.ResponseWriter, status int, p EnrolPage) error {
	return t.render(w, status, "enrol", policySelf(), enrolView{p, dataURL(p.QR)})
}

// RecoveryPage shows recovery codes, once. Elements: list id="codes", button
// id="submit".
type RecoveryPage struct {
	App    App
	Action string // where "I have kept them" is posted
	CSRF   string
	Fields []Field
	Codes  []string
	Leaves bool // the login may go on to the app from here
}

// Recovery draws the page.
func (t *Templates) Recovery(w http.ResponseWriter, status int, p RecoveryPage) error {
	return t.render(w, status, "recovery", policyOf(p.Leaves), p)
}

// ForgotPage takes an address and, once it was posted, says what is always
// said. Elements: input name="email", button id="submit"; or p id="sent".
type ForgotPage struct {
	Action string
	CSRF   string
	Email  string
	Sent   bool
	Back   string // address to go back to, or ""
}

// Forgot draws the page.
func (t *Templates) Forgot(w http.ResponseWriter, status int, p ForgotPage) error {
	return t.render(w, status, "forgot", policySelf(), p)
}

// NewPasswordPage sets a password: after a mailed link, or for a new account.
// Elements: inputs name="password", name="password_again", with Join also
// name="name"; button id="submit".
type NewPasswordPage struct {
	App     App
	Action  string
	Cancel  string
	CSRF    string
	Fields  []Field
	Account string // the address
	Join    bool   // a new account
	Name    string
	Error   string
	Leaves  bool // the login may go on to the app from here
}

// NewPassword draws the page.
func (t *Templates) NewPassword(w http.ResponseWriter, status int, p NewPasswordPage) error {
	return t.render(w, status, "new_password", policyOf(p.Leaves), p)
}

// ProvePage asks the owner of an account for its password, to prove an address.
// Elements: input name="password", button id="submit".
type ProvePage struct {
	Action  string
	CSRF    string
	Fields  []Field
	Account string // that asks
	Address string // that would be proven
	Error   string
}

// Prove draws the page.
func (t *Templates) Prove(w http.ResponseWriter, status int, p ProvePage) error {
	return t.render(w, status, "prove", policySelf(), p)
}

// policyOf is the policy of a page whose form may end at an app's address.
func policyOf(leaves bool) string {
	if leaves {
		return policyTo(nil)
	}
	return policySelf()
}

// LocalNote is what a page about an account says when there is nothing to do.
type LocalNote string

// Notes.
const (
	NotePasswordSet LocalNote = "password_set"
	NoteLinkGone    LocalNote = "link_gone"
	NoteProven      LocalNote = "proven"
	NoteProveFirst  LocalNote = "prove_first"
	NoteTaken       LocalNote = "taken"
)

// LocalNotePage says one thing. Element: h1, link id="back".
type LocalNotePage struct {
	Note    LocalNote
	Address string
	Back    string
}

// LocalNote draws the page.
func (t *Templates) LocalNote(w http.ResponseWriter, status int, p LocalNotePage) error {
	return t.render(w, status, "local_note", policySelf(), p)
}
