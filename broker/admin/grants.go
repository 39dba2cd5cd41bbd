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
	EndedAt      *time.Time `json:"ended_at,omitempty"`
	EndReason    string     `json:"end_reason,omitempty"`
	Live         bool       `json:"live"`
}

func (h *Handler) viewGrant(g store.Grant) grantView {
	return grantView{
		ID: g.ID, User: g.UserID, Client: g.ClientID, Connection: g.ConnectionID, Organization: g.OrganizationID,
		Session: g.SID, Scopes: listed(g.Scopes), CreatedAt: g.CreatedAt, ExpiresAt: g.ExpiresAt,
		EndedAt: moment(g.EndedAt), EndReason: g.EndReason, Live: g.Live(h.now()),
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
	endpoint(t, Admin, operation{Method: "GET", Path: "/grants", Name: "list-grants", Summary: "List grants", Tag: "grants"},
		func(ctx context.Context, _ Principal, in *listGrantsInput) (*pageOutput[grantView], error) {
			read := h.store.Grants.List
			if in.User != "" {
				read = func(tx store.Tx, p store.Page) ([]store.Grant, string, error) {
					return h.store.Grants.ByIndex(tx, "user", in.User, p)
				}
			}
			page, err := list(ctx, h, "grants?user="+in.User, in.Paging, read, plain(h.viewGrant))
			return &pageOutput[grantView]{page}, err
		})
	endpoint(t, Admin, operation{Method: "DELETE", Path: "/grants/{grant}", Name: "end-grant", Summary: "End a grant: its tokens die at once", Status: http.StatusNoContent, Tag: "grants"},
		func(ctx context.Context, p Principal, in *GrantPath) (*none, error) {
			return nil, h.change(ctx, p, func(ch *store.Change) error {
				g, err := h.store.Grants.Get(ch.Tx, in.ID)
				if err != nil {
					return err
				}
				if u, err := h.store.Users.Get(ch.Tx, g.UserID); err == nil && rank(u.PlatformRole) > rank(p.Role) {
					return errForbidden
				}
				if err := h.provisioner.EndGrant(ch.Tx, in.ID, "ended_by_admin"); err != nil {
					return err
				}
				return ch.Record("grant.end", "grant/"+in.ID, map[string]any{"user": g.UserID, "client": g.ClientID})
			})
		})
}
