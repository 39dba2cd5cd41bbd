package admin

import (
	"context"
	"net/http"
	"time"

	"gatehouse/store"
)

// organizationView is an organization as the API shows it.
type organizationView struct {
	ID               string    `json:"id"`
	Revision         int64     `json:"revision"`
	CreatedAt        time.Time `json:"created_at"`
	UpdatedAt        time.Time `json:"updated_at"`
	Title            string    `json:"title"`
	Disabled         bool      `json:"disabled"`
	Join             string    `json:"join" enum:"off,request,automatic"`
	JoinActor        string    `json:"join_actor,omitempty" doc:"Who switched join on"`
	AutomaticGroups  []string  `json:"automatic_groups"`
	AutomaticClients []string  `json:"automatic_clients"`
	Contact          string    `json:"contact"`
}

func viewOrganization(o store.Organization) organizationView {
	return organizationView{
		ID: o.ID, Revision: o.Revision, CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt,
		Title: o.Title, Disabled: o.Disabled, Join: string(o.Join), JoinActor: o.JoinActor,
		AutomaticGroups: listed(o.AutomaticGroups), AutomaticClients: listed(o.AutomaticClients), Contact: o.Contact,
	}
}

// OrganizationFields are what people may set; absent fields stay.
type OrganizationFields struct {
	Title            *string  `json:"title,omitempty" maxLength:"200"`
	Disabled         *bool    `json:"disabled,omitempty"`
	Join             *string  `json:"join,omitempty" enum:"off,request,automatic" doc:"What happens to newcomers"`
	AutomaticGroups  []string `json:"automatic_groups,omitempty" maxItems:"100"`
	AutomaticClients []string `json:"automatic_clients,omitempty" maxItems:"100"`
	Contact          *string  `json:"contact,omitempty" maxLength:"500"`
}

func (f OrganizationFields) apply(o *store.Organization, actor string) {
	set(&o.Title, f.Title)
	set(&o.Disabled, f.Disabled)
	set(&o.Contact, f.Contact)
	setList(&o.AutomaticGroups, f.AutomaticGroups)
	setList(&o.AutomaticClients, f.AutomaticClients)
	if f.Join != nil && store.JoinPolicy(*f.Join) != o.Join {
		o.Join, o.JoinActor = store.JoinPolicy(*f.Join), ""
		if o.Join != store.JoinOff {
			o.JoinActor = actor
		}
	}
}

func validateOrganization(o *store.Organization) error {
	var f faults
	f.slug("id", o.ID)
	f.text("title", o.Title, 200, true)
	f.text("contact", o.Contact, 500, false)
	switch o.Join {
	case store.JoinOff, store.JoinRequest, store.JoinAutomatic:
	default:
		f.add("join", "must be off, request or automatic")
	}
	for _, g := range o.AutomaticGroups {
		f.text("automatic_groups", g, 100, true)
	}
	return f.join()
}

// OrganizationPath is exported because huma skips unexported embedded structs.
type OrganizationPath struct {
	ID string `path:"organization" maxLength:"63"`
}

func (h *Handler) routeOrganizations(t *table) {
	endpoint(t, Admin, operation{Method: "GET", Path: "/organizations", Name: "list-organizations", Summary: "List organizations", Tag: "organizations"},
		func(ctx context.Context, _ Principal, in *Paging) (*pageOutput[organizationView], error) {
			page, err := list(ctx, h, "organizations", *in, h.store.Organizations.List, plain(viewOrganization))
			return &pageOutput[organizationView]{page}, err
		})
	endpoint(t, Admin, operation{Method: "GET", Path: "/organizations/{organization}", Name: "get-organization", Summary: "Show an organization", Tag: "organizations"},
		func(ctx context.Context, _ Principal, in *OrganizationPath) (*one[organizationView], error) {
			var o store.Organization
			err := h.store.View(ctx, func(tx store.Tx) (err error) {
				o, err = h.store.Organizations.Get(tx, in.ID)
				return err
			})
			return &one[organizationView]{etag(o.Revision), viewOrganization(o)}, err
		})
	endpoint(t, Admin, operation{Method: "POST", Path: "/organizations", Name: "create-organization", Summary: "Add an organization", Status: http.StatusCreated, Tag: "organizations"}, h.createOrganization)
	endpoint(t, Admin, operation{Method: "PATCH", Path: "/organizations/{organization}", Name: "update-organization", Summary: "Change an organization", Tag: "organizations"}, h.updateOrganization)
	endpoint(t, Owner, operation{Method: "DELETE", Path: "/organizations/{organization}", Name: "delete-organization", Summary: "Remove an organization that nothing belongs to", Status: http.StatusNoContent, Tag: "organizations"}, h.deleteOrganization)
}

type createOrganizationInput struct{ Body createOrganizationBody }

type createOrganizationBody struct {
	ID string `json:"id" maxLength:"63" doc:"Slug, chosen once and never given out again"`
	OrganizationFields
}

func (h *Handler) createOrganization(ctx context.Context, p Principal, in *createOrganizationInput) (*one[organizationView], error) {
	o := store.Organization{ID: in.Body.ID, Join: store.JoinOff}
	in.Body.apply(&o, p.UserID)
	if err := validateOrganization(&o); err != nil {
		return nil, err
	}
	var saved store.Organization
	err := h.change(ctx, p, func(ch *store.Change) error {
		if err := h.clientsExist(ch.Tx, "automatic_clients", o.AutomaticClients); err != nil {
			return err
		}
		if err := h.store.Organizations.Insert(ch.Tx, o); err != nil {
			return err
		}
		var err error
		if saved, err = h.store.Organizations.Get(ch.Tx, o.ID); err != nil {
			return err
		}
		return ch.Record("organization.create", "organization/"+o.ID, difference(nil, viewOrganization(saved)))
	})
	return &one[organizationView]{etag(saved.Revision), viewOrganization(saved)}, err
}

type updateOrganizationInput struct {
	OrganizationPath
	Precondition
	Body updateOrganizationBody
}

type updateOrganizationBody struct {
	Revision *int64 `json:"revision,omitempty" doc:"As read; 409 when it is no longer the stored one"`
	OrganizationFields
}

func (h *Handler) updateOrganization(ctx context.Context, p Principal, in *updateOrganizationInput) (*one[organizationView], error) {
	var saved store.Organization
	err := h.change(ctx, p, func(ch *store.Change) error {
		before, err := h.store.Organizations.Get(ch.Tx, in.ID)
		if err != nil {
			return err
		}
		if err := in.match(before.Meta, in.Body.Revision); err != nil {
			return err
		}
		after := before
		in.Body.apply(&after, p.UserID)
		if err := validateOrganization(&after); err != nil {
			return err
		}
		if err := h.clientsExist(ch.Tx, "automatic_clients", in.Body.AutomaticClients); err != nil {
			return err
		}
		if err := h.store.Organizations.Put(ch.Tx, after); err != nil {
			return err
		}
		if saved, err = h.store.Organizations.Get(ch.Tx, in.ID); err != nil {
			return err
		}
		return ch.Record("organization.update", "organization/"+in.ID, difference(viewOrganization(before), viewOrganization(saved)))
	})
	return &one[organizationView]{etag(saved.Revision), viewOrganization(saved)}, err
}

type deleteOrganizationInput struct {
	OrganizationPath
	Precondition
}

func (h *Handler) deleteOrganization(ctx context.Context, p Principal, in *deleteOrganizationInput) (*none, error) {
	return nil, h.change(ctx, p, func(ch *store.Change) error {
		before, err := h.store.Organizations.Get(ch.Tx, in.ID)
		if err != nil {
			return err
		}
		if err := in.match(before.Meta, nil); err != nil {
			return err
		}
		one := store.Page{Limit: 1}
		connections, _, err1 := h.store.Connections.ByIndex(ch.Tx, "organization", in.ID, one)
		domains, _, err2 := h.store.Domains.ByIndex(ch.Tx, "organization", in.ID, one)
		members, _, err3 := h.store.Memberships.ByIndex(ch.Tx, "organization", in.ID, one)
		for _, err := range []error{err1, err2, err3} {
			if err != nil {
				return err
			}
		}
		if len(connections)+len(domains)+len(members) > 0 {
			return errInUse
		}
		if err := h.store.Organizations.Delete(ch.Tx, in.ID); err != nil {
			return err
		}
		return ch.Record("organization.delete", "organization/"+in.ID, difference(viewOrganization(before), nil))
	})
}

// clientsExist refuses references to clients that are not there.
func (h *Handler) clientsExist(tx store.Tx, path string, ids []string) error {
	return exist(tx, path, ids, "client", h.store.Clients)
}

func exist[T any](tx store.Tx, path string, ids []string, kind string, c *store.Collection[T]) error {
	var f faults
	for i, id := range ids {
		if ok, err := has(tx, c, id); err != nil {
			return err
		} else if !ok {
			f.add(indexed(path, i), "names a %s that does not exist", kind)
		}
	}
	return f.join()
}
