package admin

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"gatehouse/store"
)

// auditView is one entry of the hash chain.
type auditView struct {
	Seq       uint64         `json:"seq"`
	At        time.Time      `json:"at"`
	Actor     string         `json:"actor" doc:"User id, system or operator"`
	Via       string         `json:"via"`
	From      string         `json:"from,omitempty"`
	RequestID string         `json:"request_id,omitempty"`
	Action    string         `json:"action"`
	Target    string         `json:"target"`
	Detail    map[string]any `json:"detail,omitempty"`
	Hash      string         `json:"hash"`
}

func viewAudit(e store.AuditEntry) auditView {
	return auditView{
		Seq: e.Seq, At: e.At, Actor: e.Actor.UserID, Via: e.Actor.Via, From: e.Actor.From, RequestID: e.Actor.RequestID,
		Action: e.Action, Target: e.Target, Detail: e.Detail, Hash: hex.EncodeToString(e.Hash),
	}
}

type verifyOutput struct {
	Body struct {
		Intact  bool   `json:"intact"`
		Entries uint64 `json:"entries" doc:"How many were read"`
		Problem string `json:"problem,omitempty" doc:"The first entry that was altered, moved or removed"`
	}
}

func (h *Handler) routeAudit(t *table) {
	endpoint(t, Admin, operation{Method: "GET", Path: "/audit", Name: "list-audit", Summary: "List audit entries, newest first", Tag: "audit"},
		func(ctx context.Context, _ Principal, in *Paging) (*pageOutput[auditView], error) {
			page, err := h.listAudit(ctx, *in)
			return &pageOutput[auditView]{page}, err
		})
	endpoint(t, Owner, operation{Method: "GET", Path: "/audit/verify", Name: "verify-audit", Summary: "Walk the whole hash chain", Tag: "audit"},
		func(ctx context.Context, _ Principal, _ *struct{}) (*verifyOutput, error) {
			n, err := h.store.VerifyAudit(ctx)
			out := &verifyOutput{}
			out.Body.Intact, out.Body.Entries = err == nil, n
			if errors.Is(err, store.ErrAudit) {
				out.Body.Problem, err = err.Error(), nil // numbers only, no content
			}
			return out, err
		})
}

func (h *Handler) listAudit(ctx context.Context, in Paging) (Page[auditView], error) {
	return list(ctx, h, "audit", in, h.store.AuditPage, plain(viewAudit))
}
