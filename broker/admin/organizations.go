package admin

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"gatehouse/store"
)

// organizationView is an organization as the API shows it.
type organizationView struct {
	ID               string                `json:"id"`
	Revision         int64                 `json:"revision"`
	CreatedAt        time.Time             `json:"created_at"`
	UpdatedAt        time.Time             `json:"updated_at"`
	Title            string                `json:"title"`
	Disabled         bool                  `json:"disabled"`
	SignInOff        bool                  `json:"sign_in_off" doc:"Nobody signs in through its connections"`
	Join             string                `json:"join" enum:"off,request,automatic"`
	JoinActor        string                `json:"join_actor,omitempty" doc:"In whose name newcomers are made"`
	DefaultRole      string                `json:"default_role" enum:"owner,admin,user"`
	AutomaticGroups  []string              `json:"automatic_groups"`
	AutomaticClients []string              `json:"automatic_clients"`
	Rules            []store.AdmissionRule `json:"rules" doc:"Decide about newcomers before join does, in their order"`
	Approvers        []string              `json:"approvers" doc:"User ids told of access requests; none: every admin and owner"`
	RequestDays      int                   `json:"request_days" doc:"How long a request waits; 0 is the server's default"`
	AppRequests      bool                  `json:"app_requests" doc:"People may ask for apps that require assignment"`
	Contact          string                `json:"contact"`
	Brand            store.Brand           `json:"brand"`
	Links            store.Links           `json:"links"`
	Languages        []string              `json:"languages"`
	Texts            []store.Text          `json:"texts" doc:"Own sentences on pages, by key and language"`
}

func viewOrganization(o store.Organization) organizationView {
	return organizationView{
		ID: o.ID, Revision: o.Revision, CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt,
		Title: o.Title, Disabled: o.Disabled, SignInOff: o.SignInOff, Join: string(o.Join), JoinActor: o.JoinActor,
		DefaultRole: cmp.Or(o.DefaultRole, store.RoleUser), AutomaticGroups: listed(o.AutomaticGroups), AutomaticClients: listed(o.AutomaticClients),
		Rules: append([]store.AdmissionRule{}, o.Rules...), Approvers: listed(o.Approvers), RequestDays: o.RequestDays, AppRequests: o.AppRequests,
		Contact: o.Contact, Brand: o.Brand, Links: o.Links, Languages: listed(o.Languages), Texts: append([]store.Text{}, o.Texts...),
	}
}

// OrganizationFields are what people may set; absent fields stay. A list that
// is there replaces the whole list.
type OrganizationFields struct {
	Title            *string               `json:"title,omitempty" maxLength:"200"`
	Disabled         *bool                 `json:"disabled,omitempty" doc:"Nobody of the organization gets in"`
	SignInOff        *bool                 `json:"sign_in_off,omitempty" doc:"Nobody signs in through its connections"`
	Join             *string               `json:"join,omitempty" enum:"off,request,automatic" doc:"What happens to newcomers"`
	JoinActor        *string               `json:"join_actor,omitempty" maxLength:"128" doc:"Admin in whose name newcomers are made; whoever switches join on, unless named"`
	DefaultRole      *string               `json:"default_role,omitempty" enum:"owner,admin,user" doc:"Of newcomers; above user: owners only"`
	AutomaticGroups  []string              `json:"automatic_groups,omitempty" maxItems:"100"`
	AutomaticClients []string              `json:"automatic_clients,omitempty" maxItems:"100"`
	Rules            []store.AdmissionRule `json:"rules,omitempty" maxItems:"100" doc:"Decide about newcomers before join does; a role above user: owners only"`
	Approvers        []string              `json:"approvers,omitempty" maxItems:"50" doc:"User ids told of access requests; none: every admin and owner"`
	RequestDays      *int                  `json:"request_days,omitempty" doc:"How long a request waits, 1 to 90; 0 is the server's default"`
	AppRequests      *bool                 `json:"app_requests,omitempty" doc:"People may ask for apps that require assignment"`
	Contact          *string               `json:"contact,omitempty" maxLength:"500" doc:"Whom to ask; shown on pages"`
	Brand            *store.Brand          `json:"brand,omitempty" doc:"Logo (https) and accent (#rrggbb) of its pages"`
	Links            *store.Links          `json:"links,omitempty" doc:"Shown before sign-in; https or mailto"`
	Languages        []string              `json:"languages,omitempty" maxItems:"10" doc:"Of its people, the first is the default"`
	Texts            []store.Text          `json:"texts,omitempty" maxItems:"50" doc:"Own sentences on pages, by key and language"`
}

func (f OrganizationFields) apply(o *store.Organization, actor string) {
	set(&o.Title, f.Title)
	set(&o.Disabled, f.Disabled)
	set(&o.SignInOff, f.SignInOff)
	set(&o.DefaultRole, f.DefaultRole)
	set(&o.RequestDays, f.RequestDays)
	set(&o.AppRequests, f.AppRequests)
	set(&o.Contact, f.Contact)
	set(&o.Brand, f.Brand)
	set(&o.Links, f.Links)
	setList(&o.AutomaticGroups, f.AutomaticGroups)
	setList(&o.AutomaticClients, f.AutomaticClients)
	setList(&o.Rules, f.Rules)
	setList(&o.Approvers, f.Approvers)
	setList(&o.Languages, f.Languages)
	setList(&o.Texts, f.Texts)
	if o.DefaultRole == store.RoleUser {
		o.DefaultRole = ""
	}
	if f.Join != nil && store.JoinPolicy(*f.Join) != o.Join {
		o.Join, o.JoinActor = store.JoinPolicy(*f.Join), ""
		if o.Join != store.JoinOff {
			o.JoinActor = actor
		}
	}
	set(&o.JoinActor, f.JoinActor)
}

// OrganizationPath is exported because huma skips unexported embedded structs.
type OrganizationPath struct {
	ID string `path:"organization" maxLength:"63"`
}

func (h *Handler) routeOrganizations(t *table) {
	endpoint(t, Admin, operation{Method: "GET", Path: "/organizations", In: anywhere, Name: "list-organizations", Summary: "List organizations", Tag: "organizations"},
		func(ctx context.Context, _ Principal, in *Paging) (*pageOutput[organizationView], error) {
			page, err := h.listOrganizations(ctx, *in)
			return &pageOutput[organizationView]{page}, err
		})
	endpoint(t, Admin, operation{Method: "GET", Path: "/organizations/{organization}", In: inOrganization, Name: "get-organization", Summary: "Show an organization", Tag: "organizations"},
		func(ctx context.Context, _ Principal, in *OrganizationPath) (*one[organizationView], error) {
			var o store.Organization
			err := h.store.View(ctx, func(tx store.Tx) (err error) {
				o, err = h.store.Organizations.Get(tx, in.ID)
				return err
			})
			return &one[organizationView]{etag(o.Revision), viewOrganization(o)}, err
		})
	endpoint(t, Admin, operation{Method: "POST", Path: "/organizations", Name: "create-organization", Summary: "Add an organization", Status: http.StatusCreated, Tag: "organizations"}, h.createOrganization)
	endpoint(t, Admin, operation{Method: "PATCH", Path: "/organizations/{organization}", In: inOrganization, Name: "update-organization", Summary: "Change an organization", Tag: "organizations"}, h.updateOrganization)
	endpoint(t, Owner, operation{Method: "DELETE", Path: "/organizations/{organization}", In: inOrganization, Name: "delete-organization", Dangerous: true, Summary: "Remove an organization that nothing belongs to", Status: http.StatusNoContent, Tag: "organizations"}, h.deleteOrganization)
}

func (h *Handler) listOrganizations(ctx context.Context, in Paging) (Page[organizationView], error) {
	return listOf(ctx, h, in, listing[store.Organization]{
		name: "organizations", all: h.store.Organizations.List,
		of: func(tx store.Tx, organization string, _ store.Page) ([]store.Organization, string, error) {
			o, err := h.store.Organizations.Get(tx, organization)
			if errors.Is(err, store.ErrNotFound) {
				return nil, "", nil
			}
			return []store.Organization{o}, "", err
		},
	}, plain(viewOrganization))
}

type createOrganizationInput struct{ Body createOrganizationBody }

type createOrganizationBody struct {
	ID string `json:"id" maxLength:"63" doc:"Slug, chosen once and never given out again"`
	OrganizationFields
}

func (h *Handler) createOrganization(ctx context.Context, p Principal, in *createOrganizationInput) (*one[organizationView], error) {
	o := store.Organization{ID: in.Body.ID, Join: store.JoinOff}
	in.Body.apply(&o, p.UserID)
	var saved store.Organization
	err := h.change(ctx, p, func(ch *store.Change) error {
		if err := h.checkOrganization(ch.Tx, p, store.Organization{}, o); err != nil {
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
		if err := h.checkOrganization(ch.Tx, p, before, after); err != nil {
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

// exist refuses references to what is not there.
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
