package templates

import (
	"net/http"
	"time"
)

// AccountNote is what the account page says about what was just done.
type AccountNote string

// Notes of the account page.
const (
	NoteLinked       AccountNote = "linked"
	NoteUnlinked     AccountNote = "unlinked"
	NoteEnded        AccountNote = "ended"
	NoteLinkTaken    AccountNote = "taken"         // the other sign-in is somebody's already
	NoteLinkRefused  AccountNote = "link_refused"  // its organization does not take the person
	NoteLinkAsk      AccountNote = "link_ask"      // its organization wants to be asked
	NoteLinkOther    AccountNote = "link_other"    // not the sign-in that was asked for
	NoteLastIdentity AccountNote = "last_identity" // it stays
	NoteLastOwner    AccountNote = "last_owner"
	NoteUnknownEmail AccountNote = "unknown_email" // leads to no sign-in
)

// Good reports whether something was done.
func (n AccountNote) Good() bool { return n == NoteLinked || n == NoteUnlinked || n == NoteEnded }

// AccountPage is what people see of themselves. Elements: forms id="link-…",
// id="unlink-…", id="end-…", id="sign-out", id="sign-out-others", id="fresh".
type AccountPage struct {
	CSRF  string
	Note  AccountNote // or ""
	Name  string
	Email string
	// Vouched is who vouches for the address, and since when; "" for nobody.
	Vouched   string
	VouchedAt time.Time
	// Fresh: the person signed in just now, so that sign-ins may be changed.
	Fresh      bool
	Identities []AccountIdentity
	Linkable   []Choice
	// Suggested is the sign-in that the person came with and may link; its ID "".
	Suggested Choice
	Then      string // the login that waits meanwhile
	Grants    []AccountGrant
	Sessions  int // other browsers that are signed in
	Waiting   []string
	// Password is the login of a local account, or ""; Reset leads to a new one.
	Password string
	Passkeys []string
	TOTP     bool
	Base     string // address of the page
}

// AccountIdentity is one way to sign in.
type AccountIdentity struct {
	ID      string
	Title   string
	Email   string
	Proven  bool
	LastAt  time.Time
	Source  bool // name and address come from it
	Current bool // of this browser
	Stays   bool // the only one
}

// AccountGrant is an app on a device.
type AccountGrant struct {
	ID        string
	App       string
	CreatedAt time.Time
	UsedAt    time.Time
	Here      bool // opened in this browser
}

// Account draws the page.
func (t *Templates) Account(w http.ResponseWriter, status int, p AccountPage) error {
	return t.render(w, status, "account", policyTo(nil), p)
}

// IsItYouPage asks a newcomer who may be somebody already. Elements: buttons
// id="known-…" and id="new".
type IsItYouPage struct {
	App     App
	Email   string
	Action  string
	Cancel  string
	CSRF    string
	Choices []Choice // the ways in that the existing person has
}

// IsItYou draws the page.
func (t *Templates) IsItYou(w http.ResponseWriter, status int, p IsItYouPage) error {
	return t.render(w, status, "is_it_you", policyTo(nil), p)
}
