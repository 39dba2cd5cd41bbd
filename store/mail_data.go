package store

import (
	"encoding/json"
	"time"
)

// MailData is what Mail.Data holds, as JSON. Which members a kind of mail uses
// stands in its file below templates/mail.
type MailData struct {
	OrganizationID string `json:"organization,omitempty"`
	// Account is the address of the account the mail is about.
	Account string `json:"account,omitempty"`
	Person  string `json:"person,omitempty"`
	Inviter string `json:"inviter,omitempty"`
	// Link holds the secret, if there is one.
	Link       string    `json:"link,omitempty"`
	Expires    time.Time `json:"expires,omitzero"`
	Sentence   string    `json:"sentence,omitempty"`
	Reason     string    `json:"reason,omitempty"`
	Question   string    `json:"question,omitempty"`
	Connection string    `json:"connection,omitempty"`
	Domain     string    `json:"domain,omitempty"`
	// Facts are lines of label and value; see templates.MailFact.
	Facts []MailFact `json:"facts,omitempty"`
}

// MailFact is one line of what is known about the person or thing.
type MailFact struct {
	Label   string `json:"label"`
	Value   string `json:"value"`
	Address bool   `json:"address,omitempty"`
}

// Seal makes the data fit for Mail.Data.
func (d MailData) Seal() Sealed {
	raw, err := json.Marshal(d)
	if err != nil { // strings, times and booleans always marshal
		return Sealed{}
	}
	return Seal(Secret(raw))
}

// NoticeWindow counts the access requests that approvers of one organization
// were told of one by one; what is more waits for a digest. Key: organization.
type NoticeWindow struct {
	OrganizationID string    `json:"organization"`
	Since          time.Time `json:"since"`
	Count          int       `json:"count"`
	ExpiresAt      time.Time `json:"expires_at"`
}
