package broker

import (
	"errors"
	"net/http"

	"gatehouse/store"
)

// anyOrigin lets every site read a public document.
func anyOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
		next.ServeHTTP(w, r)
	})
}

// cors lets the pages of registered clients read answers of the API endpoints.
// Never with credentials: these endpoints read no cookie (SECURITY-CASES B2).
func (b *Broker) cors(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if origin == "" || !b.knownOrigin(r, origin) {
			if r.Method == http.MethodOptions {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			next.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Add("Vary", "Origin")
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", "WWW-Authenticate")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", "GET, POST")
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
			h.Set("Access-Control-Max-Age", "600")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// knownOrigin reports whether an enabled client registered the origin.
func (b *Broker) knownOrigin(r *http.Request, origin string) bool {
	known := false
	err := b.store.View(r.Context(), func(tx store.Tx) error {
		clients, _, err := b.store.Clients.ByIndex(tx, "origin", origin, store.Page{Limit: 20})
		for _, c := range clients {
			known = known || !c.Disabled
		}
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		b.logger.Error("origin not looked up", "cause", err.Error(), "request_id", requestID(r))
		return false
	}
	return known
}
