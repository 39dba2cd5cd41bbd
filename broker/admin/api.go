package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"gatehouse/profile"
)

// newAPI is huma without what must not be on: no docs page from a CDN, no
// $schema built from the Host header, no fallback formats.
func newAPI(mux *http.ServeMux, baseURL, version string) huma.API {
	format := huma.Format{Marshal: marshalJSON, Unmarshal: unmarshalJSON}
	return humago.New(mux, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Gatehouse admin API", Version: version,
				Description: "Organizations, domains, connections, clients, users, access requests, sessions and audit of a Gatehouse. Errors are RFC 9457 problems.",
			},
			Servers: []*huma.Server{{URL: baseURL}},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"token":   {Type: "http", Scheme: "bearer", Description: "API token, gh_…"},
					"session": {Type: "apiKey", In: "cookie", Name: cookieSession, Description: "Console session; changes also need X-CSRF-Token"},
				},
			},
		},
		Formats:       map[string]huma.Format{"application/json": format, "json": format}, // "json" is for problem+json
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{scrub},
	})
}

func marshalJSON(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) }

// unmarshalJSON refuses what two readers could read differently (duplicate and
// case-variant members) and never quotes the text in its errors.
func unmarshalJSON(data []byte, v any) error {
	if _, err := profile.ParseJSON(data, profile.Limits{Bytes: maxConfigurationBody, Depth: 16}); err != nil {
		return fmt.Errorf("is not acceptable JSON: %w", err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		var t *json.UnmarshalTypeError
		if errors.As(err, &t) {
			return fmt.Errorf("has the wrong type at %q", t.Field)
		}
		return errors.New("is not acceptable JSON")
	}
	return nil
}

// tidySchemas corrects what huma generates: arrays are not nullable and errors
// have no "value" member, because scrub takes it out.
func tidySchemas(api huma.API) {
	for name, s := range api.OpenAPI().Components.Schemas.Map() {
		tidySchema(s)
		if name == "ErrorDetail" {
			delete(s.Properties, "value")
		}
	}
	for _, path := range api.OpenAPI().Paths {
		for _, op := range []*huma.Operation{path.Get, path.Post, path.Put, path.Patch, path.Delete} {
			if op == nil {
				continue
			}
			for _, p := range op.Parameters {
				tidySchema(p.Schema)
			}
			if op.RequestBody != nil {
				for _, c := range op.RequestBody.Content {
					tidySchema(c.Schema)
				}
			}
		}
	}
}

func tidySchema(s *huma.Schema) {
	if s == nil {
		return
	}
	if s.Type == huma.TypeArray {
		s.Nullable = false
	}
	tidySchema(s.Items)
	for _, p := range s.Properties {
		tidySchema(p)
	}
	if extra, ok := s.AdditionalProperties.(*huma.Schema); ok {
		tidySchema(extra)
	}
}

// jsonOnly lets only application/json bodies reach the API: a form or
// text/plain from another site needs no preflight (B1).
func (h *Handler) jsonOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") && !safe(r.Method) && (r.ContentLength != 0 || r.Header.Get("Content-Type") != "") {
			kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
			charset := strings.ToLower(params["charset"])
			if err != nil || kind != "application/json" || charset != "" && charset != "utf-8" {
				h.writeProblem(w, r, problem(http.StatusUnsupportedMediaType, "Send the body as application/json."))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
