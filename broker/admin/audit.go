package admin

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"gatehouse/store"
)

// auditView is one entry of the hash chain.
type auditView struct {
	Seq          uint64         `json:"seq"`
	At           time.Time      `json:"at"`
	Actor        string         `json:"actor" doc:"User id, system or operator"`
	Via          string         `json:"via"`
	From         string         `json:"from,omitempty" doc:"Network address"`
	RequestID    string         `json:"request_id,omitempty"`
	Action       string         `json:"action"`
	Target       string         `json:"target"`
	Organization string         `json:"organization,omitempty" doc:"Whose admins may read the entry; absent: the platform's only"`
	Detail       map[string]any `json:"detail,omitempty" doc:"What differs, as before and after"`
	Hash         string         `json:"hash"`
}

func viewAudit(e store.AuditEntry) auditView {
	return auditView{
		Seq: e.Seq, At: e.At, Actor: e.Actor.UserID, Via: e.Actor.Via, From: e.Actor.From, RequestID: e.Actor.RequestID,
		Action: e.Action, Target: e.Target, Organization: e.OrganizationID, Detail: e.Detail, Hash: hex.EncodeToString(e.Hash),
	}
}

// AuditQuery narrows a list of entries; exported because huma skips unexported
// embedded structs.
type AuditQuery struct {
	Actor        string    `query:"actor" maxLength:"128" doc:"User id, system or operator"`
	Action       string    `query:"action" maxLength:"64" doc:"Such as organization.update"`
	Target       string    `query:"target" maxLength:"512" doc:"Kind and id, such as organization/acme"`
	Organization string    `query:"organization" maxLength:"63" doc:"What concerns this organization"`
	Since        time.Time `query:"since" doc:"Not before this moment"`
	Until        time.Time `query:"until" doc:"Before this moment"`
}

func (q AuditQuery) filter() store.AuditFilter {
	return store.AuditFilter{Actor: q.Actor, Action: q.Action, Target: q.Target, OrganizationID: q.Organization, From: q.Since, Until: q.Until}
}

type listAuditInput struct {
	Paging
	AuditQuery
}

type verifyInput struct {
	Expect string `query:"expect" maxLength:"96" doc:"A head that was noted down earlier, number:hash: it has to be in the chain"`
}

type verifyOutput struct{ Body verifyView }

type verifyView struct {
	Intact  bool   `json:"intact"`
	Entries uint64 `json:"entries" doc:"How many were read"`
	First   uint64 `json:"first,omitempty" doc:"Number of the first entry that is kept"`
	Head    string `json:"head,omitempty" doc:"The newest entry, number:hash: keep it elsewhere, and expect it at the next check"`
	Broken  uint64 `json:"broken,omitempty" doc:"Number of the first entry that is not sound"`
	Problem string `json:"problem,omitempty" doc:"What is wrong with it"`
}

// EntryPath names an entry.
type EntryPath struct {
	Seq uint64 `path:"entry"`
}

func (h *Handler) routeAudit(t *table) {
	endpoint(t, Admin, operation{Method: "GET", Path: "/audit", In: anywhere, Name: "list-audit", Summary: "List audit entries, newest first", Tag: "audit"},
		func(ctx context.Context, _ Principal, in *listAuditInput) (*pageOutput[auditView], error) {
			page, err := h.listAudit(ctx, in.Paging, in.AuditQuery)
			return &pageOutput[auditView]{page}, err
		})
	endpoint(t, Admin, operation{Method: "GET", Path: "/audit/entries/{entry}", In: byObject, Name: "get-audit-entry", Summary: "Show an audit entry", Tag: "audit"},
		func(ctx context.Context, _ Principal, in *EntryPath) (*one[auditView], error) {
			e, err := h.auditEntry(ctx, in.Seq)
			return &one[auditView]{Body: viewAudit(e)}, err
		})
	endpoint(t, Admin, operation{Method: "GET", Path: "/audit/export", In: anywhere, Name: "export-audit", Summary: "Audit entries as JSON lines, oldest first, as they are stored", Tag: "audit"},
		func(ctx context.Context, p Principal, in *AuditQuery) (*huma.StreamResponse, error) {
			if err := in.mayExport(p); err != nil {
				return nil, err
			}
			return &huma.StreamResponse{Body: func(hc huma.Context) {
				hc.SetHeader("Content-Type", auditLines)
				h.streamAudit(ctx, hc.BodyWriter(), *in)
			}}, nil
		})
	endpoint(t, Owner, operation{Method: "GET", Path: "/audit/verify", Name: "verify-audit", Summary: "Walk the whole hash chain", Tag: "audit"},
		func(ctx context.Context, _ Principal, in *verifyInput) (*verifyOutput, error) {
			v, err := h.verifyAudit(ctx, in.Expect)
			return &verifyOutput{v}, err
		})
}

// listAudit: an organization's admins see what concerns it.
func (h *Handler) listAudit(ctx context.Context, in Paging, q AuditQuery) (Page[auditView], error) {
	name := strings.Join([]string{"audit", q.Actor, q.Action, q.Target, stamp(q.Since), stamp(q.Until)}, "\n")
	return listOf(ctx, h, in, listing[store.AuditEntry]{
		name: name, organization: q.Organization,
		all: func(tx store.Tx, p store.Page) ([]store.AuditEntry, string, error) {
			return h.store.AuditPage(tx, q.filter(), p)
		},
		of: func(tx store.Tx, organization string, p store.Page) ([]store.AuditEntry, string, error) {
			f := q.filter()
			f.OrganizationID = organization
			return h.store.AuditPage(tx, f, p)
		},
	}, plain(viewAudit))
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func (h *Handler) auditEntry(ctx context.Context, seq uint64) (e store.AuditEntry, err error) {
	err = h.store.View(ctx, func(tx store.Tx) error {
		e, err = h.store.AuditEntry(tx, seq)
		return err
	})
	return e, err
}

func (h *Handler) verifyAudit(ctx context.Context, expect string) (verifyView, error) {
	var anchors []store.AuditAnchor
	if expect != "" {
		a, err := store.ParseAuditAnchor(expect)
		if err != nil {
			return verifyView{}, problem(http.StatusBadRequest, "The expected head is not one: it is the number of an entry, a colon and its hash.",
				&huma.ErrorDetail{Location: "query.expect", Message: "is not a number, a colon and 64 hex digits"})
		}
		anchors = append(anchors, a)
	}
	report, err := h.store.VerifyAudit(ctx, anchors...)
	v := verifyView{Intact: err == nil, Entries: report.Entries, First: report.First, Head: report.Head.String()}
	var fault *store.AuditFault
	switch {
	case errors.As(err, &fault):
		v.Broken, v.Problem, err = fault.Seq, err.Error(), nil // numbers only, no content
	case errors.Is(err, store.ErrAudit):
		v.Problem, err = err.Error(), nil
	case errors.Is(err, store.ErrAuditGone):
		return v, problem(http.StatusConflict, "The expected head is of an entry whose time was over: it was removed as the configuration says. Expect a newer one.")
	}
	return v, err
}
