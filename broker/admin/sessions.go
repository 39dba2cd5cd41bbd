package admin

import (
	"context"
	"net/http"
	"time"

	"gatehouse/store"
)

// sessionView is a browser session; the key behind the cookie is not in it.
type sessionView struct {
	ID           string    `json:"id" doc:"The sid claim"`
	User         string    `json:"user"`
	Connection   string    `json:"connection,omitempty"`
	Organization string    `json:"organization,omitempty"`
	Console      bool      `json:"console"`
	AuthTime     time.Time `json:"auth_time"`
	CreatedAt    time.Time `json:"created_at"`
	LastSeenAt   time.Time `json:"last_seen_at"`
	ExpiresAt    time.Time `json:"expires_at"`
	Live         bool      `json:"live"`
	Clients      []string  `json:"clients"`
}

func (h *Handler) viewSession(s store.Session) sessionView {
	return sessionView{
		ID: s.SID, User: s.UserID, Connection: s.ConnectionID, Organization: s.OrganizationID, Console: s.Console,
		AuthTime: s.AuthTime, CreatedAt: s.CreatedAt, LastSeenAt: s.LastSeenAt, ExpiresAt: s.ExpiresAt,
		Live: s.Valid(h.now()), Clients: listed(s.Clients),
	}
}

type listSessionsInput struct {
	Paging
	User string `query:"user" maxLength:"64" doc:"Only this user's"`
}

// SessionPath names a session by its sid.
type SessionPath struct {
	ID string `path:"session" maxLength:"64"`
}

func (h *Handler) routeSessions(t *table) {
	endpoint(t, Admin, operation{Method: "GET", Path: "/sessions", In: anywhere, Name: "list-sessions", Summary: "List sessions", Tag: "sessions"},
		func(ctx context.Context, _ Principal, in *listSessionsInput) (*pageOutput[sessionView], error) {
			page, err := h.listSessions(ctx, in.Paging, in.User)
			return &pageOutput[sessionView]{page}, err
		})
	endpoint(t, Admin, operation{Method: "DELETE", Path: "/sessions/{session}", In: byObject, Name: "end-session", Summary: "End a session and the grants made in it", Status: http.StatusNoContent, Tag: "sessions"},
		func(ctx context.Context, p Principal, in *SessionPath) (*none, error) {
			return nil, h.endSession(ctx, p, in.ID)
		})
}

func (h *Handler) listSessions(ctx context.Context, in Paging, user string) (Page[sessionView], error) {
	read := h.store.Sessions.List
	if user != "" {
		read = func(tx store.Tx, p store.Page) ([]store.Session, string, error) {
			return h.store.Sessions.ByIndex(tx, "user", user, p)
		}
	}
	return listOf(ctx, h, in, listing[store.Session]{
		name: "sessions?user=" + user, all: read,
		owners: func(tx store.Tx, s store.Session) (belonging, error) {
			return h.belongsToPerson(tx, s.OrganizationID, s.UserID)
		},
	}, plain(h.viewSession))
}

func (h *Handler) endSession(ctx context.Context, p Principal, sid string) error {
	return h.change(ctx, p, func(ch *store.Change) error {
		s, err := h.store.Sessions.ByUnique(ch.Tx, "sid", sid)
		if err != nil {
			return err
		}
		if u, err := h.store.Users.Get(ch.Tx, s.UserID); err == nil && rank(u.PlatformRole) > rank(p.Role) {
			return errForbidden
		}
		if err := h.provisioner.EndSession(ch.Tx, s.KeyHash); err != nil {
			return err
		}
		return ch.Record("session.end", "session/"+sid, map[string]any{"user": s.UserID, "console": s.Console})
	})
}
