package templates

import (
	"errors"
	"net/http"
	"strings"
)

// FormPostPage posts an authorization response to the app (OAuth 2.0 Form Post
// Response Mode). A script submits it at once; without JavaScript the visible
// button id="submit" does.
type FormPostPage struct {
	App    App
	Action string  // the proven redirect URI, http or https
	Fields []Field // in the order to send
	// FormAction adds origins the app's own callback redirects to. The origin of
	// Action is always allowed, and alone by default (V5).
	FormAction FormAction
}

// ErrFormPostTarget refuses a redirect URI that no form can be posted to.
var ErrFormPostTarget = errors.New("form_post needs an http or https redirect URI")

// FormPost draws the page.
func (t *Templates) FormPost(w http.ResponseWriter, status int, p FormPostPage) error {
	origin := formSource(p.Action)
	if appLink(p.Action) == "" || !strings.HasPrefix(origin, "http") {
		return ErrFormPostTarget
	}
	return t.render(w, status, "form_post", policyOnly(append([]string{p.Action}, p.FormAction...)), p)
}
