package store

import (
	"fmt"
	"time"
)

// Kinds of Event: what mails and webhooks tell.
const (
	EventRequested   = "access_request.created"
	EventAsked       = "access_request.asked"    // an approver asks back
	EventAnswered    = "access_request.answered" // the person answered
	EventApproved    = "access_request.approved"
	EventRefused     = "access_request.refused"
	EventExpired     = "access_request.expired"
	EventUserCreated = "user.created"
	EventDisabled    = "user.disabled"
	EventSignedIn    = "user.signed_in"
	EventInvited     = "invitation.created"
	EventDomainLapse = "domain.lapsing"
)

// EventTest is delivered when an admin asks for it; nobody subscribes to it.
const EventTest = "webhook.test"

// Event is something that happened, written in the Update in which it did, and
// told by mail and webhook afterwards (package notify). It is deleted when it
// has been turned into Mails and Deliveries.
type Event struct {
	ID             string    `json:"id"` // begins with the time: told in order
	Kind           string    `json:"kind"`
	OrganizationID string    `json:"organization,omitempty"`
	At             time.Time `json:"at"`
	// Subject is the id of what it is about: request, user, invitation, domain key.
	Subject string `json:"subject"`
	// Detail is for webhooks; ids and states, never a secret.
	Detail map[string]string `json:"detail,omitempty"`
	// Secret is a token that a mail has to carry (an invitation's link).
	Secret Sealed `json:"secret,omitzero"`
}

// Tell keeps an event in this transaction; ID and At are filled in. A sign-in is
// kept only when a webhook wants to hear of sign-ins: logins are many.
func (s *Store) Tell(tx Tx, e Event) error {
	if e.Kind == EventSignedIn {
		n, err := s.Webhooks.CountByIndex(tx, "event", e.Kind, 1)
		if err != nil || n == 0 {
			return err
		}
	}
	e.At = s.now().UTC()
	e.ID = fmt.Sprintf("%016x-%s", e.At.UnixNano(), NewID())
	return s.Events.Insert(tx, e)
}

// Mail is one mail to be sent; it waits here when the mail server is down.
type Mail struct {
	ID       string `json:"id"`
	Kind     string `json:"kind"` // template name
	To       string `json:"to"`
	Language string `json:"language,omitempty"`
	// Data fills the template: JSON, sealed, for it may hold a link.
	Data      Sealed    `json:"data,omitzero"`
	CreatedAt time.Time `json:"created_at"`
	Attempts  int       `json:"attempts,omitempty"`
	NextAt    time.Time `json:"next_at"`
	LastError string    `json:"last_error,omitempty"`
	// Failed: the server will never take it; it stays for admins to see.
	Failed    bool      `json:"failed,omitempty"`
	ExpiresAt time.Time `json:"expires_at"` // given up, and swept
}

// Webhook is an address that is told of events (Standard Webhooks).
type Webhook struct {
	Meta
	ID string `json:"id"`
	// OrganizationID narrows it to one organization's events; empty: all.
	OrganizationID string   `json:"organization,omitempty"`
	URL            string   `json:"url"`
	Events         []string `json:"events"` // kinds of Event
	Disabled       bool     `json:"disabled,omitempty"`
	// AllowPrivateNetwork lets it reach what the operator lists in
	// network.allow_private, as connections may; platform owners only.
	AllowPrivateNetwork bool `json:"allow_private_network,omitempty"`
	// Secret signs deliveries; PreviousSecret still does until PreviousUntil.
	Secret         Sealed    `json:"secret,omitzero"`
	PreviousSecret Sealed    `json:"previous_secret,omitzero"`
	PreviousUntil  time.Time `json:"previous_until,omitzero"`
}

// States of a Delivery.
const (
	DeliveryPending   = "pending"
	DeliveryDelivered = "delivered"
	DeliveryFailed    = "failed" // given up
)

// Delivery is one event on its way to one webhook, and the log of its tries.
type Delivery struct {
	ID        string            `json:"id"` // webhook-id of Standard Webhooks
	WebhookID string            `json:"webhook"`
	Kind      string            `json:"kind"`
	Payload   []byte            `json:"payload"`
	State     string            `json:"state"`
	Attempts  []DeliveryAttempt `json:"attempts,omitempty"` // the newest 10
	Tries     int               `json:"tries,omitempty"`
	NextAt    time.Time         `json:"next_at,omitzero"`
	CreatedAt time.Time         `json:"created_at"`
	ExpiresAt time.Time         `json:"expires_at"`
}

// DeliveryAttempt is one try.
type DeliveryAttempt struct {
	At     time.Time `json:"at"`
	Status int       `json:"status,omitempty"` // HTTP; 0: no answer
	Error  string    `json:"error,omitempty"`
	Millis int64     `json:"millis"`
}
