package notify

import (
	"context"
	"errors"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/templates"
)

// ErrMailsOff: no way to send mails is configured.
var ErrMailsOff = errors.New("notify: mails are off")

// ErrNoAddress: the person has no proven address.
var ErrNoAddress = errors.New("notify: the person has no proven address")

// Preview draws a mail of a kind with made-up content, as an organization's
// people would get it; "" takes none. The only error of the caller's making is
// templates.ErrMailKind.
func (n *Notifier) Preview(ctx context.Context, kind, language, organization string) (templates.Mail, error) {
	if organization == "" {
		organization = "Example Inc."
	}
	data := store.MailData{
		OrganizationID: organization, Person: "Ada Example", Connection: "Example Directory", Domain: "example.com",
		Sentence: "Which team are you in?", Link: n.adminURL + "/example-link", Expires: n.now().Add(72 * time.Hour),
	}
	switch kind {
	case templates.MailRequestWaiting:
		data.Facts = []store.MailFact{
			{Label: "name", Value: "Ada Example"},
			{Label: "email", Value: "ada@example.com", Address: true},
			{Label: "connection", Value: "Example Directory"},
			{Label: "app", Value: "Example App"},
			{Label: "typed", Value: "I start on Monday."},
		}
	case templates.MailDomainLapsing:
		data.Facts = []store.MailFact{{Label: "value", Value: "gatehouse-domain-verification=example", Address: true}}
	}
	return n.draw(ctx, kind, language, "ada@example.com", data)
}

// TestMail is the mail that a person asks for to see whether mails arrive. The
// caller inserts it, so that it can be part of a recorded change. ErrMailsOff
// or ErrNoAddress when it could not arrive.
func (n *Notifier) TestMail(tx store.Tx, userID string) (store.Mail, error) {
	if n.transport == nil {
		return store.Mail{}, ErrMailsOff
	}
	to, ok, err := n.reach(tx, userID)
	if err != nil {
		return store.Mail{}, err
	}
	if !ok {
		return store.Mail{}, ErrNoAddress
	}
	return n.newMail(templates.MailTest, to.address.String(), to.language, store.MailData{Link: n.adminURL + "/"}, time.Time{}), nil
}

// TestMailTo is TestMail to an address that the operator names.
func (n *Notifier) TestMailTo(address profile.Email, language string) (store.Mail, error) {
	if n.transport == nil {
		return store.Mail{}, ErrMailsOff
	}
	return n.newMail(templates.MailTest, address.String(), language, store.MailData{Link: n.adminURL + "/"}, time.Time{}), nil
}

// TestDelivery is a delivery of a test event to one webhook, for the caller to
// insert.
func (n *Notifier) TestDelivery(w store.Webhook) (store.Delivery, error) {
	data := map[string]string{"webhook": w.ID}
	if w.OrganizationID != "" {
		data["organization"] = w.OrganizationID
	}
	body, err := payload(store.EventTest, n.now(), data)
	return n.newDelivery(w.ID, store.EventTest, body), err
}
