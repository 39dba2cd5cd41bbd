package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"gatehouse/store"
)

// Bounds of Idempotency-Key.
const (
	idempotencyHeader = "Idempotency-Key"
	answersKept       = 24 * time.Hour
	// unansweredFor is how long a request that never finished (the process was
	// killed) keeps its key.
	unansweredFor     = time.Minute
	answersPerCaller  = 1000
	maxIdempotencyKey = 255
)

// idempotencyParameter is how OpenAPI shows the header.
func idempotencyParameter() *huma.Param {
	return &huma.Param{
		Name: idempotencyHeader, In: "header",
		Description: "Made up by the caller. The same key with the same request within 24 hours gets the first answer again and does nothing; with another request 422; while the first is under way 409.",
		Schema:      &huma.Schema{Type: huma.TypeString, MaxLength: ptr(maxIdempotencyKey), MinLength: ptr(1)},
	}
}

func ptr[T any](v T) *T { return &v }

// idempotent answers a repeated POST with what the first was answered. Only
// answers to what succeeded are kept: a refused request changed nothing and may
// be sent again. It runs behind the guard, so an answer goes to its caller only,
// and only while they may still ask.
func (h *Handler) idempotent(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	key := r.Header.Get(idempotencyHeader)
	if key == "" {
		next(ctx)
		return
	}
	p := principalFrom(ctx.Context())
	refuse := func(err error) { h.writeProblem(w, r, h.problemFor(r.Context(), err)) }
	if len(r.Header.Values(idempotencyHeader)) > 1 || len(key) > maxIdempotencyKey || !visibleASCII(key) {
		refuse(problem(http.StatusBadRequest, "Idempotency-Key must be there once, with 1 to 255 visible ASCII characters."))
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, ctx.Operation().MaxBodyBytes+1))
	if err != nil {
		refuse(problem(http.StatusBadRequest, "The body cannot be read."))
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	mine := store.IdempotentAnswer{
		Key: store.HashToken(p.UserID + "\n" + key), Caller: p.UserID,
		RequestHash: store.HashToken(r.Method + "\n" + r.URL.RequestURI() + "\n" + r.Header.Get("If-Match") + "\n" + string(body)),
		ExpiresAt:   h.now().UTC().Add(unansweredFor),
	}
	first, err := h.beginAnswer(r.Context(), mine)
	if err != nil {
		refuse(err)
		return
	}
	if first.Status != 0 {
		h.replay(w, r, first)
		return
	}
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	next(huma.WithContext(humago.NewContext(ctx.Operation(), r, rec), ctx.Context()))
	// The answer is kept even when the caller has gone: they will ask again.
	if err := h.keepAnswer(context.WithoutCancel(r.Context()), mine, rec); err != nil {
		h.log.ErrorContext(r.Context(), "answer to an idempotent request not kept", "error", err, "request_id", p.requestID)
	}
	rec.copyTo(w)
}

// keptAnswer is what an IdempotentAnswer seals.
type keptAnswer struct {
	ContentType string `json:"type"`
	Body        []byte `json:"body"`
}

// beginAnswer takes the key for this request. It returns the answer that the
// same request got before; its Status is 0 when this one is the first.
func (h *Handler) beginAnswer(ctx context.Context, mine store.IdempotentAnswer) (first store.IdempotentAnswer, err error) {
	err = h.store.Update(ctx, func(tx store.Tx) error {
		var err error
		first, err = h.store.Answers.Get(tx, mine.Key)
		switch {
		case err != nil && !errors.Is(err, store.ErrNotFound):
			return err
		case err == nil && h.now().Before(first.ExpiresAt):
			switch {
			case first.RequestHash != mine.RequestHash:
				return problem(http.StatusUnprocessableEntity, "This Idempotency-Key was used for another request. Make up a new one for each request.")
			case first.Status == 0:
				return problem(http.StatusConflict, "A request with this Idempotency-Key is under way. Wait and send it again.")
			}
			return nil
		}
		n, err := h.store.Answers.CountByIndex(tx, "caller", mine.Caller, answersPerCaller)
		if err != nil {
			return err
		}
		if n >= answersPerCaller {
			return problem(http.StatusTooManyRequests, "There are 1000 remembered answers of yours. They are forgotten after 24 hours; send the request without Idempotency-Key.")
		}
		first = store.IdempotentAnswer{}
		return h.store.Answers.Upsert(tx, mine)
	})
	return first, err
}

// keepAnswer remembers a success and gives the key of anything else back.
func (h *Handler) keepAnswer(ctx context.Context, mine store.IdempotentAnswer, rec *recorder) error {
	if rec.status < 200 || rec.status > 299 {
		return h.store.Update(ctx, func(tx store.Tx) error { return h.store.Answers.Delete(tx, mine.Key) })
	}
	raw, err := json.Marshal(keptAnswer{ContentType: rec.header.Get("Content-Type"), Body: rec.body.Bytes()})
	if err != nil {
		return err
	}
	mine.Status, mine.ETag, mine.ExpiresAt = rec.status, rec.header.Get("ETag"), h.now().UTC().Add(answersKept)
	mine.Body = store.Seal(store.Secret(raw))
	return h.store.Update(ctx, func(tx store.Tx) error { return h.store.Answers.Upsert(tx, mine) })
}

func (h *Handler) replay(w http.ResponseWriter, r *http.Request, a store.IdempotentAnswer) {
	var kept keptAnswer
	raw, err := a.Body.Reveal()
	if err == nil {
		err = json.Unmarshal([]byte(raw.Reveal()), &kept)
	}
	if err != nil {
		h.writeProblem(w, r, h.problemFor(r.Context(), err))
		return
	}
	if a.ETag != "" {
		w.Header().Set("ETag", a.ETag)
	}
	if kept.ContentType != "" {
		w.Header().Set("Content-Type", kept.ContentType)
	}
	w.Header().Set("Idempotent-Replayed", "true")
	w.WriteHeader(a.Status)
	_, _ = w.Write(kept.Body) // the client has gone; nobody is left to tell
}

// copyTo sends a kept answer on.
func (r *recorder) copyTo(w http.ResponseWriter) {
	for name, values := range r.header {
		w.Header()[name] = values
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body.Bytes())
}
