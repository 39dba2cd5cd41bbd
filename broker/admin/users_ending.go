package admin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"

	"gatehouse/store"
)

// identityID names an identity in the API: the tuple it is found by, hashed.
func identityID(i store.Identity) string {
	sum := sha256.Sum256([]byte(store.IdentityKey(i.ConnectionID, i.Issuer, i.Subject)))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// mayTouchUser: nobody acts on a person as a whole who is above them, on the
// platform or in an organization (B6).
func (h *Handler) mayTouchUser(tx store.Tx, p Principal, u store.User) error {
	if rank(u.PlatformRole) > rank(p.Role) {
		return errForbidden
	}
	for m, err := range h.store.Memberships.AllByIndex(tx, "user", u.ID) {
		if err != nil {
			return err
		}
		if !p.mayTouch(m.Role, m.OrganizationID) {
			return errForbidden
		}
	}
	return nil
}

// disabled ends what a person has open, and tells. The last owner of an
// organization is disabled by the platform's owners only: a stolen account has to
// be stopped, and they can make another owner.
func (h *Handler) disabled(tx store.Tx, p Principal, u *store.User) error {
	if err := h.endUser(tx, u.ID, "user_disabled"); err != nil {
		return err
	}
	if !Owner.Allows(p, Object{}) {
		owned, err := h.provisioner.OwnedBy(tx, u.ID)
		if err != nil {
			return err
		}
		for _, organization := range owned {
			if err := h.provisioner.OtherOwner(tx, organization, u.ID); err != nil {
				return err
			}
		}
	}
	return h.tellDisabled(tx, u.ID, "disabled")
}

// tellDisabled tells each organization of the person.
func (h *Handler) tellDisabled(tx store.Tx, id, how string) error {
	told := false
	for m, err := range h.store.Memberships.AllByIndex(tx, "user", id) {
		if err != nil {
			return err
		}
		told = true
		if err := h.store.Tell(tx, store.Event{Kind: store.EventDisabled, OrganizationID: m.OrganizationID, Subject: id, Detail: map[string]string{"how": how}}); err != nil {
			return err
		}
	}
	if told {
		return nil
	}
	return h.store.Tell(tx, store.Event{Kind: store.EventDisabled, Subject: id, Detail: map[string]string{"how": how}})
}

// removeUser deletes a person and everything of theirs, in one update. The
// tombstone keeps the id from ever coming back (N8).
func (h *Handler) removeUser(ctx context.Context, p Principal, in *userChangeInput) (*none, error) {
	return nil, h.change(ctx, p, func(ch *store.Change) error {
		u, err := h.store.Users.Get(ch.Tx, in.ID)
		if err != nil {
			return err
		}
		if err := in.match(u.Meta, nil); err != nil {
			return err
		}
		if err := h.mayTouchUser(ch.Tx, p, u); err != nil {
			return err
		}
		if err := h.tellDisabled(ch.Tx, in.ID, "removed"); err != nil {
			return err
		}
		if err := h.endUser(ch.Tx, in.ID, "user_removed"); err != nil {
			return err
		}
		if err := h.accounts.Remove(ch.Tx, in.ID); err != nil {
			return err
		}
		if err := h.provisioner.RemoveUser(ch.Tx, in.ID); err != nil {
			return err
		}
		if u.PlatformRole == store.RoleOwner {
			if err := h.ownerStays(ch.Tx); err != nil {
				return err
			}
		}
		return ch.Record("user.remove", "user/"+in.ID, map[string]any{"status": u.Status, "platform_role": u.PlatformRole})
	})
}

type unlinkInput struct {
	UserPath
	Precondition
	Body struct {
		Identity string `json:"identity" maxLength:"64" doc:"The id of one of the user's identities"`
	}
}

// unlinkIdentity takes a way to sign in away; linking is the person's to do, or
// part of deciding an access request.
func (h *Handler) unlinkIdentity(ctx context.Context, p Principal, in *unlinkInput) (*none, error) {
	return nil, h.change(ctx, p, func(ch *store.Change) error {
		u, err := h.store.Users.Get(ch.Tx, in.ID)
		if err != nil {
			return err
		}
		if err := in.match(u.Meta, nil); err != nil {
			return err
		}
		if err := h.mayTouchUser(ch.Tx, p, u); err != nil {
			return err
		}
		for i, err := range h.store.Identities.AllByIndex(ch.Tx, "user", in.ID) {
			if err != nil {
				return err
			}
			if identityID(i) == in.Body.Identity {
				if err := h.provisioner.Unlink(ch.Tx, in.ID, store.IdentityKey(i.ConnectionID, i.Issuer, i.Subject), ch.Actor); err != nil {
					return err
				}
				return ch.Record("user.unlink", "user/"+in.ID, map[string]any{"connection": i.ConnectionID})
			}
		}
		return store.ErrNotFound
	})
}
