package admin

import (
	"context"
	"net/http"
	"time"

	"gatehouse/profile"
	"gatehouse/provisioning/ownership"
	"gatehouse/store"
)

// domainView is an organization's claim to an e-mail domain.
type domainView struct {
	Name         string     `json:"name" doc:"Canonical form (A-labels)"`
	Organization string     `json:"organization"`
	Revision     int64      `json:"revision"`
	CreatedAt    time.Time  `json:"created_at"`
	UpdatedAt    time.Time  `json:"updated_at"`
	State        string     `json:"state" enum:"pending,verified,asserted,lapsed"`
	RecordName   string     `json:"record_name,omitempty" doc:"Where the TXT record belongs; at the domain itself it counts too"`
	Challenge    string     `json:"challenge,omitempty" doc:"TXT value that proves the claim; it stays there for good"`
	VerifiedAt   *time.Time `json:"verified_at,omitempty" doc:"When the record was seen last"`
	CheckedAt    *time.Time `json:"checked_at,omitempty" doc:"When DNS was asked last"`
	MissingSince *time.Time `json:"missing_since,omitempty" doc:"Since when a proven record is gone"`
	LapsesAt     *time.Time `json:"lapses_at,omitempty" doc:"When the claim lapses unless the record returns"`
	CheckError   string     `json:"check_error,omitempty" doc:"Why the last look proved nothing"`
	Join         string     `json:"join,omitempty" doc:"Own policy for newcomers; absent: the connection's or the organization's"`
	Approvers    []string   `json:"approvers" doc:"User ids told of its access requests; none: the organization's"`
}

func (h *Handler) viewDomain(d store.Domain) domainView {
	v := domainView{
		Name: d.Name, Organization: d.OrganizationID, Revision: d.Revision, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
		State: string(d.State), Challenge: d.Challenge, VerifiedAt: moment(d.VerifiedAt), CheckedAt: moment(d.CheckedAt),
		MissingSince: moment(d.MissingSince), CheckError: d.CheckError, Join: string(d.Join), Approvers: listed(d.Approvers),
	}
	if d.Challenge != "" {
		v.RecordName = ownership.RecordName(d.Name)
	}
	if d.State == store.DomainVerified && !d.MissingSince.IsZero() {
		v.LapsesAt = moment(d.MissingSince.Add(h.ownership.Grace()))
	}
	return v
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
	endpoint(t, Admin, operation{Method: "GET", Path: "/domains", In: anywhere, Name: "list-domains", Summary: "List domains", Tag: "domains"},
		func(ctx context.Context, _ Principal, in *listDomainsInput) (*pageOutput[domainView], error) {
			page, err := h.listDomains(ctx, in.Paging, in.Organization)
			return &pageOutput[domainView]{page}, err
		})
	endpoint(t, Admin, operation{Method: "GET", Path: "/organizations/{organization}/domains/{domain}", In: inOrganization, Name: "get-domain", Summary: "Show a domain", Tag: "domains"},
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
			return &one[domainView]{etag(d.Revision), h.viewDomain(d)}, err
		})
	endpoint(t, Admin, operation{Method: "POST", Path: "/organizations/{organization}/domains", In: inOrganization, Name: "create-domain", Summary: "Claim a domain for an organization", Status: http.StatusCreated, Tag: "domains"}, h.createDomain)
	endpoint(t, Owner, operation{Method: "POST", Path: "/organizations/{organization}/domains/{domain}/assert", Name: "assert-domain", Dangerous: true, Summary: "Vouch for a claim without DNS proof", Tag: "domains"}, h.assertDomain)
	endpoint(t, Admin, operation{Method: "POST", Path: "/organizations/{organization}/domains/{domain}/check", In: inOrganization, Name: "check-domain", Summary: "Look for the TXT record now", Tag: "domains"}, h.checkDomain)
	endpoint(t, Admin, operation{Method: "PATCH", Path: "/organizations/{organization}/domains/{domain}", In: inOrganization, Name: "update-domain", Summary: "Change what holds for newcomers of a domain", Tag: "domains"}, h.updateDomain)
	endpoint(t, Admin, operation{Method: "DELETE", Path: "/organizations/{organization}/domains/{domain}", In: inOrganization, Name: "delete-domain", Summary: "Give a domain up", Status: http.StatusNoContent, Tag: "domains"}, h.deleteDomain)
}

func (h *Handler) listDomains(ctx context.Context, in Paging, organization string) (Page[domainView], error) {
	return listOf(ctx, h, in, listing[store.Domain]{
		name: "domains", all: h.store.Domains.List, organization: organization,
		of: func(tx store.Tx, organization string, p store.Page) ([]store.Domain, string, error) {
			return h.store.Domains.ByIndex(tx, "organization", organization, p)
		},
	}, plain(h.viewDomain))
}

type createDomainInput struct {
	Organization string `path:"organization" maxLength:"63"`
	Body         struct {
		Name     string `json:"name" maxLength:"255" doc:"Any spelling; kept in canonical form"`
		Asserted bool   `json:"asserted,omitempty" doc:"Owners of the platform only: vouch for the claim without DNS proof"`
	}
}

// createDomain keeps a claim. Two organizations may hold one domain only when
// an owner asserts it for the second.
func (h *Handler) createDomain(ctx context.Context, p Principal, in *createDomainInput) (*one[domainView], error) {
	name, err := profile.ParseDomain(in.Body.Name)
	if err != nil {
		return nil, fault("name", "is not a domain name such as acme.example")
	}
	if in.Body.Asserted && !Owner.Allows(p, Object{}) {
		return nil, errForbidden
	}
	d := store.Domain{Name: name, OrganizationID: in.Organization, State: store.DomainPending, Challenge: ownership.NewChallenge()}
	if in.Body.Asserted {
		d.State, d.Challenge = store.DomainAsserted, ""
	} else if problem := ownership.Provable(name); problem != "" {
		return nil, fault("name", "%s: claim a domain of the company's own", problem)
	}
	var saved store.Domain
	err = h.change(ctx, p, func(ch *store.Change) error {
		if _, err := h.store.Organizations.Get(ch.Tx, in.Organization); err != nil {
			return err
		}
		if !in.Body.Asserted {
			taken, err := ownership.Taken(ch.Tx, h.store, name, in.Organization)
			if err != nil {
				return err
			}
			if taken {
				return problem(http.StatusConflict, "Another organization holds this domain. An owner of the platform can assert it for this one too.")
			}
		}
		if err := h.store.Domains.Insert(ch.Tx, d); err != nil {
			return err
		}
		if saved, err = h.store.Domains.Get(ch.Tx, store.DomainKey(name, in.Organization)); err != nil {
			return err
		}
		return ch.Record("domain.create", "domain/"+in.Organization+"/"+name, difference(nil, h.viewDomain(saved)))
	})
	return &one[domainView]{etag(saved.Revision), h.viewDomain(saved)}, err
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
		after.State, after.Challenge, after.CheckError, after.MissingSince = store.DomainAsserted, "", "", time.Time{}
		if err := h.store.Domains.Put(ch.Tx, after); err != nil {
			return err
		}
		if saved, err = h.store.Domains.Get(ch.Tx, key); err != nil {
			return err
		}
		return ch.Record("domain.assert", "domain/"+before.OrganizationID+"/"+before.Name, difference(h.viewDomain(before), h.viewDomain(saved)))
	})
	return &one[domainView]{etag(saved.Revision), h.viewDomain(saved)}, err
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
		return ch.Record("domain.delete", "domain/"+before.OrganizationID+"/"+before.Name, difference(h.viewDomain(before), nil))
	})
}
