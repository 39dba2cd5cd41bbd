package admin

import (
	"net/http"
	"net/url"
	"path"

	"gatehouse/store"
	"gatehouse/templates"
)

func (h *Handler) showUser(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawUser(w, r, p, http.StatusOK, "")
}

// drawUser shows a person: where they come from, their sessions, and what can
// be done.
func (h *Handler) drawUser(w http.ResponseWriter, r *http.Request, p Principal, status int, fault string) {
	id := r.PathValue("user")
	d, err := h.userDetail(r.Context(), id)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	sessions, err := h.listSessions(r.Context(), Paging{Limit: 50}, id)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	u := d.User
	name := attributesName(u.Attributes)
	if name == "" {
		name = u.ID
	}
	page := templates.DetailPage{Frame: h.frame(r, p), Title: name, State: onOff(u.Status != store.UserActive), Back: "/users", BackTitle: "People"}
	page.Frame.Problem = fault
	page.Groups = append(page.Groups, templates.Group{Title: "Person", Items: []templates.Item{
		{Label: "Id", Values: []templates.Cell{templates.CodeCell(u.ID)}},
		{Label: "E-mail", Values: []templates.Cell{templates.CodeCell(u.Attributes.Email)}},
		{Label: "Platform role", Values: []templates.Cell{templates.WordCell(u.PlatformRole)}},
		{Label: "Created by", Values: []templates.Cell{templates.CodeCell(u.CreatedBy)}},
		{Label: "Last sign-in", Values: []templates.Cell{timeCell(u.LastLoginAt)}},
	}})
	person := &page.Groups[0]
	if d.Source != nil {
		vouched := templates.WordCell("says so, but does not vouch for the e-mail address")
		if u.EmailVerified {
			vouched = templates.WordCell("vouches for the e-mail address")
		}
		person.Items = append(person.Items, templates.Item{Label: "Source", Values: []templates.Cell{
			templates.LinkCell(d.Source.Connection, connectionURL(d.Source.Connection, "")), templates.TimeCell(d.Source.At), vouched,
		}})
	}
	identities := templates.Group{Title: "Identities"}
	for _, i := range d.Identities {
		proof := templates.BadgeCell("not proven", templates.ToneWarn)
		if i.EmailVerified {
			proof = templates.BadgeCell("proven", templates.ToneGood)
		}
		item := templates.Item{Label: i.Connection, Values: []templates.Cell{
			templates.CodeCell(i.Issuer), templates.CodeCell(i.Subject), templates.TextCell(attributesName(i.Attributes)), templates.CodeCell(i.Email), proof, timeCell(i.LastLoginAt),
		}}
		if i.LinkedBy != "" {
			item.Values = append(item.Values, templates.WordCell("linked by "+i.LinkedBy), timeCell(i.LinkedAt))
		}
		identities.Items = append(identities.Items, item)
		if len(d.Identities) > 1 {
			page.Actions = append(page.Actions, templates.Action{
				ID: "unlink-" + i.ID, Title: "Unlink " + i.Connection, URL: "/users/" + u.ID + "/unlink?identity=" + url.QueryEscape(i.ID), Danger: true,
				Warning: "The person cannot sign in that way any more, and what was opened that way ends.",
			})
		}
	}
	for _, m := range d.Memberships {
		identities.Items = append(identities.Items, templates.Item{Label: "Member of", Values: []templates.Cell{
			templates.LinkCell(m.Organization, memberURL(m.Organization, u.ID)), templates.BadgeCell(m.Role, templates.ToneNone),
		}})
	}
	grants, err := h.listGrants(r.Context(), Paging{Limit: 50}, id)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	apps := templates.Group{Title: "Apps and devices"}
	for _, g := range grants.Items {
		if !g.Live {
			continue
		}
		apps.Items = append(apps.Items, templates.Item{Label: g.Client, Values: []templates.Cell{
			templates.CodeCell(g.ID), templates.TimeCell(g.CreatedAt), timeCell(g.LastUsedAt),
		}})
		page.Actions = append(page.Actions, templates.Action{ID: "end-grant-" + g.ID, Title: "End " + g.Client + " of " + g.CreatedAt.UTC().Format("2006-01-02 15:04"), URL: "/grants/" + g.ID + "/end"})
	}
	open := templates.Group{Title: "Sessions"}
	for _, s := range sessions.Items {
		open.Items = append(open.Items, templates.Item{Label: s.ID, Values: []templates.Cell{templates.TimeCell(s.LastSeenAt)}})
		page.Actions = append(page.Actions, templates.Action{
			ID: "end-" + s.ID, Title: "End session " + s.ID, URL: "/sessions/" + s.ID + "/end",
		})
	}
	page.Groups = append(page.Groups, identities, apps, open)
	page.Actions = append(page.Actions, templates.Action{
		ID: "sign-out", Title: "Sign out everywhere", URL: "/users/" + u.ID + "/sign-out",
		Warning: "All browsers and apps of this person must sign in again.",
	})
	if u.Status == store.UserActive {
		page.Actions = append(page.Actions, templates.Action{
			ID: "disable", Title: "Disable", URL: "/users/" + u.ID + "/disable", Danger: true,
			Warning: "This person cannot sign in any more, and all sessions and tokens end at once.",
		})
	} else {
		page.Actions = append(page.Actions, templates.Action{ID: "enable", Title: "Enable", URL: "/users/" + u.ID + "/enable"})
	}
	page.Actions = append(page.Actions, templates.Action{
		ID: "remove", Title: "Remove", URL: "/users/" + u.ID + "/remove", Danger: true,
		Warning: "The person and all of theirs is deleted: identities, memberships, passwords, passkeys, sessions, tokens. Nobody ever gets this id again.",
	})
	h.drawn(r, h.templates.Detail(w, status, page))
}

// doUser runs the action named by the last part of the path.
func (h *Handler) doUser(w http.ResponseWriter, r *http.Request, p Principal) {
	in := &userChangeInput{UserPath: UserPath{ID: r.PathValue("user")}}
	var err error
	var done string
	switch path.Base(r.URL.Path) {
	case "disable":
		done = "disabled"
		_, err = h.setUserStatus(r.Context(), p, in, store.UserDisabled)
	case "enable":
		done = "enabled"
		_, err = h.setUserStatus(r.Context(), p, in, store.UserActive)
	case "remove":
		if _, err = h.removeUser(r.Context(), p, in); err == nil {
			http.Redirect(w, r, "/users?done=removed", http.StatusSeeOther)
			return
		}
	case "unlink":
		done = "changed"
		out := &unlinkInput{UserPath: in.UserPath}
		out.Body.Identity = r.URL.Query().Get("identity")
		_, err = h.unlinkIdentity(r.Context(), p, out)
	default:
		done = "signed-out"
		_, err = h.signOutUser(r.Context(), p, &in.UserPath)
	}
	if err != nil {
		h.userProblem(w, r, p, err)
		return
	}
	http.Redirect(w, r, "/users/"+in.ID+"?done="+done, http.StatusSeeOther)
}

func (h *Handler) userProblem(w http.ResponseWriter, r *http.Request, p Principal, err error) {
	m := h.problemFor(r.Context(), err)
	if m.Status == http.StatusConflict || m.Status == http.StatusForbidden {
		h.drawUser(w, r, p, m.Status, m.Detail)
		return
	}
	h.pageProblem(w, r, p, m)
}

func (h *Handler) doEndSession(w http.ResponseWriter, r *http.Request, p Principal) {
	if err := h.endSession(r.Context(), p, r.PathValue("session")); err != nil {
		h.pageError(w, r, p, err)
		return
	}
	http.Redirect(w, r, "/sessions?done=ended", http.StatusSeeOther)
}
