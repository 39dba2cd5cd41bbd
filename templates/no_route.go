package templates

import "net/http"

// NoRoutePage says that no company is known for this e-mail domain, and offers
// what there is: another address, someone to ask. It says nothing about people,
// only about the domain (Y1). Elements as on EmailEntryPage, and a link
// id="contact".
type NoRoutePage struct {
	App        App
	Email      string // the address that was typed; its domain is named
	Domain     string
	Action     string // where another address is posted
	Cancel     string // where cancel is posted; "" leaves the button out
	CSRF       string
	ContactURL string // https or mailto address of who can help; "" leaves it out
	FormAction FormAction
}

// Contact is ContactURL if it is an address we link to.
func (p NoRoutePage) Contact() string { return contactLink(p.ContactURL) }

// NoRoute draws the page.
func (t *Templates) NoRoute(w http.ResponseWriter, status int, p NoRoutePage) error {
	return t.render(w, status, "no_route", policyTo(p.FormAction), p)
}
