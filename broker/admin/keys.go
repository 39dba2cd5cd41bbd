package admin

import (
	"context"
	"net/http"
	"slices"
	"time"

	"gatehouse/store"
)

// SigningKeys is what the admin listener does with our signing keys.
type SigningKeys interface {
	// RotateIn publishes a successor of the keys of an algorithm, in a change of
	// the caller's.
	RotateIn(ctx context.Context, algorithm string, change func(func(*store.Change) error) error) error
}

// keyView is a signing key without its private half.
type keyView struct {
	ID        string     `json:"id" doc:"The kid of the tokens it signs"`
	Algorithm string     `json:"algorithm"`
	State     string     `json:"state" enum:"published,signing,retired" doc:"Published keys sign from active_at on; retired ones still prove tokens until remove_at"`
	CreatedAt time.Time  `json:"created_at"`
	ActiveAt  time.Time  `json:"active_at"`
	RetiredAt *time.Time `json:"retired_at,omitempty"`
	RemoveAt  *time.Time `json:"remove_at,omitempty"`
}

func (h *Handler) viewKey(k store.SigningKey) keyView {
	v := keyView{ID: k.ID, Algorithm: k.Algorithm, State: "signing", CreatedAt: k.CreatedAt, ActiveAt: k.ActiveAt, RetiredAt: moment(k.RetiredAt), RemoveAt: moment(k.RemoveAt)}
	switch {
	case h.now().Before(k.ActiveAt):
		v.State = "published"
	case !k.RetiredAt.IsZero() && !h.now().Before(k.RetiredAt):
		v.State = "retired"
	}
	return v
}

type rotateKeysInput struct {
	Body struct {
		Algorithm string `json:"algorithm" enum:"ES256,RS256"`
	}
}

func (h *Handler) routeKeys(t *table) {
	endpoint(t, Admin, operation{Method: "GET", Path: "/keys", Name: "list-keys", Summary: "List the keys that sign our tokens", Tag: "keys"},
		func(ctx context.Context, _ Principal, in *Paging) (*pageOutput[keyView], error) {
			page, err := h.listKeys(ctx, *in)
			return &pageOutput[keyView]{page}, err
		})
	endpoint(t, Owner, operation{Method: "POST", Path: "/keys/rotate", Name: "rotate-keys", Summary: "Publish the successor of a signing key now; it signs a day later, so that apps have met it", Status: http.StatusNoContent, Tag: "keys", Dangerous: true},
		func(ctx context.Context, p Principal, in *rotateKeysInput) (*none, error) {
			return nil, h.rotateKeys(ctx, p, in.Body.Algorithm)
		})
}

func (h *Handler) listKeys(ctx context.Context, in Paging) (Page[keyView], error) {
	page, err := list(ctx, h, "keys", in, h.store.SigningKeys.List, plain(h.viewKey))
	slices.SortStableFunc(page.Items, func(a, b keyView) int { return b.ActiveAt.Compare(a.ActiveAt) })
	return page, err
}

// rotateKeys: a successor that is published already is enough.
func (h *Handler) rotateKeys(ctx context.Context, p Principal, algorithm string) error {
	if h.keys == nil {
		return problem(http.StatusConflict, "Keys are rotated by the running server. Use --url instead of --config.")
	}
	if algorithm != "ES256" && algorithm != "RS256" {
		return fault("algorithm", "must be ES256 or RS256")
	}
	return h.keys.RotateIn(ctx, algorithm, func(fn func(*store.Change) error) error { return h.change(ctx, p, fn) })
}
