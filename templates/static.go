package templates

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed static
var staticFiles embed.FS

// asset is one static file, ready to send.
type asset struct {
	body        []byte
	contentType string
}

// assets holds the static files under names that change with their content, so
// a browser may keep each for ever and never sees an old one.
type assets struct {
	urls   map[string]string // "app.css" → "/static/app.1f2e3d4c5b6a.css"
	byName map[string]asset  // "app.1f2e3d4c5b6a.css" → file
}

func loadAssets(base string) (assets, error) {
	a := assets{urls: make(map[string]string), byName: make(map[string]asset)}
	entries, err := fs.ReadDir(staticFiles, "static")
	if err != nil {
		return a, err
	}
	types := map[string]string{
		".css": "text/css; charset=utf-8",
		".js":  "text/javascript; charset=utf-8",
		".svg": "image/svg+xml",
	}
	for _, e := range entries {
		body, err := staticFiles.ReadFile("static/" + e.Name())
		if err != nil {
			return a, err
		}
		ext := path.Ext(e.Name())
		if types[ext] == "" {
			return a, fmt.Errorf("templates: static file %s has no known type", e.Name())
		}
		sum := sha256.Sum256(body)
		hashed := strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		a.urls[e.Name()] = base + "/static/" + hashed
		a.byName[hashed] = asset{body, types[ext]}
	}
	return a, nil
}

// Static serves the style sheets and scripts. Mount it at "/static/" (below
// Config.BasePath if that is set). Only exact names exist; there is no listing.
func (t *Templates) Static() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.SetHeaders(w.Header())
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		file, ok := t.assets.byName[path.Base(r.URL.Path)]
		if !ok {
			file, ok = accentFile(path.Base(r.URL.Path))
		}
		if !ok || path.Dir(r.URL.Path) != t.config.BasePath+"/static" {
			http.Error(w, "not found", http.StatusNotFound)
			return
		}
		h := w.Header()
		h.Set("Content-Type", file.contentType)
		h.Set("Content-Length", strconv.Itoa(len(file.body)))
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		if r.Method == http.MethodGet {
			_, _ = w.Write(file.body) // the client has gone; nobody is left to tell
		}
	})
}
