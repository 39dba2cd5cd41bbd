package admin

import (
	"context"
	"errors"
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
	Organization  string             `json:"organization"`
	Connection    string             `json:"connection"`
	Issuer        string             `json:"issuer"`
	Subject       string             `json:"subject"`
	Client        string             `json:"client" doc:"The app the person came for"`
	Attributes    profile.Attributes `json:"attributes" doc:"As the provider stated them"`
	EmailVerified bool               `json:"email_verified"`
	State         string             `json:"state" enum:"pending,approved,refused,expired"`
	User          string             `json:"user,omitempty"`
	DecidedBy     string             `json:"decided_by,omitempty"`
	DecidedAt     *time.Time         `json:"decided_at,omitempty"`
	Reason        string             `json:"reason,omitempty"`
	ExpiresAt     time.Time          `json:"expires_at"`
}

func viewRequest(r store.AccessRequest) requestView {
	return requestView{
		ID: r.ID, Revision: r.Revision, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, Organization: r.OrganizationID,
		Connection: r.ConnectionID, Issuer: r.Issuer, Subject: r.Subject, Client: r.ClientID, Attributes: r.Snapshot,
		EmailVerified: r.EmailVerified, State: r.State, User: r.UserID, DecidedBy: r.DecidedBy,
		DecidedAt: moment(r.DecidedAt), Reason: r.Reason, ExpiresAt: r.ExpiresAt,
	}
}

// RequestPath names an access request.
type RequestPath struct {
	ID string `path:"request" maxLength:"64"`
}

type listRequestsInput struct {
	Paging
	State string `query:"state" enum:"pending,approved,refused,expired" default:"pending"`
}

type approveInput struct {
	RequestPath
	Body approveBody
}

type approveBody struct {
	Role   string   `json:"role,omitempty" enum:"user,admin,owner" doc:"Within the organization; user when absent. Only platform owners give more"`
	Groups []string `json:"groups,omitempty" maxItems:"100"`
}

type refuseInput struct {
	RequestPath
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"Shown to the person"`
	}
}

func (h *Handler) routeRequests(t *table) {
	endpoint(t, Admin, operation{Method: "GET", Path: "/access-requests", Name: "list-access-requests", Summary: "List access requests of one state", Tag: "access requests"},
		func(ctx context.Context, _ Principal, in *listRequestsInput) (*pageOutput[requestView], error) {
			page, err := h.listRequests(ctx, in.Paging, in.State)
			return &pageOutput[requestView]{page}, err
		})
	endpoint(t, Admin, operation{Method: "GET", Path: "/access-requests/{request}", Name: "get-access-request", Summary: "Show an access request", Tag: "access requests"},
		func(ctx context.Context, _ Principal, in *RequestPath) (*one[requestView], error) {
			r, err := h.request(ctx, in.ID)
			return &one[requestView]{etag(r.Revision), viewRequest(r)}, err
		})
	endpoint(t, Admin, operation{Method: "POST", Path: "/access-requests/{request}/approve", Name: "approve-access-request", Summary: "Let the person in", Tag: "access requests"},
		func(ctx context.Context, p Principal, in *approveInput) (*one[requestView], error) {
			r, err := h.approve(ctx, p, in.ID, provisioning.Approval{Role: in.Body.Role, Groups: in.Body.Groups})
			return &one[requestView]{etag(r.Revision), viewRequest(r)}, err
		})
	endpoint(t, Admin, operation{Method: "POST", Path: "/access-requests/{request}/refuse", Name: "refuse-access-request", Summary: "Refuse, with a reason the person sees", Tag: "access requests"},
		func(ctx context.Context, p Principal, in *refuseInput) (*one[requestView], error) {
			r, err := h.refuseRequest(ctx, p, in.ID, in.Body.Reason)
			return &one[requestView]{etag(r.Revision), viewRequest(r)}, err
		})
}

func (h *Handler) request(ctx context.Context, id string) (r store.AccessRequest, err error) {
	err = h.store.View(ctx, func(tx store.Tx) (err error) {
		r, err = h.store.AccessRequests.Get(tx, id)
		return err
	})
	return r, err
}

func (h *Handler) listRequests(ctx context.Context, in Paging, state string) (Page[requestView], error) {
	if state == "" {
		state = store.RequestPending
	}
	read := func(tx store.Tx, p store.Page) ([]store.AccessRequest, string, error) {
		return h.store.AccessRequests.ByIndex(tx, "state", state, p)
	}
	return list(ctx, h, "access-requests?state="+state, in, read, plain(viewRequest))
}

// decide runs one decision of provisioning in a recorded change. Provisioning
// compares and swaps; whoever comes second learns who was first.
func (h *Handler) decide(ctx context.Context, p Principal, id string, do func(*store.Change) (store.AccessRequest, error)) (store.AccessRequest, error) {
	var saved store.AccessRequest
	err := h.change(ctx, p, func(ch *store.Change) (err error) {
		saved, err = do(ch)
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

func (h *Handler) approve(ctx context.Context, p Principal, id string, opt provisioning.Approval) (store.AccessRequest, error) {
	if opt.Role == "" {
		opt.Role = store.RoleUser
	}
	if opt.Role != store.RoleUser && !Owner.Allows(p, Object{Kind: "access_request"}) {
		return store.AccessRequest{}, errForbidden
	}
	var f faults
	for i, g := range opt.Groups {
		f.text(indexed("groups", i), g, 100, true)
	}
	if err := f.join(); err != nil {
		return store.AccessRequest{}, err
	}
	return h.decide(ctx, p, id, func(ch *store.Change) (store.AccessRequest, error) {
		return h.provisioner.Approve(ch, id, p.UserID, opt)
	})
}

func (h *Handler) refuseRequest(ctx context.Context, p Principal, id, reason string) (store.AccessRequest, error) {
	var f faults
	f.text("reason", reason, 500, true)
	if err := f.join(); err != nil {
		return store.AccessRequest{}, err
	}
	return h.decide(ctx, p, id, func(ch *store.Change) (store.AccessRequest, error) {
		return h.provisioner.Refuse(ch, id, p.UserID, reason)
	})
}

// nameByID is the name of a user for people to read, the id when unknown.
func (h *Handler) nameByID(tx store.Tx, id string) string {
	if u, err := h.store.Users.Get(tx, id); err == nil {
		return nameOf(u)
	}
	return id
}
