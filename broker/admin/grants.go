package admin

import (
	"context"
	"net/http"
	"time"

	"gatehouse/store"
)

// grantView is what one user gave one client on one device.
type grantView struct {
	ID           string     `json:"id"`
	User         string     `json:"user"`
	Client       string     `json:"client"`
	Connection   string     `json:"connection"`
	Organization string     `json:"organization,omitempty"`
	Session      string     `json:"session,omitempty" doc:"The sid claim"`
	Scopes       []string   `json:"scopes"`
	CreatedAt    time.Time  `json:"created_at"`
	ExpiresAt    time.Time  `json:"expires_at"`
	LastUsedAt   *time.Time `json:"last_used_at,omitempty" doc:"When its tokens were last refreshed"`
	EndedAt      *time.Time `json:"ended_at,omitempty"`
	EndReason    string     `json:"end_reason,omitempty"`
	Live         bool       `json:"live"`
}

func (h *Handler) viewGrant(g store.Grant) grantView {
	return grantView{
		ID: g.ID, User: g.UserID, Client: g.ClientID, Connection: g.ConnectionID, Organization: g.OrganizationID,
		Session: g.SID, Scopes: listed(g.Scopes), CreatedAt: g.CreatedAt, ExpiresAt: g.ExpiresAt,
		LastUsedAt: moment(g.RotatedAt), EndedAt: moment(g.EndedAt), EndReason: g.EndReason, Live: g.Live(h.now()),
	}
}

type listGrantsInput struct {
	Paging
	User string `query:"user" maxLength:"64" doc:"Only this user's"`
}

// GrantPath names a grant.
type GrantPath struct {
	ID string `path:"grant" maxLength:"64"`
}

func (h *Handler) routeGrants(t *table) {
	endpoint(t, Admin, operation{Method: "GET", Path: "/grants", In: anywhere, Name: "list-grants", Summary: "List grants", Tag: "grants"},
		func(ctx context.Context, _ Principal, in *listGrantsInput) (*pageOutput[grantView], error) {
			page, err := h.listGrants(ctx, in.Paging, in.User)
			return &pageOutput[grantView]{page}, err
		})
	endpoint(t, Admin, operation{Method: "DELETE", Path: "/grants/{grant}", In: byObject, Name: "end-grant", Summary: "End a grant: its tokens die at once", Status: http.StatusNoContent, Tag: "grants"},
		func(ctx context.Context, p Principal, in *GrantPath) (*none, error) {
			_, err := h.endGrant(ctx, p, in.ID)
			return nil, err
		})
}

func (h *Handler) listGrants(ctx context.Context, in Paging, user string) (Page[grantView], error) {
	read := h.store.Grants.List
	if user != "" {
		read = func(tx store.Tx, p store.Page) ([]store.Grant, string, error) {
			return h.store.Grants.ByIndex(tx, "user", user, p)
		}
	}
	return listOf(ctx, h, in, listing[store.Grant]{
		name: "grants?user=" + user, all: read,
		owners: func(tx store.Tx, g store.Grant) (belonging, error) {
			return h.belongsToPerson(tx, g.OrganizationID, g.UserID)
		},
	}, plain(h.viewGrant))
}

// endGrant ends one app on one device, and says whose it was.
func (h *Handler) endGrant(ctx context.Context, p Principal, id string) (user string, err error) {
	err = h.change(ctx, p, func(ch *store.Change) error {
		g, err := h.store.Grants.Get(ch.Tx, id)
		if err != nil {
			return err
		}
		user = g.UserID
		if u, err := h.store.Users.Get(ch.Tx, g.UserID); err == nil && rank(u.PlatformRole) > rank(p.Role) {
			return errForbidden
		}
		if err := h.provisioner.EndGrant(ch.Tx, id, "ended_by_admin"); err != nil {
			return err
		}
		return ch.Record("grant.end", "grant/"+id, map[string]any{"user": g.UserID, "client": g.ClientID})
	})
	return user, err
}
