package admin

import (
	"errors"
	"net/http"

	"gatehouse/store"
	"gatehouse/templates"
)

// showDecisionLink is where the mailed link of an approver leads: after the
// sign-in to the one request it is about. It decides nothing. It opens for one
// account, and as long as nobody has decided; opened by another account it is
// used up. Otherwise it says so, and how the request stands to those who may
// see it.
func (h *Handler) showDecisionLink(w http.ResponseWriter, r *http.Request, p Principal) {
	hash := store.HashToken(r.PathValue("token"))
	var link store.DecisionLink
	var req store.AccessRequest
	why := ""
	err := h.store.View(r.Context(), func(tx store.Tx) (err error) {
		link, err = h.store.DecisionLinks.Get(tx, hash)
		switch {
		case errors.Is(err, store.ErrNotFound):
			why = "This link is unknown, or so old that it was forgotten."
			return nil
		case err != nil:
			return err
		}
		if req, err = h.store.AccessRequests.Get(tx, link.RequestID); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		switch {
		case link.UserID != p.UserID:
			why = "This link was mailed to somebody else. It works no more; whoever got it finds the request in the list."
		case !link.UsedAt.IsZero():
			why = "This link was opened by another account and works no more."
		case !h.now().Before(link.ExpiresAt):
			why = "This link has expired."
		case req.ID == "":
			why = "The request was deleted."
		case req.State != store.RequestPending || !h.now().Before(req.ExpiresAt):
			why = "This link has done its work: the request is decided, or its time is over."
		}
		return nil
	})
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	if why == "" {
		http.Redirect(w, r, "/requests/"+req.ID, http.StatusSeeOther)
		return
	}
	if link.Hash != "" && link.UserID != p.UserID && link.UsedAt.IsZero() {
		if err := h.store.Update(r.Context(), func(tx store.Tx) error {
			l, err := h.store.DecisionLinks.Get(tx, hash)
			if err != nil {
				return err
			}
			l.UsedAt = h.now().UTC()
			return h.store.DecisionLinks.Put(tx, l)
		}); err != nil {
			h.pageError(w, r, p, err)
			return
		}
	}
	page := templates.DetailPage{Frame: h.frame(r, p), Title: "Link to a decision", Word: true, Back: "/requests", BackTitle: "Access requests", Warnings: []string{why}}
	sees := p.about("request", req.ID)
	sees.gate.level = Approver
	if req.ID != "" && h.allowed(r.Context(), sees) == nil {
		v := viewRequest(req)
		group := templates.Group{Title: "The request", Items: []templates.Item{{Label: "State", Values: []templates.Cell{templates.TextCell(v.State)}}}}
		if v.DecidedBy != "" {
			_ = h.store.View(r.Context(), func(tx store.Tx) error { // without a name the id stays
				v.DecidedBy = h.nameByID(tx, v.DecidedBy)
				return nil
			})
			group.Items = append(group.Items,
				templates.Item{Label: "Decided by", Values: []templates.Cell{templates.TextCell(v.DecidedBy)}},
				templates.Item{Label: "Decided", Values: []templates.Cell{templates.TimeCell(req.DecidedAt)}})
		}
		page.Groups, page.Links = []templates.Group{group}, []templates.Link{{ID: "request", Title: "Show the request", URL: "/requests/" + req.ID}}
	}
	h.drawn(r, h.templates.Detail(w, http.StatusGone, page))
}
