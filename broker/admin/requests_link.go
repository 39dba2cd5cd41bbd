package admin

import (
	"context"
	"net/http"

	"gatehouse/store"
	"gatehouse/templates"
)

// candidatesView are the people whom a waiting person may be already.
type candidatesView struct {
	Items []userView `json:"items"`
}

type linkRequestInput struct {
	RequestPath
	Precondition
	Body struct {
		User     string `json:"user" maxLength:"64" doc:"One of the candidates"`
		Snapshot string `json:"snapshot,omitempty" maxLength:"64" doc:"The request's snapshot that was looked at"`
	}
}

func (h *Handler) routeRequestLinks(t *table) {
	const tag = "access requests"
	endpoint(t, Admin, operation{Method: "GET", Path: "/access-requests/{request}/candidates", In: byObject, Name: "list-access-request-candidates", Summary: "People of the organization whose proven address is the request's", Tag: tag},
		func(ctx context.Context, p Principal, in *RequestPath) (*one[candidatesView], error) {
			all, r, err := h.requestCandidates(ctx, p, in.ID)
			return &one[candidatesView]{etag(r.Revision), candidatesView{all}}, err
		})
	endpoint(t, Admin, operation{Method: "POST", Path: "/access-requests/{request}/link", In: byObject, Name: "link-access-request", Summary: "Say whose request it is: the new sign-in becomes that person's", Tag: tag},
		func(ctx context.Context, p Principal, in *linkRequestInput) (*one[requestView], error) {
			r, err := h.linkRequest(ctx, p, in)
			return &one[requestView]{etag(r.Revision), viewRequest(r)}, err
		})
	page(t, Admin, "GET", "/requests/{request}/link", "request-link", h.showLinkRequest).in(byObject).does("list-access-request-candidates")
	page(t, Admin, "POST", "/requests/{request}/link", "request-link-post", h.doLinkRequest).in(byObject).does("link-access-request").dangerous()
}

func (h *Handler) requestCandidates(ctx context.Context, p Principal, id string) (out []userView, r store.AccessRequest, err error) {
	err = h.store.View(ctx, func(tx store.Tx) error {
		out = []userView{}
		if r, err = h.store.AccessRequests.Get(tx, id); err != nil {
			return err
		}
		ids, err := h.provisioner.Candidates(tx, r)
		if err != nil {
			return err
		}
		for _, user := range ids {
			u, err := h.store.Users.Get(tx, user)
			if err != nil {
				return err
			}
			if user != p.UserID {
				out = append(out, viewUser(u))
			}
		}
		return nil
	})
	return out, r, err
}

// linkRequest needs rights over the person as a whole: whoever runs one of their
// organizations must not get in as them elsewhere.
func (h *Handler) linkRequest(ctx context.Context, p Principal, in *linkRequestInput) (r store.AccessRequest, err error) {
	err = h.change(ctx, p, func(ch *store.Change) error {
		before, err := h.store.AccessRequests.Get(ch.Tx, in.ID)
		if err != nil {
			return err
		}
		if err := in.match(before.Meta, nil); err != nil {
			return err
		}
		u, err := h.store.Users.Get(ch.Tx, in.Body.User)
		if err != nil {
			return err
		}
		if !Admin.Allows(p, Object{}) {
			of, err := h.organizationsOf(ch.Tx, u.ID)
			if err != nil {
				return err
			}
			if err := (gate{level: Admin, scope: byObject}).judge(p, of); err != nil {
				return err
			}
		}
		if err := h.mayTouchUser(ch.Tx, p, u); err != nil {
			return err
		}
		r, err = h.provisioner.ApproveAs(ch, in.ID, p.UserID, u.ID, in.Body.Snapshot)
		return err
	})
	return r, err
}

func (h *Handler) showLinkRequest(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawLinkRequest(w, r, p, http.StatusOK, "")
}

func (h *Handler) drawLinkRequest(w http.ResponseWriter, r *http.Request, p Principal, status int, problem string) {
	id := r.PathValue("request")
	all, req, err := h.requestCandidates(r.Context(), p, id)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	choice := templates.Input{Name: "user", Label: "Person", Kind: templates.InputSelect, Hint: "People of the organization whose proven address is the request's."}
	for _, u := range all {
		choice.Options = append(choice.Options, templates.Option{Value: u.ID, Title: attributesName(u.Attributes) + " " + u.Attributes.Email})
	}
	page := templates.FormPage{
		Frame: h.frame(r, p), Title: "Somebody known already", Intro: "The new sign-in becomes this person's. No new user is made.",
		Back: "/requests/" + id, BackTitle: "Request", Action: "/requests/" + id + "/link", Submit: "Link",
		Hidden: []templates.Field{{Name: "snapshot", Value: req.SnapshotHash}},
		Groups: []templates.FormGroup{{Title: "Person", Inputs: []templates.Input{choice}}},
	}
	page.Frame.Problem = problem
	h.drawn(r, h.templates.Form(w, status, page))
}

func (h *Handler) doLinkRequest(w http.ResponseWriter, r *http.Request, p Principal) {
	in := &linkRequestInput{RequestPath: RequestPath{r.PathValue("request")}}
	in.Body.User, in.Body.Snapshot = r.PostForm.Get("user"), r.PostForm.Get("snapshot")
	if _, err := h.linkRequest(r.Context(), p, in); err != nil {
		if m := h.problemFor(r.Context(), err); m.Status == http.StatusConflict || m.Status == http.StatusForbidden {
			h.drawLinkRequest(w, r, p, m.Status, m.Detail)
			return
		}
		h.pageError(w, r, p, err)
		return
	}
	http.Redirect(w, r, "/users/"+in.Body.User, http.StatusSeeOther)
}
