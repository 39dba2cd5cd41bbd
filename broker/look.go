package broker

import (
	"context"
	"errors"
	"net/http"

	"gatehouse/store"
	"gatehouse/templates"
)

// look is what a request has learned about how its pages should be: the
// languages its app asks for, and whose people it is about. It is filled in on
// the way and read when a page is drawn.
type look struct {
	uiLocales      string
	organizationID string
	loaded         bool // organization is what the store says, perhaps nothing
	organization   store.Organization
}

type lookKey struct{}

// looking gives every request of a handler a look of its own.
func looking(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), lookKey{}, &look{})))
	})
}

func lookOf(ctx context.Context) *look {
	if l, ok := ctx.Value(lookKey{}).(*look); ok {
		return l
	}
	return &look{}
}

// knows tells whose people a request is about. Until then pages show no
// organization: what a domain belongs to is said by routing only.
func knows(ctx context.Context, organizationID string) {
	if l := lookOf(ctx); organizationID != "" && organizationID != l.organizationID {
		l.organizationID, l.loaded, l.organization = organizationID, false, store.Organization{}
	}
}

// knowsFrom tells it of connections that all belong to one organization.
func knowsFrom(ctx context.Context, conns []store.Connection) {
	for _, c := range conns {
		if c.OrganizationID != conns[0].OrganizationID {
			return
		}
	}
	if len(conns) > 0 {
		knows(ctx, conns[0].OrganizationID)
	}
}

// knowsConnection tells it of the connection a login is at.
func (b *Broker) knowsConnection(r *http.Request, id string) {
	_ = b.store.View(r.Context(), func(tx store.Tx) error { // without it the page shows no organization
		c, err := b.store.Connections.Get(tx, id)
		if err == nil {
			knows(r.Context(), c.OrganizationID)
		}
		return err
	})
}

// organizationOf is the organization that the request is about; the zero value
// when it is about none, or about one that is off or gone.
func (b *Broker) organizationOf(r *http.Request) store.Organization {
	l := lookOf(r.Context())
	if l.organizationID == "" || l.loaded {
		return l.organization
	}
	err := b.store.View(r.Context(), func(tx store.Tx) error {
		o, err := b.store.Organizations.Get(tx, l.organizationID)
		if err == nil && !o.Disabled {
			l.organization = o
		}
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		b.logger.WarnContext(r.Context(), "organization not read; the page shows none", "cause", err.Error(), "request_id", requestID(r))
	}
	l.loaded = true
	return l.organization
}

// languageOf is the language the person reads, of templates.Languages.
func (b *Broker) languageOf(r *http.Request) string {
	return templates.Wish{
		UILocales: lookOf(r.Context()).uiLocales, Accept: r.Header.Get("Accept-Language"), Offered: b.organizationOf(r).Languages,
	}.Language()
}

// in gives the pages in the person's language and in the look of the
// organization that the request is about.
func (b *Broker) in(r *http.Request) *templates.Templates {
	o := b.organizationOf(r)
	pages := b.templates.In(b.languageOf(r))
	if o.ID == "" {
		return pages
	}
	return pages.With(templates.Brand{
		Organization: o.Title, LogoURL: o.Brand.Logo, Accent: o.Brand.Accent,
		PrivacyURL: o.Links.Privacy, HelpURL: o.Links.Help, RequestURL: o.Links.RequestAccess, Contact: o.Contact,
	})
}

// ownText is the organization's wording of a page in the person's language,
// else in the organization's first; what is empty keeps ours.
func (b *Broker) ownText(r *http.Request, key string) templates.OwnText {
	o := b.organizationOf(r)
	return ownTextOf(o, key, b.languageOf(r))
}

func ownTextOf(o store.Organization, key, language string) templates.OwnText {
	for _, t := range o.Texts {
		if t.Key == key && t.Language == language {
			return templates.OwnText{Title: t.Title, Sentence: t.Sentence, Next: t.Next, Contact: t.Contact}
		}
	}
	return templates.OwnText{}
}

// textOf is the key of an organization's wording for a kind of error page; ""
// when it has none.
func textOf(kind templates.ErrorKind) string {
	switch kind {
	case templates.ErrorNotAdmitted:
		return store.TextNotAdmitted
	case templates.ErrorAppMissing:
		return store.TextAppMissing
	case templates.ErrorRequestExpired:
		return store.TextExpired
	}
	return ""
}
