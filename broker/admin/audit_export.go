package admin

import (
	"context"
	"io"
	"net/http"

	"gatehouse/store"
)

// auditLines is the media type of JSON lines.
const auditLines = "application/jsonl; charset=utf-8"

// exportBatch is how many entries one transaction reads, so that a slow reader
// holds none open.
const exportBatch = 500

// mayExport: an organization's admins name their organization.
func (q AuditQuery) mayExport(p Principal) error {
	if p.sees(q.Organization) {
		return nil
	}
	if q.Organization == "" {
		return problem(http.StatusForbidden, "Name your organization: the whole audit is for the platform's own people.")
	}
	return store.ErrNotFound
}

// streamAudit writes entries that fit, oldest first, in the bytes that are
// stored. It ends with what was newest when it began; after a fault the last
// line is an error and no entry, which no verification takes.
func (h *Handler) streamAudit(ctx context.Context, w io.Writer, q AuditQuery) {
	if err := h.writeAudit(ctx, w, q.filter()); err != nil && ctx.Err() == nil {
		h.log.ErrorContext(ctx, "audit export ended early", "error", err)
		_, _ = io.WriteString(w, `{"error":"the export ended early"}`+"\n")
	}
}

func (h *Handler) writeAudit(ctx context.Context, w io.Writer, filter store.AuditFilter) error {
	var after, last uint64
	begin := filter == store.AuditFilter{} // only a whole export can be verified
	for done := false; !done; {
		var found []store.AuditEntry
		err := h.store.View(ctx, func(tx store.Tx) (err error) {
			if last == 0 {
				if last, err = h.store.AuditLast(tx); err != nil || last == 0 {
					done = true
					return err
				}
			}
			if begin {
				start, err := h.store.AuditStart(tx)
				if err != nil {
					return err
				}
				begin = false
				if err := store.WriteAuditBegin(w, start); err != nil {
					return err
				}
			}
			var end bool
			found, after, end, err = h.store.AuditForward(tx, filter, after, exportBatch)
			done = end || after >= last
			return err
		})
		if err != nil {
			return err
		}
		for _, e := range found {
			if err := store.WriteAuditLine(w, e); err != nil {
				return err
			}
		}
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
	}
	return nil
}
