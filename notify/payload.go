package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
)

// EventKind describes one kind of event for whoever receives it.
type EventKind struct {
	Kind    string       `json:"kind"`
	Summary string       `json:"summary"`
	Fields  []EventField `json:"fields"`
}

// EventField is a member of a payload's data; all are strings.
type EventField struct {
	Name    string `json:"name"`
	Summary string `json:"summary"`
	Always  bool   `json:"always"`
}

// EventKinds are the kinds a webhook can subscribe to, in the order of the docs.
func EventKinds() []EventKind {
	organization := EventField{"organization", "Id of the organization.", false}
	request := []EventField{
		{"request", "Id of the access request.", true},
		organization,
		{"kind", "join: a newcomer wants in; app: a known person wants an app.", false},
		{"state", "pending, approved, refused or expired: as it is when the event is told.", false},
		{"connection", "Id of the connection the person signed in through.", false},
		{"client", "Id of the app the person came for.", false},
		{"user", "Id of the user: who asks for an app, or who was made on approval.", false},
		{"expires_at", "When the waiting ends, RFC 3339.", false},
	}
	decided := append(slices.Clone(request), EventField{"decided_by", "User id of who decided, or rule: and the rule's name.", false}, EventField{"role", "The role that was given.", false})
	user := []EventField{{"user", "Id of the user: the sub of their tokens.", true}, organization, {"status", "active or disabled.", false}}
	return []EventKind{
		{store.EventRequested, "Somebody waits to be let in.", request},
		{store.EventAsked, "An approver asked the person something.", request},
		{store.EventAnswered, "The person answered.", request},
		{store.EventApproved, "The person was let in.", decided},
		{store.EventRefused, "The person was refused.", decided},
		{store.EventExpired, "Nobody decided in time.", request},
		{store.EventUserCreated, "A user was made.", append(slices.Clone(user), EventField{"created_by", "User id of who made them, system, or rule: and the rule's name.", false})},
		{store.EventDisabled, "A user was disabled; sessions and tokens are dead.", user},
		{store.EventSignedIn, "A person signed in.", append(slices.Clone(user), EventField{"connection", "Id of the connection.", false}, EventField{"client", "Id of the app.", false})},
		{store.EventInvited, "Somebody was invited.", []EventField{
			{"invitation", "Id of the invitation.", true},
			organization,
			{"state", "open, accepted or revoked.", false},
			{"role", "The role they will have.", false},
			{"invited_by", "User id of who invites.", false},
			{"expires_at", "When it ends, RFC 3339.", false},
		}},
		{store.EventDomainLapse, "The DNS record that proves a domain is missing.", []EventField{
			{"domain", "Name of the domain.", true},
			organization,
			{"state", "verified while there is still time, lapsed after it.", false},
			{"missing_since", "When the record was missed first, RFC 3339.", false},
			{"until", "When the domain lapses, RFC 3339.", false},
		}},
	}
}

// TestKind is the event that an admin sends to try a webhook.
func TestKind() EventKind {
	return EventKind{store.EventTest, "A test, sent by an admin.", []EventField{{"webhook", "Id of the webhook.", true}, {"organization", "Id of the webhook's organization.", false}}}
}

// Schema is the JSON schema (2020-12) of a kind's payload. Members that are not
// in it may come with later versions.
func (k EventKind) Schema() map[string]any {
	data, required := map[string]any{}, []string{}
	for _, f := range k.Fields {
		data[f.Name] = map[string]any{"type": "string", "description": f.Summary}
		if f.Always {
			required = append(required, f.Name)
		}
	}
	return map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": k.Kind, "description": k.Summary, "type": "object",
		"required": []string{"type", "timestamp", "data"},
		"properties": map[string]any{
			"type":      map[string]any{"const": k.Kind},
			"timestamp": map[string]any{"type": "string", "format": "date-time", "description": "When it happened."},
			"data": map[string]any{
				"type": "object", "properties": data, "required": required,
				"additionalProperties": map[string]any{"type": "string"},
			},
		},
	}
}

// payload is the body of a delivery, as Standard Webhooks wants it.
func payload(kind string, at time.Time, data map[string]string) ([]byte, error) {
	return json.Marshal(struct {
		Type      string            `json:"type"`
		Timestamp time.Time         `json:"timestamp"`
		Data      map[string]string `json:"data"`
	}{kind, at.UTC(), data})
}

// planDeliveries makes one delivery for each webhook that wants the event.
func (n *Notifier) planDeliveries(tx store.Tx, e store.Event) (out []store.Delivery, err error) {
	if n.poster == nil {
		return nil, nil
	}
	var body []byte
	for w, err := range n.store.Webhooks.AllByIndex(tx, "event", e.Kind) {
		if err != nil {
			return nil, err
		}
		if w.Disabled || w.OrganizationID != "" && w.OrganizationID != e.OrganizationID {
			continue
		}
		if body == nil {
			data, err := n.eventData(tx, e)
			if err != nil {
				return nil, err
			}
			if body, err = payload(e.Kind, e.At, data); err != nil {
				return nil, err
			}
		}
		out = append(out, n.newDelivery(w.ID, e.Kind, body))
	}
	return out, nil
}

// newDelivery is a delivery that is due at once. Its id begins with the time,
// so that the oldest come first.
func (n *Notifier) newDelivery(webhook, kind string, body []byte) store.Delivery {
	now := n.now().UTC()
	return store.Delivery{
		ID: fmt.Sprintf("msg_%016x_%s", now.UnixNano(), store.NewID()), WebhookID: webhook, Kind: kind, Payload: body,
		State: store.DeliveryPending, NextAt: now, CreatedAt: now, ExpiresAt: now.Add(deliveryLife),
	}
}

// eventData is what a webhook is told: ids and states, what the event brought
// along, and what the record says now. No name, no address, no secret.
func (n *Notifier) eventData(tx store.Tx, e store.Event) (map[string]string, error) {
	data := map[string]string{}
	for name, value := range e.Detail {
		if name != "link" { // for mails
			data[name] = profile.Untrusted(value).Clean(200)
		}
	}
	put := func(name, value string) {
		if value != "" {
			data[name] = value
		}
	}
	put("organization", e.OrganizationID)
	var err error
	switch e.Kind {
	case store.EventRequested, store.EventAsked, store.EventAnswered, store.EventApproved, store.EventRefused, store.EventExpired:
		data["request"] = e.Subject
		var r store.AccessRequest
		if r, err = n.store.AccessRequests.Get(tx, e.Subject); err == nil {
			kind := "join"
			if r.Kind == store.RequestApp {
				kind = "app"
			}
			put("kind", kind)
			put("state", r.State)
			put("connection", r.ConnectionID)
			put("client", r.ClientID)
			put("user", r.UserID)
			if e.Kind == store.EventApproved || e.Kind == store.EventRefused {
				put("decided_by", r.DecidedBy)
				put("role", r.Role)
			}
			put("expires_at", moment(r.ExpiresAt))
		}
	case store.EventUserCreated, store.EventDisabled, store.EventSignedIn:
		data["user"] = e.Subject
		var u store.User
		if u, err = n.store.Users.Get(tx, e.Subject); err == nil {
			put("status", u.Status)
			if e.Kind == store.EventUserCreated {
				put("created_by", u.CreatedBy)
			}
		}
	case store.EventInvited:
		data["invitation"] = e.Subject
		var i store.Invitation
		if i, err = n.store.Invitations.Get(tx, e.Subject); err == nil {
			put("state", i.State)
			put("role", i.Role)
			put("invited_by", i.InvitedBy)
			put("expires_at", moment(i.ExpiresAt))
		}
	case store.EventDomainLapse:
		var d store.Domain
		if d, err = n.store.Domains.Get(tx, e.Subject); err == nil {
			put("domain", d.Name)
			put("organization", d.OrganizationID)
			put("state", string(d.State))
			put("missing_since", moment(d.MissingSince))
		}
	}
	if errors.Is(err, store.ErrNotFound) {
		return data, nil // gone since; its id is told all the same
	}
	return data, err
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
