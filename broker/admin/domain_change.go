package admin

import (
	"context"
	"errors"
	"net/http"

	"gatehouse/provisioning/ownership"
	"gatehouse/store"
)

// checkDomain looks for the record of a claim now. DNS is asked before the
// change; what it said counts only if the claim is still the one it was asked
// for.
func (h *Handler) checkDomain(ctx context.Context, p Principal, in *DomainPath) (*one[domainView], error) {
	key, err := in.key()
	if err != nil {
		return nil, err
	}
	var d store.Domain
	err = h.store.View(ctx, func(tx store.Tx) (err error) {
		d, err = h.store.Domains.Get(tx, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	if d.State == store.DomainAsserted {
		return nil, problem(http.StatusConflict, "This domain is asserted: it needs no record, and DNS is not asked.")
	}
	answer := h.ownership.Ask(ctx, d)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var before, saved store.Domain
	err = h.change(ctx, p, func(ch *store.Change) (err error) {
		if before, saved, err = h.ownership.Apply(ch.Tx, key, answer); err != nil {
			return err
		}
		return ch.Record("domain.check", "domain/"+saved.OrganizationID+"/"+saved.Name, difference(h.viewDomain(before), h.viewDomain(saved)))
	})
	if errors.Is(err, ownership.ErrOutdated) {
		return nil, store.ErrStale
	}
	return &one[domainView]{etag(saved.Revision), h.viewDomain(saved)}, err
}

// DomainFields are what people may set; absent fields stay.
type DomainFields struct {
	Join      *string  `json:"join,omitempty" maxLength:"20" doc:"off, request or automatic; empty takes the connection's or the organization's"`
	Approvers []string `json:"approvers,omitempty" maxItems:"50" doc:"User ids told of its access requests; none: the organization's"`
}

type updateDomainInput struct {
	DomainPath
	Precondition
	Body struct {
		Revision *int64 `json:"revision,omitempty" doc:"As read; 409 when it is no longer the stored one"`
		DomainFields
	}
}

func (h *Handler) updateDomain(ctx context.Context, p Principal, in *updateDomainInput) (*one[domainView], error) {
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
		if err := in.match(before.Meta, in.Body.Revision); err != nil {
			return err
		}
		after := before
		if in.Body.Join != nil {
			after.Join = store.JoinPolicy(*in.Body.Join)
		}
		setList(&after.Approvers, in.Body.Approvers)
		var f faults
		if after.Join != "" {
			f.joinPolicy("join", after.Join)
		}
		approvers, err := h.approversExist(ch.Tx, before.OrganizationID, in.Body.Approvers)
		if err != nil {
			return err
		}
		f = append(f, approvers...)
		if err := f.join(); err != nil {
			return err
		}
		if err := h.store.Domains.Put(ch.Tx, after); err != nil {
			return err
		}
		if saved, err = h.store.Domains.Get(ch.Tx, key); err != nil {
			return err
		}
		return ch.Record("domain.update", "domain/"+before.OrganizationID+"/"+before.Name, difference(h.viewDomain(before), h.viewDomain(saved)))
	})
	return &one[domainView]{etag(saved.Revision), h.viewDomain(saved)}, err
}

func (f *faults) joinPolicy(path string, v store.JoinPolicy) {
	switch v {
	case store.JoinOff, store.JoinRequest, store.JoinAutomatic:
	default:
		f.add(path, "must be off, request or automatic")
	}
}

// approversExist finds approvers who are nobody of the organization, and nobody
// of the platform's: they would be told of people they may not decide about.
func (h *Handler) approversExist(tx store.Tx, organization string, ids []string) (f faults, err error) {
	for i, id := range ids {
		if len(id) > 128 {
			f.add(indexed("approvers", i), "is not a user id")
			continue
		}
		member, err := has(tx, h.store.Memberships, store.MembershipKey(organization, id))
		if err != nil {
			return nil, err
		}
		if member {
			continue
		}
		u, err := h.store.Users.Get(tx, id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		if u.PlatformRole == "" {
			f.add(indexed("approvers", i), "is nobody of this organization")
		}
	}
	return f, nil
}
