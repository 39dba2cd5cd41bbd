package templates

import (
	"encoding/json"
	"flag"
	"os"
	"testing"
)

var gallery = flag.String("gallery", "", "write every sample page and static file as JSON to this file, to look at in a browser")

// TestGallery hands the pages to whoever wants to look at them:
// go test ./templates -run Gallery -gallery /tmp/pages.json
func TestGallery(t *testing.T) {
	t.Parallel()
	if *gallery == "" {
		t.Skip("only with -gallery")
	}
	type page struct {
		Headers map[string]string `json:"headers"`
		Body    string            `json:"body"`
	}
	pages, out := newTemplates(t), map[string]page{}
	for _, s := range samples() {
		w := drawn(t, pages, s)
		h := map[string]string{}
		for k := range w.Header() {
			h[k] = w.Header().Get(k)
		}
		out["/"+s.name] = page{h, w.Body.String()}
	}
	for name, file := range pages.assets.byName {
		out["/static/"+name] = page{map[string]string{"Content-Type": file.contentType}, string(file.body)}
	}
	b, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(*gallery, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
