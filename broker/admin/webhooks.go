package admin

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"gatehouse/notify"
	"gatehouse/store"
	"gatehouse/templates"
)

// Bounds of webhooks: each gets a delivery of every event it wants.
const (
	maxWebhooks = 20 // per organization, and platform-wide
	maxOverlap  = 7 * 24 * time.Hour
)

// webhookView is a webhook without its secrets.
type webhookView struct {
	ID                  string     `json:"id"`
	Revision            int64      `json:"revision"`
	CreatedAt           time.Time  `json:"created_at"`
	UpdatedAt           time.Time  `json:"updated_at"`
	Organization        string     `json:"organization,omitempty" doc:"Whose events it is told of; absent: everybody's"`
	URL                 string     `json:"url"`
	Events              []string   `json:"events"`
	Disabled            bool       `json:"disabled"`
	AllowPrivateNetwork bool       `json:"allow_private_network"`
	PreviousUntil       *time.Time `json:"previous_secret_until,omitempty" doc:"Until then the secret before the last rotation signs as well"`
}

func viewWebhook(w store.Webhook) webhookView {
	v := webhookView{
		ID: w.ID, Revision: w.Revision, CreatedAt: w.CreatedAt, UpdatedAt: w.UpdatedAt, Organization: w.OrganizationID,
		URL: w.URL, Events: listed(w.Events), Disabled: w.Disabled, AllowPrivateNetwork: w.AllowPrivateNetwork,
	}
	if !w.PreviousUntil.IsZero() && !w.PreviousSecret.IsZero() {
		v.PreviousUntil = &w.PreviousUntil
	}
	return v
}

// WebhookFields are what people may set; absent fields stay.
type WebhookFields struct {
	URL                 *string  `json:"url,omitempty" maxLength:"2048" doc:"https address that is called"`
	Events              []string `json:"events,omitempty" maxItems:"50" doc:"Kinds of events it is told of"`
	Disabled            *bool    `json:"disabled,omitempty"`
	AllowPrivateNetwork *bool    `json:"allow_private_network,omitempty" doc:"Platform owners only: reach what network.allow_private lists, and plain http there"`
}

func (f WebhookFields) apply(w *store.Webhook) {
	set(&w.URL, f.URL)
	setList(&w.Events, f.Events)
	set(&w.Disabled, f.Disabled)
	set(&w.AllowPrivateNetwork, f.AllowPrivateNetwork)
}

// webhookCheck is everything that must hold before a webhook is written.
func (h *Handler) webhookCheck(p Principal, before store.Webhook, w *store.Webhook) error {
	// Where it goes, or that it may go there, is the owner's word.
	var f faults
	if w.AllowPrivateNetwork && !Owner.Allows(p, Object{}) {
		if !before.AllowPrivateNetwork {
			return errForbidden
		}
		if before.URL != w.URL {
			f.add("url", "may reach private networks, so only platform owners change it")
		}
	}
	if err := h.federation.CheckPostURL(w.URL, w.AllowPrivateNetwork); err != nil {
		f.add("url", "cannot be called: %s", err)
	}
	if len(w.URL) > 2048 || !visibleASCII(w.URL) {
		f.add("url", "must be a URL of at most 2048 visible ASCII characters")
	}
	if len(w.Events) == 0 {
		f.add("events", "is empty: name at least one kind of event")
	}
	known := notify.EventKinds()
	for i, kind := range w.Events {
		if !slices.ContainsFunc(known, func(k notify.EventKind) bool { return k.Kind == kind }) {
			f.add(indexed("events", i), "is not a kind of event that can be told")
		}
		if slices.Contains(w.Events[:i], kind) {
			f.add(indexed("events", i), "is there twice")
		}
	}
	return f.join()
}

// WebhookPath names a webhook.
type WebhookPath struct {
	ID string `path:"webhook" maxLength:"64"`
}

func (h *Handler) routeWebhooks(t *table) {
	endpoint(t, Admin, operation{Method: "GET", Path: "/webhook-events", In: anywhere, Name: "list-webhook-events", Summary: "List the kinds of events, with the JSON schema of each", Tag: "webhooks"},
		func(context.Context, Principal, *Paging) (*pageOutput[webhookEventView], error) { // all at once: they are few
			return &pageOutput[webhookEventView]{Page[webhookEventView]{Items: viewWebhookEvents()}}, nil
		})
	endpoint(t, Admin, operation{Method: "GET", Path: "/webhooks", In: anywhere, Name: "list-webhooks", Summary: "List webhooks", Tag: "webhooks"},
		func(ctx context.Context, _ Principal, in *listWebhooksInput) (*pageOutput[webhookView], error) {
			page, err := h.listWebhooks(ctx, in.Paging, in.Organization)
			return &pageOutput[webhookView]{page}, err
		})
	endpoint(t, Admin, operation{Method: "GET", Path: "/webhooks/{webhook}", In: byObject, Name: "get-webhook", Summary: "Show a webhook", Tag: "webhooks"},
		func(ctx context.Context, _ Principal, in *WebhookPath) (*one[webhookView], error) {
			w, err := h.webhook(ctx, in.ID)
			return &one[webhookView]{etag(w.Revision), viewWebhook(w)}, err
		})
	endpoint(t, Admin, operation{Method: "POST", Path: "/webhooks", In: byBody, Name: "create-webhook", Summary: "Add a webhook; its secret is shown once", Status: http.StatusCreated, Tag: "webhooks"}, h.createWebhook)
	endpoint(t, Admin, operation{Method: "PATCH", Path: "/webhooks/{webhook}", In: byObject, Name: "update-webhook", Summary: "Change a webhook", Tag: "webhooks"}, h.updateWebhook)
	endpoint(t, Admin, operation{Method: "DELETE", Path: "/webhooks/{webhook}", In: byObject, Name: "delete-webhook", Summary: "Remove a webhook and its deliveries", Status: http.StatusNoContent, Tag: "webhooks"}, h.deleteWebhook)
	endpoint(t, Admin, operation{Method: "POST", Path: "/webhooks/{webhook}/secret", In: byObject, Name: "rotate-webhook-secret", Dangerous: true, Summary: "Make a new secret, shown once; the old one signs as well for a while", Status: http.StatusCreated, Tag: "webhooks"}, h.rotateWebhookSecret)
	endpoint(t, Admin, operation{Method: "POST", Path: "/webhooks/{webhook}/test", In: byObject, Name: "test-webhook", Summary: "Send a test event", Status: http.StatusCreated, Tag: "webhooks"}, h.testWebhook)
	h.routeDeliveries(t)
}

// webhookEventView is a kind of event, for whoever subscribes to it.
type webhookEventView struct {
	Kind    string         `json:"kind"`
	Summary string         `json:"summary"`
	Schema  map[string]any `json:"schema" doc:"JSON schema of the payload"`
}

func viewWebhookEvents() []webhookEventView {
	out := []webhookEventView{}
	for _, k := range append(notify.EventKinds(), notify.TestKind()) {
		out = append(out, webhookEventView{k.Kind, k.Summary, k.Schema()})
	}
	return out
}

type listWebhooksInput struct {
	Paging
	Organization string `query:"organization" maxLength:"63" doc:"Only this organization's"`
}

func (h *Handler) listWebhooks(ctx context.Context, in Paging, organization string) (Page[webhookView], error) {
	return listOf(ctx, h, in, listing[store.Webhook]{
		name: "webhooks", all: h.store.Webhooks.List, organization: organization,
		of: func(tx store.Tx, organization string, p store.Page) ([]store.Webhook, string, error) {
			return h.store.Webhooks.ByIndex(tx, "organization", organization, p)
		},
	}, plain(viewWebhook))
}

func (h *Handler) webhook(ctx context.Context, id string) (w store.Webhook, err error) {
	err = h.store.View(ctx, func(tx store.Tx) (err error) {
		w, err = h.store.Webhooks.Get(tx, id)
		return err
	})
	return w, err
}

type createWebhookInput struct{ Body createWebhookBody }

type createWebhookBody struct {
	Organization string `json:"organization,omitempty" maxLength:"63" doc:"Only this organization's events; absent: everybody's, for the platform's people"`
	WebhookFields
}

func (in *createWebhookInput) organization() string { return in.Body.Organization }

// webhookSecretOutput shows a webhook with its secret, the one time it can be seen.
type webhookSecretOutput struct {
	ETag string `header:"ETag"`
	Body webhookWithSecret
}

type webhookWithSecret struct {
	Webhook webhookView `json:"webhook"`
	Secret  string      `json:"secret" doc:"Shown this once: whsec_ and base64, as Standard Webhooks libraries read it"`
}

func (h *Handler) createWebhook(ctx context.Context, p Principal, in *createWebhookInput) (*webhookSecretOutput, error) {
	secret := notify.NewSecret()
	w := store.Webhook{ID: store.NewID(), OrganizationID: in.Body.Organization, Secret: store.Seal(secret)}
	in.Body.apply(&w)
	if err := h.webhookCheck(p, store.Webhook{}, &w); err != nil {
		return nil, err
	}
	var saved store.Webhook
	err := h.change(ctx, p, func(ch *store.Change) error {
		if err := h.roomForWebhook(ch.Tx, w.OrganizationID); err != nil {
			return err
		}
		if err := h.store.Webhooks.Insert(ch.Tx, w); err != nil {
			return err
		}
		var err error
		if saved, err = h.store.Webhooks.Get(ch.Tx, w.ID); err != nil {
			return err
		}
		return ch.Record("webhook.create", "webhook/"+w.ID, difference(nil, viewWebhook(saved)))
	})
	return &webhookSecretOutput{etag(saved.Revision), webhookWithSecret{viewWebhook(saved), secret.Reveal()}}, err
}

// roomForWebhook refuses more webhooks than can be called in good time.
func (h *Handler) roomForWebhook(tx store.Tx, organization string) error {
	n := 0
	if organization != "" {
		if _, err := h.store.Organizations.Get(tx, organization); err != nil {
			return err
		}
		var err error
		if n, err = h.store.Webhooks.CountByIndex(tx, "organization", organization, maxWebhooks); err != nil {
			return err
		}
	} else {
		for w, err := range h.store.Webhooks.All(tx) {
			if err != nil {
				return err
			}
			if w.OrganizationID == "" {
				n++
			}
		}
	}
	if n >= maxWebhooks {
		return problem(http.StatusConflict, fmt.Sprintf("There are %d webhooks here already. Remove one first.", maxWebhooks))
	}
	return nil
}

type updateWebhookInput struct {
	WebhookPath
	Precondition
	Body updateWebhookBody
}

type updateWebhookBody struct {
	Revision *int64 `json:"revision,omitempty" doc:"As read; 409 when it is no longer the stored one"`
	WebhookFields
}

func (h *Handler) updateWebhook(ctx context.Context, p Principal, in *updateWebhookInput) (*one[webhookView], error) {
	saved, err := h.editWebhook(ctx, p, in.ID, "webhook.update", in.Precondition, in.Body.Revision, func(w *store.Webhook) { in.Body.apply(w) })
	return &one[webhookView]{etag(saved.Revision), viewWebhook(saved)}, err
}

// editWebhook reads, changes, checks and writes a webhook in one transaction.
func (h *Handler) editWebhook(ctx context.Context, p Principal, id, action string, pre Precondition, revision *int64, edit func(*store.Webhook)) (saved store.Webhook, err error) {
	err = h.change(ctx, p, func(ch *store.Change) error {
		before, err := h.store.Webhooks.Get(ch.Tx, id)
		if err != nil {
			return err
		}
		if err := pre.match(before.Meta, revision); err != nil {
			return err
		}
		after := before
		after.Events = slices.Clone(before.Events)
		edit(&after)
		if err := h.webhookCheck(p, before, &after); err != nil {
			return err
		}
		if err := h.store.Webhooks.Put(ch.Tx, after); err != nil {
			return err
		}
		if saved, err = h.store.Webhooks.Get(ch.Tx, id); err != nil {
			return err
		}
		return ch.Record(action, "webhook/"+id, difference(viewWebhook(before), viewWebhook(saved)))
	})
	return saved, err
}

type deleteWebhookInput struct {
	WebhookPath
	Precondition
}

// deleteWebhook removes a webhook. Its deliveries go with their time; those
// that wait are not sent any more.
func (h *Handler) deleteWebhook(ctx context.Context, p Principal, in *deleteWebhookInput) (*none, error) {
	return nil, h.change(ctx, p, func(ch *store.Change) error {
		before, err := h.store.Webhooks.Get(ch.Tx, in.ID)
		if err != nil {
			return err
		}
		if err := in.match(before.Meta, nil); err != nil {
			return err
		}
		if err := h.store.Webhooks.Delete(ch.Tx, in.ID); err != nil {
			return err
		}
		return ch.Record("webhook.delete", "webhook/"+in.ID, difference(viewWebhook(before), nil))
	})
}

type rotateWebhookSecretInput struct {
	WebhookPath
	Precondition
	Body struct {
		KeepOldSeconds int64 `json:"keep_old_seconds,omitempty" minimum:"0" maximum:"604800" doc:"How long the old secret signs as well; 0 ends it now"`
	}
}

func (h *Handler) rotateWebhookSecret(ctx context.Context, p Principal, in *rotateWebhookSecretInput) (*webhookSecretOutput, error) {
	secret := notify.NewSecret()
	keep := min(time.Duration(in.Body.KeepOldSeconds)*time.Second, maxOverlap)
	saved, err := h.editWebhook(ctx, p, in.ID, "webhook.rotate_secret", in.Precondition, nil, func(w *store.Webhook) {
		w.PreviousSecret, w.PreviousUntil = store.Sealed{}, time.Time{}
		if keep > 0 {
			w.PreviousSecret, w.PreviousUntil = w.Secret, h.now().UTC().Add(keep)
		}
		w.Secret = store.Seal(secret)
	})
	return &webhookSecretOutput{etag(saved.Revision), webhookWithSecret{viewWebhook(saved), secret.Reveal()}}, err
}

// silent is what tells nobody anything, for a handler without a Notifier.
func silent(cfg Config) (*notify.Notifier, error) {
	mails, err := templates.NewMails("")
	if err != nil {
		return nil, err
	}
	issuer := cfg.PublicIssuer
	if issuer == "" {
		issuer = cfg.BaseURL
	}
	return notify.New(notify.Config{Store: cfg.Store, Mails: mails, Issuer: issuer, AdminURL: cfg.BaseURL, Now: cfg.Now})
}
