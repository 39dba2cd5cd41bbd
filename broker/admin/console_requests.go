package admin

import (
	"errors"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"

	"gatehouse/profile"
	"gatehouse/provisioning"
	"gatehouse/store"
	"gatehouse/templates"
)

// routeRequestPages is the console's part of access requests.
func (h *Handler) routeRequestPages(t *table) {
	page(t, Approver, "GET", "/requests", "requests", h.showRequests).in(anywhere).does("list-access-requests")
	page(t, Approver, "POST", "/requests", "requests-decide", h.doDecideMany).in(anywhere).does("decide-access-requests")
	page(t, Approver, "GET", "/requests/{request}", "request", h.showRequest).in(byObject).does("get-access-request")
	page(t, Approver, "POST", "/requests/{request}/approve", "request-approve", h.doApprove).in(byObject).does("approve-access-request")
	page(t, Approver, "POST", "/requests/{request}/refuse", "request-refuse", h.doRefuse).in(byObject).does("refuse-access-request")
	page(t, Approver, "POST", "/requests/{request}/ask", "request-ask", h.doAsk).in(byObject).does("ask-access-request")
	page(t, SignedIn, "GET", "/decide/{token}", "decision-link", h.showDecisionLink).does("get-access-request")
}

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
	listed, err := h.listRequests(r.Context(), paging(r), state, r.URL.Query().Get("organization"))
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	page := templates.RequestsPage{Frame: h.frame(r, p), Next: nextPage(r, listed.Next), Decided: state != store.RequestPending}
	page.Frame.Problem = fault
	page.Other = "/requests?state=approved"
	if page.Decided {
		page.Other = "/requests"
	} else {
		page.Bulk = "/requests"
	}
	if err := h.store.View(r.Context(), func(tx store.Tx) error {
		for _, v := range listed.Items {
			card := h.requestCard(tx, v)
			card.Pick = card.Approve != ""
			page.Requests = append(page.Requests, card)
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
		if err != nil {
			return err
		}
		page.Request = h.requestCard(tx, viewRequest(rec))
		if page.Request.Approve != "" {
			page.Request.Ask = "/requests/" + rec.ID + "/ask"
			err = h.fillGrant(tx, p, rec, &page.Request)
		}
		return err
	}); err != nil {
		h.pageError(w, r, p, err)
		return
	}
	h.drawn(r, h.templates.Request(w, status, page))
}

// fillGrant offers what the caller may give, filled in with what every newcomer
// of the organization gets.
func (h *Handler) fillGrant(tx store.Tx, p Principal, rec store.AccessRequest, c *templates.Request) error {
	org, err := h.store.Organizations.Get(tx, rec.OrganizationID)
	if err != nil {
		return err
	}
	usual, err := h.usualGrant(tx, rec, org)
	if err != nil {
		return err
	}
	c.Full, c.Groups, c.Apps = true, strings.Join(usual.Groups, ", "), strings.Join(usual.Clients, ", ")
	preset := org.DefaultRole
	if !p.mayGive(preset, org.ID) {
		preset = store.RoleUser
	}
	for _, role := range []string{store.RoleUser, store.RoleAdmin, store.RoleOwner} {
		if role == store.RoleUser || p.mayGive(role, org.ID) {
			c.Roles = append(c.Roles, templates.Option{Value: role, Title: role, Selected: role == preset})
		}
	}
	return nil
}

// usualGrant is what an approval gives that says nothing: what every newcomer
// gets, and the app the person came for where it has to be given.
func (h *Handler) usualGrant(tx store.Tx, rec store.AccessRequest, org store.Organization) (provisioning.Approval, error) {
	opt := provisioning.Approval{Role: store.RoleUser}
	if rec.Kind == store.RequestJoin {
		opt.Groups, opt.Clients = slices.Clone(org.AutomaticGroups), slices.Clone(org.AutomaticClients)
	}
	app, err := h.store.Clients.Get(tx, rec.ClientID)
	if errors.Is(err, store.ErrNotFound) {
		return opt, nil
	}
	if (app.RequireAssignment || rec.Kind == store.RequestApp) && !slices.Contains(opt.Clients, app.ID) {
		opt.Clients = append(opt.Clients, app.ID)
	}
	return opt, err
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
		State: v.State, Reason: v.Reason, Detail: "/requests/" + v.ID, Wish: v.Kind == "app", Snapshot: v.Snapshot, Typed: v.Typed,
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
	if v.ChangedAt != nil {
		c.Changed = *v.ChangedAt
	}
	for _, m := range v.Messages {
		said := templates.Said{Text: m.Text, At: m.At}
		if m.By != "" {
			said.By = h.nameByID(tx, m.By)
		}
		c.Messages = append(c.Messages, said)
	}
	for _, given := range []templates.Fact{{Label: "Role", Value: v.Role}, {Label: "Groups", Value: strings.Join(v.Groups, ", ")}, {Label: "Apps", Value: strings.Join(v.Clients, ", ")}} {
		if given.Value != "" && v.State == store.RequestApproved {
			c.Given = append(c.Given, given)
		}
	}
	c.Facts = vouchedFacts(v)
	if v.State == store.RequestPending && h.now().Before(v.ExpiresAt) {
		c.Approve, c.Refuse = "/requests/"+v.ID+"/approve", "/requests/"+v.ID+"/refuse"
	}
	return c
}

// vouchedFacts is everything the provider said besides name and address.
func vouchedFacts(v requestView) (facts []templates.Fact) {
	if v.Attributes.Phone != "" {
		facts = append(facts, templates.Fact{Label: "Phone", Value: v.Attributes.Phone})
	}
	names := make([]string, 0, len(v.Attributes.Custom))
	for name := range v.Attributes.Custom {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		facts = append(facts, templates.Fact{Label: name, Value: strings.Join(v.Attributes.Custom[name], ", ")})
	}
	return append(facts, templates.Fact{Label: "Subject (sub)", Value: v.Subject}, templates.Fact{Label: "Issuer", Value: v.Issuer})
}

// approvalOf reads the approval form: what was chosen, or the usual. The facts
// it was decided on are named by the snapshot of the page.
func (h *Handler) approvalOf(r *http.Request) (opt provisioning.Approval, err error) {
	if r.PostForm.Get("full") == "" {
		err = h.store.View(r.Context(), func(tx store.Tx) error {
			rec, err := h.store.AccessRequests.Get(tx, r.PathValue("request"))
			if err != nil {
				return err
			}
			org, err := h.store.Organizations.Get(tx, rec.OrganizationID)
			if err == nil {
				opt, err = h.usualGrant(tx, rec, org)
			}
			return err
		})
	} else {
		opt.Role, opt.Groups, opt.Clients = r.PostForm.Get("role"), commas(r.PostForm.Get("groups")), commas(r.PostForm.Get("apps"))
	}
	opt.Snapshot = r.PostForm.Get("snapshot")
	return opt, err
}

// commas splits a line that people typed.
func commas(s string) (out []string) {
	for v := range strings.SplitSeq(s, ",") {
		if v = strings.TrimSpace(v); v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

func (h *Handler) doApprove(w http.ResponseWriter, r *http.Request, p Principal) {
	opt, err := h.approvalOf(r)
	if err == nil {
		_, err = h.approve(r.Context(), p, r.PathValue("request"), opt, Precondition{})
	}
	h.decided(w, r, p, err, "/requests?done=approved")
}

func (h *Handler) doRefuse(w http.ResponseWriter, r *http.Request, p Principal) {
	_, err := h.refuseRequest(r.Context(), p, r.PathValue("request"), oneLine(r.PostForm.Get("reason")), Precondition{})
	h.decided(w, r, p, err, "/requests?done=refused")
}

func (h *Handler) doAsk(w http.ResponseWriter, r *http.Request, p Principal) {
	id := r.PathValue("request")
	_, err := h.askBack(r.Context(), p, id, oneLine(r.PostForm.Get("question")), Precondition{})
	h.decided(w, r, p, err, "/requests/"+id+"?done=asked")
}

// oneLine makes a sentence of what was typed into a field of several lines.
func oneLine(s string) string {
	return strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", " "), "\n", " "))
}

// decided goes on, or shows the request with what went wrong: the second admin
// sees who was first, with status 409.
func (h *Handler) decided(w http.ResponseWriter, r *http.Request, p Principal, err error, next string) {
	if err == nil {
		http.Redirect(w, r, next, http.StatusSeeOther)
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

// doDecideMany decides the requests that were ticked, and says how many of them
// could not be.
func (h *Handler) doDecideMany(w http.ResponseWriter, r *http.Request, p Principal) {
	ids, reason := r.PostForm["request"], oneLine(r.PostForm.Get("reason"))
	approve := r.PostForm.Get("do") == "approve"
	switch {
	case len(ids) == 0 || len(ids) > 100:
		h.drawRequests(w, r, p, http.StatusUnprocessableEntity, "Choose at least one request.")
		return
	case !approve && reason == "":
		h.drawRequests(w, r, p, http.StatusUnprocessableEntity, "The reason is required.")
		return
	}
	var failed []string
	for _, id := range ids {
		alone, err := p.about("request", id), error(nil)
		if approve {
			one := r.Clone(r.Context())
			one.SetPathValue("request", id)
			one.PostForm = nil
			var opt provisioning.Approval
			if opt, err = h.approvalOf(one); err == nil {
				_, err = h.approve(r.Context(), alone, id, opt, Precondition{})
			}
		} else {
			_, err = h.refuseRequest(r.Context(), alone, id, reason, Precondition{})
		}
		if err != nil {
			failed = append(failed, h.problemFor(r.Context(), err).Detail)
		}
	}
	if len(failed) > 0 {
		h.drawRequests(w, r, p, http.StatusConflict, strconv.Itoa(len(ids)-len(failed))+" of "+strconv.Itoa(len(ids))+" are decided. "+failed[0])
		return
	}
	http.Redirect(w, r, "/requests?done=decided", http.StatusSeeOther)
}
