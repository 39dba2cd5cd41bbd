package admin

import (
	"context"
	"net/http"
	"strings"
	"time"

	"gatehouse/store"
	"gatehouse/templates"
)

func onOff(disabled bool) templates.Cell {
	if disabled {
		return templates.BadgeCell("disabled", templates.ToneBad)
	}
	return templates.BadgeCell("active", templates.ToneGood)
}

func (h *Handler) showConnections(w http.ResponseWriter, r *http.Request, p Principal) {
	found, err := h.listConnections(r.Context(), paging(r), "")
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	page := templates.ListPage{
		Frame: h.frame(r, p), Title: "Connections", Intro: "Identity providers people are sent to.",
		Links:   []templates.Link{{ID: "new", Title: "Add a connection", URL: "/new/connection"}},
		Columns: []string{"Title", "Id", "Organization", "Issuer", "Domains", "State"},
		Empty: templates.Empty{
			Action: "Choose a preset", URL: "/new/connection",
			Title: "No connection yet", Text: "A connection is a company's own identity provider. Add the first one:",
			Command: "gatehouse connection create acme --organization acme --title Acme --issuer https://login.acme.example --client-id gatehouse --domain acme.example",
		},
	}
	for _, c := range found.Items {
		page.Rows = append(page.Rows, templates.Row{URL: connectionURL(c.ID, ""), Cells: []templates.Cell{
			templates.TextCell(c.Title), templates.CodeCell(c.ID), templates.CodeCell(c.Organization),
			templates.CodeCell(c.Issuer), templates.CodeCell(strings.Join(c.Domains, " ")), onOff(c.Disabled),
		}})
	}
	onward(&page, r, found.Next)
	h.drawList(w, r, page)
}

func (h *Handler) showClients(w http.ResponseWriter, r *http.Request, p Principal) {
	found, err := h.listClients(r.Context(), paging(r))
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	page := templates.ListPage{
		Frame: h.frame(r, p), Title: "Apps", Intro: "Clients registered to get tokens.",
		Columns: []string{"Name", "Client id", "Type", "Redirect URIs", "State"},
		Empty: templates.Empty{
			Title: "No app yet", Text: "An app must be registered before it can sign people in:",
			Command: "gatehouse client create my-app --type native --name 'My app' --redirect-uri com.example.app:/callback",
		},
	}
	for _, c := range found.Items {
		page.Rows = append(page.Rows, templates.Row{Cells: []templates.Cell{
			templates.TextCell(c.Name), templates.CodeCell(c.ID), templates.CodeCell(c.Type),
			templates.CodeCell(strings.Join(c.RedirectURIs, " ")), onOff(c.Disabled),
		}})
	}
	onward(&page, r, found.Next)
	h.drawList(w, r, page)
}

func (h *Handler) showSessions(w http.ResponseWriter, r *http.Request, p Principal) {
	found, err := h.listSessions(r.Context(), paging(r), "")
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	page := templates.ListPage{
		Frame: h.frame(r, p), Title: "Sessions", Intro: "Browsers that are signed in. End one on the page of its person.",
		Columns: []string{"Person", "Session", "Kind", "Since", "Last seen", "State"},
		Empty:   templates.Empty{Title: "Nobody is signed in", Text: "Sessions appear here when people sign in."},
	}
	people := make([]string, len(found.Items))
	for i, s := range found.Items {
		people[i] = s.User
	}
	names, err := h.namesByID(r.Context(), people)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	for _, s := range found.Items {
		kind, state := "apps", templates.BadgeCell("live", templates.ToneGood)
		if s.Console {
			kind = "console"
		}
		if !s.Live {
			state = templates.BadgeCell("expired", templates.ToneNone)
		}
		page.Rows = append(page.Rows, templates.Row{URL: "/users/" + s.User, Cells: []templates.Cell{
			templates.TextCell(names[s.User]), templates.CodeCell(s.ID), templates.WordCell(kind),
			templates.TimeCell(s.CreatedAt), templates.TimeCell(s.LastSeenAt), state,
		}})
	}
	onward(&page, r, found.Next)
	h.drawList(w, r, page)
}

// personCell names a user and leads to their page; "system" and "operator" are
// nobody's id.
func personCell(id string, names map[string]string) templates.Cell {
	if names[id] == id {
		return templates.CodeCell(id)
	}
	return templates.LinkCell(names[id], "/users/"+id)
}

// namesByID are the names of users for people to read, an id when there is none.
func (h *Handler) namesByID(ctx context.Context, ids []string) (map[string]string, error) {
	names := map[string]string{}
	err := h.store.View(ctx, func(tx store.Tx) error {
		for _, id := range ids {
			if _, known := names[id]; !known {
				names[id] = h.nameByID(tx, id)
			}
		}
		return nil
	})
	return names, err
}

func timeCell(t *time.Time) templates.Cell {
	if t == nil {
		return templates.Cell{}
	}
	return templates.TimeCell(*t)
}
