package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"gatehouse/notify"
	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/templates"
)

// mailView is a mail that waits. Its content is not shown: it may hold a link
// that signs in.
type mailView struct {
	ID        string    `json:"id"`
	Kind      string    `json:"kind"`
	To        string    `json:"to"`
	Language  string    `json:"language"`
	State     string    `json:"state" enum:"waiting,refused" doc:"refused: the mail server will never take it"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at" doc:"Then it is given up"`
	NextAt    time.Time `json:"next_at" doc:"When it is tried next"`
	Attempts  int       `json:"attempts"`
	LastError string    `json:"last_error,omitempty"`
}

func viewMail(m store.Mail) mailView {
	v := mailView{
		ID: m.ID, Kind: m.Kind, To: m.To, Language: m.Language, State: "waiting", CreatedAt: m.CreatedAt, ExpiresAt: m.ExpiresAt,
		NextAt: m.NextAt, Attempts: m.Attempts, LastError: m.LastError,
	}
	if m.Failed {
		v.State = "refused"
	}
	return v
}

// MailPath names a mail.
type MailPath struct {
	ID string `path:"mail" maxLength:"200"`
}

func (h *Handler) routeMails(t *table) {
	endpoint(t, Admin, operation{Method: "GET", Path: "/mails", Name: "list-mails", Summary: "List mails that wait to be sent", Tag: "mails"},
		func(ctx context.Context, _ Principal, in *Paging) (*pageOutput[mailView], error) {
			page, err := list(ctx, h, "mails", *in, h.store.Mails.List, plain(viewMail))
			return &pageOutput[mailView]{page}, err
		})
	endpoint(t, Admin, operation{Method: "GET", Path: "/mails/{mail}", Name: "get-mail", Summary: "Show a mail that waits", Tag: "mails"},
		func(ctx context.Context, _ Principal, in *MailPath) (*one[mailView], error) {
			m, err := h.mail(ctx, in.ID)
			return &one[mailView]{Body: viewMail(m)}, err
		})
	endpoint(t, Admin, operation{Method: "POST", Path: "/mails/{mail}/retry", Name: "retry-mail", Summary: "Send a mail now", Tag: "mails"}, h.retryMail)
	endpoint(t, Admin, operation{Method: "DELETE", Path: "/mails/{mail}", Name: "delete-mail", Summary: "Give a mail up", Status: http.StatusNoContent, Tag: "mails"}, h.deleteMail)
	endpoint(t, Admin, operation{Method: "GET", Path: "/mail-kinds", Name: "list-mail-kinds", Summary: "List the kinds of mails and their languages, and how mails are sent", Tag: "mails"},
		func(context.Context, Principal, *struct{}) (*one[mailKindsView], error) {
			return &one[mailKindsView]{Body: h.mailKinds()}, nil
		})
	endpoint(t, Admin, operation{Method: "GET", Path: "/mail-kinds/{kind}/preview", Name: "preview-mail", Summary: "Show a kind of mail with made-up content", Tag: "mails"}, h.previewMail)
	endpoint(t, Admin, operation{Method: "POST", Path: "/mails", Name: "test-mail", Summary: "Send a test mail to yourself", Status: http.StatusCreated, Tag: "mails"}, h.testMail)
}

func (h *Handler) mail(ctx context.Context, id string) (m store.Mail, err error) {
	err = h.store.View(ctx, func(tx store.Tx) (err error) {
		m, err = h.store.Mails.Get(tx, id)
		return err
	})
	return m, err
}

// mailKindsView is what mails there are.
type mailKindsView struct {
	Sending   bool     `json:"sending" doc:"false: no way to send mails is configured"`
	Via       string   `json:"via,omitempty" doc:"The mail server, or the folder"`
	Kinds     []string `json:"kinds"`
	Languages []string `json:"languages"`
}

func (h *Handler) mailKinds() mailKindsView {
	on, via := h.notifier.MailsOn()
	return mailKindsView{Sending: on, Via: via, Kinds: templates.MailKinds(), Languages: templates.MailLanguages()}
}

type previewMailInput struct {
	Kind         string `path:"kind" maxLength:"64"`
	Language     string `query:"language" maxLength:"35" doc:"BCP 47; English when absent"`
	Organization string `query:"organization" maxLength:"63" doc:"With this organization's title and contact"`
}

type mailPreview struct {
	Kind     string `json:"kind"`
	Language string `json:"language"`
	Subject  string `json:"subject"`
	Text     string `json:"text"`
	HTML     string `json:"html"`
}

func (h *Handler) previewMail(ctx context.Context, _ Principal, in *previewMailInput) (*one[mailPreview], error) {
	language := templates.MailLanguage(in.Language)
	m, err := h.notifier.Preview(ctx, in.Kind, language, in.Organization)
	if errors.Is(err, templates.ErrMailKind) {
		return nil, store.ErrNotFound
	}
	return &one[mailPreview]{Body: mailPreview{in.Kind, language, m.Subject, m.Text, m.HTML}}, err
}

type testMailInput struct {
	Body struct {
		To       string `json:"to,omitempty" maxLength:"254" doc:"Owners and the operator only: another address than your own"`
		Language string `json:"language,omitempty" maxLength:"35"`
	}
}

// testMail queues the mail by which an admin sees whether mails arrive.
func (h *Handler) testMail(ctx context.Context, p Principal, in *testMailInput) (*one[mailView], error) {
	var m store.Mail
	var address profile.Email
	if in.Body.To != "" {
		if !Owner.Allows(p, Object{}) {
			return nil, errForbidden
		}
		var err error
		if address, err = profile.ParseEmail(in.Body.To); err != nil {
			return nil, fault("to", "is not an e-mail address")
		}
	}
	err := h.store.View(ctx, func(tx store.Tx) (err error) {
		if !address.IsZero() {
			m, err = h.notifier.TestMailTo(address, in.Body.Language)
			return err
		}
		m, err = h.notifier.TestMail(tx, p.UserID)
		return err
	})
	switch {
	case errors.Is(err, notify.ErrMailsOff):
		return nil, problem(http.StatusConflict, "Mails are off: no mail server is configured. Set mail.smtp in the configuration.")
	case errors.Is(err, notify.ErrNoAddress):
		return nil, problem(http.StatusConflict, "Your account has no proven e-mail address to send it to.")
	case err != nil:
		return nil, err
	}
	err = h.change(ctx, p, func(ch *store.Change) error {
		if err := h.store.Mails.Insert(ch.Tx, m); err != nil {
			return err
		}
		return ch.Record("mail.test", "mail/"+m.ID, map[string]any{"domain": mailDomain(m.To)})
	})
	if err == nil {
		h.notifier.Wake()
	}
	return &one[mailView]{Body: viewMail(m)}, err
}

// mailDomain is what an audit entry says of an address.
func mailDomain(address string) string {
	e, err := profile.ParseEmail(address)
	if err != nil {
		return ""
	}
	return e.Domain()
}

func (h *Handler) retryMail(ctx context.Context, p Principal, in *MailPath) (*one[mailView], error) {
	var saved store.Mail
	err := h.change(ctx, p, func(ch *store.Change) error {
		m, err := h.store.Mails.Get(ch.Tx, in.ID)
		if err != nil {
			return err
		}
		m.Failed, m.NextAt = false, h.now().UTC()
		if err := h.store.Mails.Put(ch.Tx, m); err != nil {
			return err
		}
		saved = m
		return ch.Record("mail.retry", "mail/"+m.ID, map[string]any{"kind": m.Kind, "domain": mailDomain(m.To)})
	})
	if err == nil {
		h.notifier.Wake()
	}
	return &one[mailView]{Body: viewMail(saved)}, err
}

func (h *Handler) deleteMail(ctx context.Context, p Principal, in *MailPath) (*none, error) {
	return nil, h.change(ctx, p, func(ch *store.Change) error {
		m, err := h.store.Mails.Get(ch.Tx, in.ID)
		if err != nil {
			return err
		}
		if err := h.store.Mails.Delete(ch.Tx, in.ID); err != nil {
			return err
		}
		return ch.Record("mail.delete", "mail/"+m.ID, map[string]any{"kind": m.Kind, "domain": mailDomain(m.To)})
	})
}
