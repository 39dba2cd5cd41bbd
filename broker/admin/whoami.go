package admin

import (
	"context"
	"net/http"
)

type whoamiOutput struct {
	Body struct {
		User string `json:"user"`
		Name string `json:"name"`
		Role string `json:"role,omitempty" doc:"On the platform"`
		// Organizations where the caller has a role.
		Organizations map[string]string `json:"organizations,omitempty" doc:"Role by organization: owner, admin or approver"`
		Scopes        []string          `json:"scopes,omitempty" doc:"Of the API token, when it has any"`
		Via           string            `json:"via" enum:"console,api,cli"`
		Version       string            `json:"version"`
		Issuer        string            `json:"issuer" doc:"Of the public listener"`
		CSRF          string            `json:"csrf_token,omitempty" doc:"For X-CSRF-Token; console sessions only"`
	}
}

func (h *Handler) routeWhoami(t *table) {
	endpoint(t, SignedIn, operation{Method: "GET", Path: "/whoami", Name: "whoami", Summary: "Who the caller is", Tag: "me"},
		func(_ context.Context, p Principal, _ *struct{}) (*whoamiOutput, error) {
			out := &whoamiOutput{}
			out.Body.User, out.Body.Name, out.Body.Role, out.Body.Via = p.UserID, p.Name, p.Role, p.Via
			out.Body.Organizations, out.Body.Scopes = p.roles(), p.scopes
			out.Body.Version, out.Body.Issuer = h.version, h.issuer
			if p.Via == viaConsole {
				out.Body.CSRF = h.csrf.token(p.credential.sessionHash)
			}
			return out, nil
		})
	endpoint(t, SignedIn, operation{Method: "PUT", Path: "/me/password", Name: "change-own-password", Summary: "Change your password; other sessions and your API tokens end", Status: http.StatusNoContent, Tag: "me"}, h.changeOwnPassword)
	t.add(&Route{Method: "GET", Path: "/api/v1/openapi.json", Level: Anyone, Name: "openapi"})
	t.mux.HandleFunc("GET /api/v1/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(h.openapi) // the client has gone; nobody is left to tell
	})
}
