package broker

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"

	"gatehouse/store"
)

// writeJSON answers an API request. Token answers must never be stored
// (RFC 6749 §5.1).
func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// writeOAuthError answers an API request with an error (RFC 6749 §5.2) and logs
// its cause once.
func (b *Broker) writeOAuthError(w http.ResponseWriter, r *http.Request, err error) {
	e := asOAuth(err)
	b.logRefusal(r, e)
	if e.Status == http.StatusUnauthorized && e.Code == "invalid_client" {
		w.Header().Set("WWW-Authenticate", `Basic realm="gatehouse"`)
	}
	if e.Status == http.StatusServiceUnavailable || e.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "5")
	}
	body := map[string]string{"error": e.Code, "error_description": e.Description + reference(r)}
	if e.accessRequest != "" {
		body["access_request"] = e.accessRequest
	}
	writeJSON(w, e.Status, body)
}

// logRefusal writes the one line about a refused request. Descriptions are
// fixed sentences; causes of ours hold no secret and no upstream text.
func (b *Broker) logRefusal(r *http.Request, e *oauthError) {
	level := slog.LevelInfo
	if e.Status >= 500 {
		level = slog.LevelError
	}
	attrs := []any{"error", e.Code, "why", e.Description, "request_id", requestID(r), "path", r.URL.Path}
	if e.cause != nil {
		attrs = append(attrs, "cause", store.Scrub(r.Context(), e.cause.Error()))
	}
	b.logger.Log(r.Context(), level, "request refused", logged(r.Context(), attrs)...)
}

// writeBearerError answers at a resource of ours (RFC 6750 §3).
func (b *Broker) writeBearerError(w http.ResponseWriter, r *http.Request, status int, code, description string) {
	challenge := `Bearer realm="gatehouse"`
	if code != "" {
		challenge += `, error="` + code + `", error_description="` + description + `"`
	}
	w.Header().Set("WWW-Authenticate", challenge)
	if code == "" {
		writeJSON(w, status, struct{}{})
		return
	}
	b.logger.Info("request refused", "error", code, "why", description, "request_id", requestID(r), "path", r.URL.Path)
	writeJSON(w, status, map[string]string{"error": code, "error_description": description})
}

// requestID is what the outermost middleware put there; it overwrites what a
// caller sends.
func requestID(r *http.Request) string { return r.Header.Get("X-Request-Id") }

// allowMethods answers 405 for anything but the methods (RFC 9110 §15.5.6).
func allowMethods(w http.ResponseWriter, r *http.Request, methods ...string) bool {
	for _, m := range methods {
		if r.Method == m {
			return true
		}
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	w.WriteHeader(http.StatusMethodNotAllowed)
	return false
}
