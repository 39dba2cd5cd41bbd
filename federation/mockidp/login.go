package mockidp

import "net/http"

// serveLogin takes the login page's form. A page may be sent again, for example
// after the back button: there is no password, so there is nothing to replay.
func (p *Provider) serveLogin(w http.ResponseWriter, r *http.Request) {
	tx := single(r.PostForm, "tx")
	req, ok := p.pending.get(tx)
	if !ok {
		p.errorPage(w, "This sign-in page is too old. Go back to the application and start again.")
		return
	}
	if single(r.PostForm, "action") == "cancel" {
		p.respondError(w, r, req, problem{"access_denied", "the person cancelled the sign-in"})
		return
	}
	name := single(r.PostForm, "username")
	if problem := checkUsername(name); problem != "" {
		p.loginPage(w, http.StatusUnprocessableEntity, tx, p.clients[req.client], name, problem)
		return
	}
	p.finish(w, r, req, p.startSession(w, r, name))
}
