package admin

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"gatehouse/templates"
)

func (h *Handler) routeMailPages(t *table) {
	page(t, Admin, "GET", "/mails", "mails", h.showMails).does("list-mails")
	page(t, Admin, "GET", "/mails/{mail}", "mail", h.showMail).does("get-mail")
	page(t, Admin, "POST", "/mails/{mail}/retry", "mail-retry", h.doRetryMail).does("retry-mail")
	page(t, Admin, "POST", "/mails/{mail}/delete", "mail-delete", h.doDeleteMail).does("delete-mail")
	page(t, Admin, "GET", "/mail-kinds", "mail-kinds", h.showMailKinds).does("list-mail-kinds")
	page(t, Admin, "POST", "/mail-test", "mail-test", h.doTestMail).does("test-mail")
	page(t, Admin, "GET", "/mail-kinds/{kind}", "mail-preview", h.showMailPreview).does("preview-mail")
	page(t, Admin, "GET", "/mail-kinds/{kind}/html", "mail-preview-html", h.showMailHTML).does("preview-mail")
}

func mailURL(id, rest string) string { return "/mails/" + url.PathEscape(id) + rest }

func mailState(v mailView) templates.Cell {
	tone := templates.ToneWarn
	if v.State == "refused" {
		tone = templates.ToneBad
	}
	return templates.BadgeCell(v.State, tone)
}

func (h *Handler) showMails(w http.ResponseWriter, r *http.Request, p Principal) {
	found, err := list(r.Context(), h, "mails", paging(r), h.store.Mails.List, plain(viewMail))
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	page := templates.ListPage{
		Frame: h.frame(r, p), Title: "Mails", Intro: "Mails that wait to be sent. What was sent is not kept.",
		Links:   []templates.Link{{ID: "kinds", Title: "Preview and test", URL: "/mail-kinds"}},
		Columns: []string{"Kind", "To", "State", "Since", "Attempts", "Tried next"},
		Empty:   templates.Empty{Title: "Nothing waits", Text: "Every mail was taken by the mail server.", Action: "Preview and test", URL: "/mail-kinds"},
	}
	if !h.mailKinds().Sending {
		page.Intro = "Mails are off: no mail server is configured. Set mail.smtp in the configuration."
	}
	for _, m := range found.Items {
		page.Rows = append(page.Rows, templates.Row{URL: mailURL(m.ID, ""), Cells: []templates.Cell{
			templates.CodeCell(m.Kind), templates.TextCell(m.To), mailState(m), templates.TimeCell(m.CreatedAt),
			templates.TextCell(strconv.Itoa(m.Attempts)), templates.TimeCell(m.NextAt),
		}})
	}
	onward(&page, r, found.Next)
	h.drawList(w, r, page)
}

func (h *Handler) showMail(w http.ResponseWriter, r *http.Request, p Principal) {
	m, err := h.mail(r.Context(), r.PathValue("mail"))
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	var f facts
	f.code("Id", m.ID)
	f.text("To", m.To)
	f.text("Language", m.Language)
	f.text("Attempts", strconv.Itoa(m.Attempts))
	f.text("Last error", m.LastError)
	f = append(f,
		templates.Item{Label: "Since", Values: []templates.Cell{templates.TimeCell(m.CreatedAt)}},
		templates.Item{Label: "Given up", Values: []templates.Cell{templates.TimeCell(m.ExpiresAt)}})
	h.drawn(r, h.templates.Detail(w, http.StatusOK, templates.DetailPage{
		Frame: h.frame(r, p), Title: m.Kind, State: mailState(viewMail(m)), Back: "/mails", BackTitle: "Mails",
		Groups: []templates.Group{{Title: "Mail", Items: f}},
		Actions: []templates.Action{
			{ID: "retry", Title: "Send now", URL: mailURL(m.ID, "/retry")},
			{ID: "delete", Title: "Give up", URL: mailURL(m.ID, "/delete"), Danger: true, Warning: "The mail is not sent. Links in it stay valid until they expire."},
		},
	}))
}

func (h *Handler) doRetryMail(w http.ResponseWriter, r *http.Request, p Principal) {
	if _, err := h.retryMail(r.Context(), p, &MailPath{ID: r.PathValue("mail")}); err != nil {
		h.pageError(w, r, p, err)
		return
	}
	http.Redirect(w, r, "/mails?done=queued", http.StatusSeeOther)
}

func (h *Handler) doDeleteMail(w http.ResponseWriter, r *http.Request, p Principal) {
	if _, err := h.deleteMail(r.Context(), p, &MailPath{ID: r.PathValue("mail")}); err != nil {
		h.pageError(w, r, p, err)
		return
	}
	http.Redirect(w, r, "/mails?done=given-up", http.StatusSeeOther)
}

// showMailKinds lists the mails there are, to be looked at in each language.
func (h *Handler) showMailKinds(w http.ResponseWriter, r *http.Request, p Principal) {
	kinds := h.mailKinds()
	var sending facts
	if kinds.Sending {
		sending.code("Sent through", kinds.Via)
	} else {
		sending = append(sending, templates.Item{Label: "Sent through", Values: []templates.Cell{templates.WordCell("Mails are off: no mail server is configured. Set mail.smtp in the configuration.")}})
	}
	previews := templates.Group{Title: "Previews"}
	for _, kind := range kinds.Kinds {
		item := templates.Item{Label: kind}
		for _, language := range kinds.Languages {
			item.Values = append(item.Values, templates.LinkCell(language, previewURL(kind, "", language)))
		}
		previews.Items = append(previews.Items, item)
	}
	page := templates.DetailPage{
		Frame: h.frame(r, p), Title: "Mails", Word: true, Back: "/mails", BackTitle: "Queue",
		Groups: []templates.Group{{Title: "Sending", Items: sending}, previews},
	}
	if kinds.Sending {
		page.Actions = []templates.Action{{ID: "test", Title: "Send me a test", URL: "/mail-test"}}
	}
	h.drawn(r, h.templates.Detail(w, http.StatusOK, page))
}

func (h *Handler) doTestMail(w http.ResponseWriter, r *http.Request, p Principal) {
	if _, err := h.testMail(r.Context(), p, &testMailInput{}); err != nil {
		h.pageError(w, r, p, err)
		return
	}
	http.Redirect(w, r, "/mail-kinds?done=queued", http.StatusSeeOther)
}

func previewURL(kind, rest, language string) string {
	return "/mail-kinds/" + url.PathEscape(kind) + rest + "?" + url.Values{"language": {language}}.Encode()
}

func (h *Handler) preview(r *http.Request, p Principal) (mailPreview, error) {
	out, err := h.previewMail(r.Context(), p, &previewMailInput{Kind: r.PathValue("kind"), Language: r.URL.Query().Get("language")})
	if err != nil {
		return mailPreview{}, err
	}
	return out.Body, nil
}

func (h *Handler) showMailPreview(w http.ResponseWriter, r *http.Request, p Principal) {
	m, err := h.preview(r, p)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	h.drawn(r, h.templates.Detail(w, http.StatusOK, templates.DetailPage{
		Frame: h.frame(r, p), Title: m.Kind, Back: "/mail-kinds", BackTitle: "Mails",
		Links:  []templates.Link{{ID: "html", Title: "As it looks", URL: previewURL(m.Kind, "/html", m.Language)}},
		Groups: []templates.Group{{Copies: []templates.Copy{{Label: "Subject", Text: m.Subject}, {Label: "Text", Text: m.Text}}}},
	}))
}

// showMailHTML shows the HTML part by itself. Nothing runs or loads in it but
// its own style sheet.
func (h *Handler) showMailHTML(w http.ResponseWriter, r *http.Request, p Principal) {
	m, err := h.preview(r, p)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	_, style, _ := strings.Cut(m.HTML, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	w.Header().Set("Content-Security-Policy", fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox", base64.StdEncoding.EncodeToString(sum[:])))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err = w.Write([]byte(m.HTML))
	h.drawn(r, err)
}
