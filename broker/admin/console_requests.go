package admin

import (
	"net/http"
	"sort"
	"strings"

	"gatehouse/profile"
	"gatehouse/provisioning"
	"gatehouse/store"
	"gatehouse/templates"
)

// showRequests draws the queue, or with ?state=approved|refused|expired what
// was decided.
func (h *Handler) showRequests(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawRequests(w, r, p, http.StatusOK, "")
}

func (h *Handler) drawRequests(w http.ResponseWriter, r *http.Request, p Principal, status int, fault string) {
	state := r.URL.Query().Get("state")
	switch state {
	case store.RequestApproved, store.RequestRefused, store.RequestExpired:
	default:
		state = store.RequestPending
	}
	listed, err := h.listRequests(r.Context(), paging(r), state)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	page := templates.RequestsPage{Frame: h.frame(r, p), Next: nextPage(r, listed.Next), Decided: state != store.RequestPending}
	page.Frame.Problem = fault
	page.Other = "/requests?state=approved"
	if page.Decided {
		page.Other = "/requests"
	}
	if err := h.store.View(r.Context(), func(tx store.Tx) error {
		for _, v := range listed.Items {
			page.Requests = append(page.Requests, h.requestCard(tx, v))
		}
		return nil
	}); err != nil {
		h.pageError(w, r, p, err)
		return
	}
	h.drawn(r, h.templates.Requests(w, status, page))
}

func (h *Handler) showRequest(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawRequest(w, r, p, http.StatusOK, "")
}

func (h *Handler) drawRequest(w http.ResponseWriter, r *http.Request, p Principal, status int, fault string) {
	page := templates.RequestPage{Frame: h.frame(r, p), Back: "/requests"}
	page.Frame.Problem = fault
	if err := h.store.View(r.Context(), func(tx store.Tx) error {
		rec, err := h.store.AccessRequests.Get(tx, r.PathValue("request"))
		page.Request = h.requestCard(tx, viewRequest(rec))
		return err
	}); err != nil {
		h.pageError(w, r, p, err)
		return
	}
	h.drawn(r, h.templates.Request(w, status, page))
}

// requestCard puts names to the ids of a request; what cannot be found keeps
// its id.
func (h *Handler) requestCard(tx store.Tx, v requestView) templates.Request {
	c := templates.Request{
		ID: v.ID, Name: attributesName(profile.Attributes{
			DisplayName: v.Attributes.DisplayName, FirstName: v.Attributes.FirstName, LastName: v.Attributes.LastName,
		}),
		Email: v.Attributes.Email, EmailVerified: v.EmailVerified, PictureURL: v.Attributes.Picture,
		Organization: v.Organization, Connection: v.Connection, App: v.Client, At: v.CreatedAt, Expires: v.ExpiresAt,
		State: v.State, Reason: v.Reason, Detail: "/requests/" + v.ID,
	}
	if o, err := h.store.Organizations.Get(tx, v.Organization); err == nil {
		c.Organization = o.Title
	}
	if conn, err := h.store.Connections.Get(tx, v.Connection); err == nil {
		c.Connection = conn.Title
	}
	if app, err := h.store.Clients.Get(tx, v.Client); err == nil {
		c.App = app.Name
	}
	if v.DecidedBy != "" {
		c.DecidedBy = h.nameByID(tx, v.DecidedBy)
	}
	if v.DecidedAt != nil {
		c.DecidedAt = *v.DecidedAt
	}
	if v.Attributes.Phone != "" {
		c.Facts = append(c.Facts, templates.Fact{Label: "Phone", Value: v.Attributes.Phone})
	}
	names := make([]string, 0, len(v.Attributes.Custom))
	for name := range v.Attributes.Custom {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		c.Facts = append(c.Facts, templates.Fact{Label: name, Value: strings.Join(v.Attributes.Custom[name], ", ")})
	}
	c.Facts = append(c.Facts, templates.Fact{Label: "Subject", Value: v.Subject}, templates.Fact{Label: "Issuer", Value: v.Issuer})
	if v.State == store.RequestPending && h.now().Before(v.ExpiresAt) {
		c.Approve, c.Refuse = "/requests/"+v.ID+"/approve", "/requests/"+v.ID+"/refuse"
	}
	return c
}

func (h *Handler) doApprove(w http.ResponseWriter, r *http.Request, p Principal) {
	_, err := h.approve(r.Context(), p, r.PathValue("request"), provisioning.Approval{Role: store.RoleUser})
	h.decided(w, r, p, err, "approved")
}

func (h *Handler) doRefuse(w http.ResponseWriter, r *http.Request, p Principal) {
	reason := strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(r.PostForm.Get("reason"), "\r\n", " "), "\n", " "))
	_, err := h.refuseRequest(r.Context(), p, r.PathValue("request"), reason)
	h.decided(w, r, p, err, "refused")
}

// decided goes back to the queue, or shows the request with what went wrong:
// the second admin sees who was first, with status 409.
func (h *Handler) decided(w http.ResponseWriter, r *http.Request, p Principal, err error, done string) {
	if err == nil {
		http.Redirect(w, r, "/requests?done="+done, http.StatusSeeOther)
		return
	}
	m := h.problemFor(r.Context(), err)
	if m.Status == http.StatusNotFound || m.Status >= http.StatusInternalServerError {
		h.pageProblem(w, r, p, m)
		return
	}
	said := m.Detail
	if faults := fieldErrors(err); len(faults) > 0 {
		said = sentence(faults[0])
	}
	h.drawRequest(w, r, p, m.Status, said)
}
