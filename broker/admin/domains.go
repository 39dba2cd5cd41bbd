package admin

import (
	"context"
	"net/http"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
)

// domainView is an organization's claim to an e-mail domain.
type domainView struct {
	Name         string    `json:"name" doc:"Canonical form (A-labels)"`
	Organization string    `json:"organization"`
	Revision     int64     `json:"revision"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
	State        string    `json:"state" enum:"pending,verified,asserted"`
	Challenge    string    `json:"challenge,omitempty" doc:"TXT value that proves the claim"`
}

func viewDomain(d store.Domain) domainView {
	return domainView{
		Name: d.Name, Organization: d.OrganizationID, Revision: d.Revision,
		CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt, State: string(d.State), Challenge: d.Challenge,
	}
}

type listDomainsInput struct {
	Paging
	Organization string `query:"organization" maxLength:"63" doc:"Only this organization's"`
}

// DomainPath names a domain of an organization.
type DomainPath struct {
	Organization string `path:"organization" maxLength:"63"`
	Name         string `path:"domain" maxLength:"255"`
}

func (d DomainPath) key() (string, error) {
	name, err := profile.ParseDomain(d.Name)
	if err != nil {
		return "", store.ErrNotFound
	}
	return store.DomainKey(name, d.Organization), nil
}

func (h *Handler) routeDomains(t *table) {
	endpoint(t, Admin, operation{Method: "GET", Path: "/domains", Name: "list-domains", Summary: "List domains", Tag: "domains"},
		func(ctx context.Context, _ Principal, in *listDomainsInput) (*pageOutput[domainView], error) {
			page, err := h.listDomains(ctx, in.Paging, in.Organization)
			return &pageOutput[domainView]{page}, err
		})
	endpoint(t, Admin, operation{Method: "GET", Path: "/organizations/{organization}/domains/{domain}", Name: "get-domain", Summary: "Show a domain", Tag: "domains"},
		func(ctx context.Context, _ Principal, in *DomainPath) (*one[domainView], error) {
			key, err := in.key()
			if err != nil {
				return nil, err
			}
			var d store.Domain
			err = h.store.View(ctx, func(tx store.Tx) (err error) {
				d, err = h.store.Domains.Get(tx, key)
				return err
			})
			return &one[domainView]{etag(d.Revision), viewDomain(d)}, err
		})
	endpoint(t, Admin, operation{Method: "POST", Path: "/organizations/{organization}/domains", Name: "create-domain", Summary: "Claim a domain for an organization", Status: http.StatusCreated, Tag: "domains"}, h.createDomain)
	endpoint(t, Owner, operation{Method: "POST", Path: "/organizations/{organization}/domains/{domain}/assert", Name: "assert-domain", Summary: "Vouch for a claim without DNS proof", Tag: "domains"}, h.assertDomain)
	endpoint(t, Admin, operation{Method: "DELETE", Path: "/organizations/{organization}/domains/{domain}", Name: "delete-domain", Summary: "Give a domain up", Status: http.StatusNoContent, Tag: "domains"}, h.deleteDomain)
}

func (h *Handler) listDomains(ctx context.Context, in Paging, organization string) (Page[domainView], error) {
	read := h.store.Domains.List
	if organization != "" {
		read = func(tx store.Tx, p store.Page) ([]store.Domain, string, error) {
			return h.store.Domains.ByIndex(tx, "organization", organization, p)
		}
	}
	return list(ctx, h, "domains?organization="+organization, in, read, plain(viewDomain))
}

type createDomainInput struct {
	Organization string `path:"organization" maxLength:"63"`
	Body         struct {
		Name     string `json:"name" maxLength:"255" doc:"Any spelling; kept in canonical form"`
		Asserted bool   `json:"asserted,omitempty" doc:"Owners only: vouch for the claim without DNS proof"`
	}
}

// createDomain keeps a claim. Two organizations may hold one domain only when
// an owner asserts it for the second.
func (h *Handler) createDomain(ctx context.Context, p Principal, in *createDomainInput) (*one[domainView], error) {
	name, err := profile.ParseDomain(in.Body.Name)
	if err != nil {
		return nil, fault("name", "is not a domain name such as acme.example")
	}
	if in.Body.Asserted && !Owner.Allows(p, Object{Kind: "domain", OrganizationID: in.Organization}) {
		return nil, errForbidden
	}
	d := store.Domain{Name: name, OrganizationID: in.Organization, State: store.DomainPending, Challenge: "gatehouse-domain=" + store.NewID()}
	if in.Body.Asserted {
		d.State, d.Challenge = store.DomainAsserted, ""
	}
	var saved store.Domain
	err = h.change(ctx, p, func(ch *store.Change) error {
		if _, err := h.store.Organizations.Get(ch.Tx, in.Organization); err != nil {
			return err
		}
		if !in.Body.Asserted {
			holders, _, err := h.store.Domains.ByIndex(ch.Tx, "name", name, store.Page{Limit: 100})
			if err != nil {
				return err
			}
			for _, other := range holders {
				if other.Owned() && other.OrganizationID != in.Organization {
					return problem(http.StatusConflict, "Another organization holds this domain. An owner can assert it for this one too.")
				}
			}
		}
		if err := h.store.Domains.Insert(ch.Tx, d); err != nil {
			return err
		}
		if saved, err = h.store.Domains.Get(ch.Tx, store.DomainKey(name, in.Organization)); err != nil {
			return err
		}
		return ch.Record("domain.create", "domain/"+in.Organization+"/"+name, difference(nil, viewDomain(saved)))
	})
	return &one[domainView]{etag(saved.Revision), viewDomain(saved)}, err
}

type changeDomainInput struct {
	DomainPath
	Precondition
}

func (h *Handler) assertDomain(ctx context.Context, p Principal, in *changeDomainInput) (*one[domainView], error) {
	key, err := in.key()
	if err != nil {
		return nil, err
	}
	var saved store.Domain
	err = h.change(ctx, p, func(ch *store.Change) error {
		before, err := h.store.Domains.Get(ch.Tx, key)
		if err != nil {
			return err
		}
		if err := in.match(before.Meta, nil); err != nil {
			return err
		}
		after := before
		after.State, after.Challenge = store.DomainAsserted, ""
		if err := h.store.Domains.Put(ch.Tx, after); err != nil {
			return err
		}
		if saved, err = h.store.Domains.Get(ch.Tx, key); err != nil {
			return err
		}
		return ch.Record("domain.assert", "domain/"+before.OrganizationID+"/"+before.Name, difference(viewDomain(before), viewDomain(saved)))
	})
	return &one[domainView]{etag(saved.Revision), viewDomain(saved)}, err
}

func (h *Handler) deleteDomain(ctx context.Context, p Principal, in *changeDomainInput) (*none, error) {
	key, err := in.key()
	if err != nil {
		return nil, err
	}
	return nil, h.change(ctx, p, func(ch *store.Change) error {
		before, err := h.store.Domains.Get(ch.Tx, key)
		if err != nil {
			return err
		}
		if err := in.match(before.Meta, nil); err != nil {
			return err
		}
		if err := h.store.Domains.Delete(ch.Tx, key); err != nil {
			return err
		}
		return ch.Record("domain.delete", "domain/"+before.OrganizationID+"/"+before.Name, difference(viewDomain(before), nil))
	})
}
