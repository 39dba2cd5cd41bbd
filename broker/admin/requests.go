package admin

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"gatehouse/profile"
	"gatehouse/provisioning"
	"gatehouse/store"
)

// requestView is an access request as the API shows it.
type requestView struct {
	ID            string             `json:"id"`
	Revision      int64              `json:"revision"`
	CreatedAt     time.Time          `json:"created_at"`
	UpdatedAt     time.Time          `json:"updated_at"`
	Kind          string             `json:"kind" enum:"join,app" doc:"join: a newcomer; app: a member who wants an app"`
	Organization  string             `json:"organization"`
	Connection    string             `json:"connection" doc:"Who vouches for the attributes"`
	Issuer        string             `json:"issuer"`
	Subject       string             `json:"subject"`
	Client        string             `json:"client" doc:"The app the person came for"`
	Attributes    profile.Attributes `json:"attributes" doc:"As the provider stated them"`
	EmailVerified bool               `json:"email_verified"`
	Snapshot      string             `json:"snapshot" doc:"Names what the provider vouched for; send it with the approval"`
	ChangedAt     *time.Time         `json:"changed_at,omitempty" doc:"When the provider last said something else; an approval then has to name the snapshot"`
	Typed         string             `json:"typed,omitempty" doc:"What the person wrote; nobody vouches for it"`
	Messages      []messageView      `json:"messages"`
	Language      string             `json:"language,omitempty"`
	State         string             `json:"state" enum:"pending,approved,refused,expired"`
	User          string             `json:"user,omitempty"`
	DecidedBy     string             `json:"decided_by,omitempty"`
	DecidedAt     *time.Time         `json:"decided_at,omitempty"`
	Role          string             `json:"role,omitempty" doc:"What was given"`
	Groups        []string           `json:"groups"`
	Clients       []string           `json:"clients"`
	Reason        string             `json:"reason,omitempty"`
	ExpiresAt     time.Time          `json:"expires_at"`
}

type messageView struct {
	By   string    `json:"by" doc:"User id of the approver; empty: the person"`
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

func viewRequest(r store.AccessRequest) requestView {
	v := requestView{
		ID: r.ID, Revision: r.Revision, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, Kind: "join", Organization: r.OrganizationID,
		Connection: r.ConnectionID, Issuer: r.Issuer, Subject: r.Subject, Client: r.ClientID, Attributes: r.Snapshot,
		EmailVerified: r.EmailVerified, Snapshot: r.SnapshotHash, ChangedAt: moment(r.ChangedAt), Typed: r.Typed, Messages: []messageView{},
		Language: r.Language, State: r.State, User: r.UserID, DecidedBy: r.DecidedBy, DecidedAt: moment(r.DecidedAt),
		Role: r.Role, Groups: listed(r.Groups), Clients: listed(r.Clients), Reason: r.Reason, ExpiresAt: r.ExpiresAt,
	}
	if r.Kind == store.RequestApp {
		v.Kind = "app"
	}
	for _, m := range r.Messages {
		v.Messages = append(v.Messages, messageView{m.By, m.Text, m.At})
	}
	return v
}

// RequestPath names an access request.
type RequestPath struct {
	ID string `path:"request" maxLength:"64"`
}

type listRequestsInput struct {
	Paging
	State        string `query:"state" enum:"pending,approved,refused,expired" default:"pending"`
	Organization string `query:"organization" maxLength:"63" doc:"Only this organization's"`
}

type approveInput struct {
	RequestPath
	Precondition
	Body approveBody
}

type approveBody struct {
	Role     string   `json:"role,omitempty" enum:"user,admin,owner" doc:"Within the organization; user when absent. Nobody gives more than they have, and approvers give user"`
	Groups   []string `json:"groups,omitempty" maxItems:"100"`
	Clients  []string `json:"clients,omitempty" maxItems:"100" doc:"Apps that have to be given"`
	Snapshot string   `json:"snapshot,omitempty" maxLength:"64" doc:"The request's snapshot that was looked at: 409 when the provider has said something else since"`
}

func (b approveBody) approval() provisioning.Approval {
	return provisioning.Approval{Role: b.Role, Groups: b.Groups, Clients: b.Clients, Snapshot: b.Snapshot}
}

type refuseInput struct {
	RequestPath
	Precondition
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"Shown to the person"`
	}
}

type askInput struct {
	RequestPath
	Precondition
	Body struct {
		Question string `json:"question" minLength:"1" maxLength:"500" doc:"Shown to the person, who can answer on the waiting page"`
	}
}

func (h *Handler) routeRequests(t *table) {
	const tag = "access requests"
	endpoint(t, Approver, operation{Method: "GET", Path: "/access-requests", In: anywhere, Name: "list-access-requests", Summary: "List access requests of one state", Tag: tag},
		func(ctx context.Context, _ Principal, in *listRequestsInput) (*pageOutput[requestView], error) {
			page, err := h.listRequests(ctx, in.Paging, in.State, in.Organization)
			return &pageOutput[requestView]{page}, err
		})
	endpoint(t, Approver, operation{Method: "GET", Path: "/access-requests/{request}", In: byObject, Name: "get-access-request", Summary: "Show an access request", Tag: tag},
		func(ctx context.Context, _ Principal, in *RequestPath) (*one[requestView], error) {
			r, err := h.request(ctx, in.ID)
			return &one[requestView]{etag(r.Revision), viewRequest(r)}, err
		})
	endpoint(t, Approver, operation{Method: "POST", Path: "/access-requests/{request}/approve", In: byObject, Name: "approve-access-request", Summary: "Let the person in, or give them the app", Tag: tag},
		func(ctx context.Context, p Principal, in *approveInput) (*one[requestView], error) {
			r, err := h.approve(ctx, p, in.ID, in.Body.approval(), in.Precondition)
			return &one[requestView]{etag(r.Revision), viewRequest(r)}, err
		})
	endpoint(t, Approver, operation{Method: "POST", Path: "/access-requests/{request}/refuse", In: byObject, Name: "refuse-access-request", Summary: "Refuse, with a reason the person sees", Tag: tag},
		func(ctx context.Context, p Principal, in *refuseInput) (*one[requestView], error) {
			r, err := h.refuseRequest(ctx, p, in.ID, in.Body.Reason, in.Precondition)
			return &one[requestView]{etag(r.Revision), viewRequest(r)}, err
		})
	endpoint(t, Approver, operation{Method: "POST", Path: "/access-requests/{request}/ask", In: byObject, Name: "ask-access-request", Summary: "Ask the person back; the request goes on waiting", Tag: tag},
		func(ctx context.Context, p Principal, in *askInput) (*one[requestView], error) {
			r, err := h.askBack(ctx, p, in.ID, in.Body.Question, in.Precondition)
			return &one[requestView]{etag(r.Revision), viewRequest(r)}, err
		})
	endpoint(t, Approver, operation{Method: "POST", Path: "/access-requests/decide", In: anywhere, Name: "decide-access-requests", Summary: "Approve or refuse up to 100 requests, each in its own right", Tag: tag}, h.decideMany)
}

func (h *Handler) request(ctx context.Context, id string) (r store.AccessRequest, err error) {
	err = h.store.View(ctx, func(tx store.Tx) (err error) {
		r, err = h.store.AccessRequests.Get(tx, id)
		return err
	})
	return r, err
}

func (h *Handler) listRequests(ctx context.Context, in Paging, state, organization string) (Page[requestView], error) {
	if state == "" {
		state = store.RequestPending
	}
	return listOf(ctx, h, in, listing[store.AccessRequest]{
		name: "access-requests?state=" + state, organization: organization,
		all: func(tx store.Tx, p store.Page) ([]store.AccessRequest, string, error) {
			return h.store.AccessRequests.ByIndex(tx, "state", state, p)
		},
		of: func(tx store.Tx, organization string, p store.Page) ([]store.AccessRequest, string, error) {
			return h.store.AccessRequests.ByIndex(tx, "organization_state", store.OrganizationState(organization, state), p)
		},
	}, plain(viewRequest))
}

// decide runs one decision of provisioning in a recorded change. Provisioning
// compares and swaps; whoever comes second learns who was first.
func (h *Handler) decide(ctx context.Context, p Principal, id string, pre Precondition, do func(*store.Change, store.AccessRequest) (store.AccessRequest, error)) (store.AccessRequest, error) {
	var saved store.AccessRequest
	err := h.change(ctx, p, func(ch *store.Change) error {
		r, err := h.store.AccessRequests.Get(ch.Tx, id)
		if err != nil {
			return err
		}
		if r.State == store.RequestPending { // else who was first says more than a stale ETag
			if err := pre.match(r.Meta, nil); err != nil {
				return err
			}
		}
		saved, err = do(ch, r)
		return err
	})
	var first *provisioning.DecidedError
	if errors.As(err, &first) {
		named := *first
		_ = h.store.View(ctx, func(tx store.Tx) error { // without a name the id stays
			named.By = h.nameByID(tx, first.By)
			return nil
		})
		return saved, &named
	}
	return saved, err
}

func (h *Handler) approve(ctx context.Context, p Principal, id string, opt provisioning.Approval, pre Precondition) (store.AccessRequest, error) {
	if opt.Role == "" {
		opt.Role = store.RoleUser
	}
	opt.UserID = provisioning.Prepare().UserID
	var f faults
	for i, g := range opt.Groups {
		f.text(indexed("groups", i), g, 100, true)
	}
	if err := f.join(); err != nil {
		return store.AccessRequest{}, err
	}
	return h.decide(ctx, p, id, pre, func(ch *store.Change, r store.AccessRequest) (store.AccessRequest, error) {
		if err := h.mayGrant(ch.Tx, p, r, opt); err != nil {
			return store.AccessRequest{}, err
		}
		return h.provisioner.Approve(ch, id, p.UserID, opt)
	})
}

// mayGrant: a role above user takes who may give it; who only approves gives
// what every newcomer gets, and the app the person came for.
func (h *Handler) mayGrant(tx store.Tx, p Principal, r store.AccessRequest, opt provisioning.Approval) error {
	if opt.Role != store.RoleUser && !p.mayGive(opt.Role, r.OrganizationID) {
		return errForbidden
	}
	if err := h.appsFor(tx, "clients", r.OrganizationID, opt.Clients); err != nil {
		return err
	}
	if Admin.Allows(p, Object{r.OrganizationID}) {
		return nil
	}
	org, err := h.store.Organizations.Get(tx, r.OrganizationID)
	if err != nil {
		return err
	}
	var f faults
	for i, g := range opt.Groups {
		if !slices.Contains(org.AutomaticGroups, g) {
			f.add(indexed("groups", i), "is none that every newcomer gets: an admin has to give it")
		}
	}
	for i, c := range opt.Clients {
		if c != r.ClientID && !slices.Contains(org.AutomaticClients, c) {
			f.add(indexed("clients", i), "is neither the app the person came for nor one that every newcomer gets: an admin has to give it")
		}
	}
	return f.join()
}

// appsFor refuses apps that are not there, or not for the organization.
func (h *Handler) appsFor(tx store.Tx, path, organization string, ids []string) error {
	var f faults
	for i, id := range ids {
		c, err := h.store.Clients.Get(tx, id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err != nil || len(c.Organizations) > 0 && !slices.Contains(c.Organizations, organization) {
			f.add(indexed(path, i), "is no app of this organization")
		}
	}
	return f.join()
}

func (h *Handler) refuseRequest(ctx context.Context, p Principal, id, reason string, pre Precondition) (store.AccessRequest, error) {
	var f faults
	f.text("reason", reason, 500, true)
	if err := f.join(); err != nil {
		return store.AccessRequest{}, err
	}
	return h.decide(ctx, p, id, pre, func(ch *store.Change, _ store.AccessRequest) (store.AccessRequest, error) {
		return h.provisioner.Refuse(ch, id, p.UserID, reason)
	})
}

func (h *Handler) askBack(ctx context.Context, p Principal, id, question string, pre Precondition) (store.AccessRequest, error) {
	var f faults
	f.text("question", question, 500, true)
	if err := f.join(); err != nil {
		return store.AccessRequest{}, err
	}
	return h.decide(ctx, p, id, pre, func(ch *store.Change, _ store.AccessRequest) (store.AccessRequest, error) {
		return h.provisioner.Ask(ch, id, p.UserID, question)
	})
}

type decideManyInput struct {
	Body struct {
		IDs      []string `json:"ids" minItems:"1" maxItems:"100" uniqueItems:"true"`
		Decision string   `json:"decision" enum:"approve,refuse"`
		Reason   string   `json:"reason,omitempty" maxLength:"500" doc:"Of a refusal; shown to each person"`
		Role     string   `json:"role,omitempty" enum:"user,admin,owner"`
		Groups   []string `json:"groups,omitempty" maxItems:"100"`
		Clients  []string `json:"clients,omitempty" maxItems:"100"`
	}
}

type decideManyOutput struct {
	Body struct {
		Results []decideResult `json:"results"`
	}
}

// decideResult is what became of one of many.
type decideResult struct {
	ID     string `json:"id"`
	Status int    `json:"status" doc:"200, or the status this decision alone would have got"`
	State  string `json:"state,omitempty" doc:"Of the request, when it was decided here"`
	Detail string `json:"detail,omitempty" doc:"Why not"`
}

// decideMany decides each request as if it stood alone: its own right, its own
// transaction, its own audit entry.
func (h *Handler) decideMany(ctx context.Context, p Principal, in *decideManyInput) (*decideManyOutput, error) {
	out := &decideManyOutput{}
	for _, id := range in.Body.IDs {
		var r store.AccessRequest
		var err error
		alone := p.about("request", id)
		if in.Body.Decision == "approve" {
			r, err = h.approve(ctx, alone, id, provisioning.Approval{Role: in.Body.Role, Groups: in.Body.Groups, Clients: in.Body.Clients}, Precondition{})
		} else {
			r, err = h.refuseRequest(ctx, alone, id, in.Body.Reason, Precondition{})
		}
		result := decideResult{ID: id, Status: http.StatusOK, State: r.State}
		if err != nil {
			m := h.problemFor(ctx, err)
			result.Status, result.Detail, result.State = m.Status, m.Detail, ""
			for _, f := range fieldErrors(err) {
				result.Detail += " " + sentence(f)
			}
		}
		out.Body.Results = append(out.Body.Results, result)
	}
	return out, nil
}

// nameByID is the name of a user for people to read; a rule says that it is
// one; the id when unknown.
func (h *Handler) nameByID(tx store.Tx, id string) string {
	if rule, ok := strings.CutPrefix(id, "rule:"); ok {
		return "the rule " + rule
	}
	if u, err := h.store.Users.Get(tx, id); err == nil {
		return nameOf(u)
	}
	return id
}
