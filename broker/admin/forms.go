package admin

import (
	"errors"
	"mime"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"gatehouse/templates"
)

// How long forms may be, in bytes: a stranger's is small, the JSON editor's a
// whole record with every character escaped.
const (
	maxForm   = 16 << 10
	maxRecord = 768 << 10
)

// checkForm parses a form and compares its token; 0 when all is well. The
// field is named csrf; nothing is read from the URL (Z2).
func (h *Handler) checkForm(w http.ResponseWriter, r *http.Request, p Principal) int {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return http.StatusUnsupportedMediaType
	}
	most := int64(maxForm)
	if p.SignedIn() {
		most = maxRecord
	}
	r.Body = http.MaxBytesReader(w, r.Body, most)
	if err := r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return http.StatusRequestEntityTooLarge
		}
		return http.StatusBadRequest
	}
	binding := p.credential.sessionHash
	if binding == "" {
		if id := h.cookies.read(r, cookieForm); id != "" {
			binding = "form:" + id
		}
	}
	if len(r.PostForm["csrf"]) != 1 || !h.csrf.valid(r.PostForm.Get("csrf"), binding) {
		return http.StatusForbidden
	}
	return 0
}

func formSentence(status int) string {
	switch status {
	case http.StatusForbidden:
		return "This form is too old or was not shown to this browser. Open the page again."
	case http.StatusUnsupportedMediaType:
		return "Forms are sent as application/x-www-form-urlencoded."
	}
	return "This form cannot be read."
}

// anonymous is what a visitor's forms are bound to, a cookie of its own, and
// their token.
func (h *Handler) anonymous(w http.ResponseWriter, r *http.Request) (binding, token string) {
	id := h.cookies.read(r, cookieForm)
	if len(id) != 43 {
		id = randomValue()
		h.cookies.set(w, cookieForm, id, 0)
	}
	return "form:" + id, h.csrf.token("form:" + id)
}

// pageError answers a page request that failed.
func (h *Handler) pageError(w http.ResponseWriter, r *http.Request, p Principal, err error) {
	if errors.Is(err, errStepUp) {
		h.goConfirm(w, r)
		return
	}
	h.pageProblem(w, r, p, h.problemFor(r.Context(), err))
}

// pageProblem draws the error page that fits a problem's status.
func (h *Handler) pageProblem(w http.ResponseWriter, r *http.Request, p Principal, m *huma.ErrorModel) {
	kind := templates.ErrorInternal
	switch m.Status {
	case http.StatusForbidden, http.StatusUnauthorized, http.StatusMisdirectedRequest:
		kind = templates.ErrorForbidden
	case http.StatusNotFound:
		kind = templates.ErrorNotFound
	case http.StatusMethodNotAllowed:
		kind = templates.ErrorMethodNotAllowed
	case http.StatusConflict, http.StatusPreconditionFailed:
		kind = templates.ErrorConflict
	case http.StatusTooManyRequests:
		kind = templates.ErrorTooMany
	case http.StatusBadRequest, http.StatusUnsupportedMediaType, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		kind = templates.ErrorRequestInvalid
	}
	if m.Status == http.StatusForbidden && m.Detail == formSentence(http.StatusForbidden) {
		kind = templates.ErrorFormExpired
	}
	h.drawn(r, h.in(r, p).Error(w, m.Status, templates.ErrorPage{
		Kind: kind, Correlation: r.Header.Get("X-Request-Id"), Restart: "/",
	}))
}

// drawn logs a page that could not be drawn or sent.
func (h *Handler) drawn(r *http.Request, err error) {
	if err != nil && r.Context().Err() == nil {
		h.log.WarnContext(r.Context(), "console page not sent", "error", err, "request_id", r.Header.Get("X-Request-Id"))
	}
}
