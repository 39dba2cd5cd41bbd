package admin

import (
	"net/http"
	"slices"

	"gatehouse/store"
	"gatehouse/templates"
)

// languageOf is the language of the console's pages: the one chosen on the
// account, else the browser's.
func languageOf(r *http.Request, p Principal) string {
	return templates.Wish{Chosen: p.language, Accept: r.Header.Get("Accept-Language")}.Language()
}

// in gives the pages that have no frame in the language of the browser.
func (h *Handler) in(r *http.Request, p Principal) *templates.Templates {
	return h.templates.In(languageOf(r, p))
}

// languageChoices shows which language is chosen and offers the others. Their
// names are in themselves, so that people find the one they read.
func languageChoices(page *templates.DetailPage, p Principal) {
	now := "As the browser asks"
	for _, c := range []struct{ code, title, chosen string }{
		{"en", "Show in English", "English"}, {"de", "Auf Deutsch anzeigen", "Deutsch"}, {"", "Show in the browser's language", now},
	} {
		if c.code == p.language {
			now = c.chosen
			continue
		}
		page.Actions = append(page.Actions, templates.Action{
			ID: "language-" + c.code, Title: c.title, URL: "/account/language", Fields: []templates.Field{{Name: "language", Value: c.code}},
		})
	}
	page.Groups = append(page.Groups, templates.Group{Title: "Language", Items: []templates.Item{
		{Label: "Pages and mails", Values: []templates.Cell{templates.WordCell(now)}},
	}})
}

// doLanguage chooses the language of one's own pages and mails; "" leaves it to
// the browser again.
func (h *Handler) doLanguage(w http.ResponseWriter, r *http.Request, p Principal) {
	language := r.PostForm.Get("language")
	if language != "" && !slices.Contains(templates.Languages(), language) {
		h.pageError(w, r, p, fault("language", "is none of our pages"))
		return
	}
	err := h.change(r.Context(), p, func(ch *store.Change) error {
		u, err := h.store.Users.Get(ch.Tx, p.UserID)
		if err != nil {
			return err
		}
		before := u.Language
		u.Language = language
		if err := h.store.Users.Put(ch.Tx, u); err != nil {
			return err
		}
		return ch.Record("user.language", "user/"+u.ID, map[string]any{"before": map[string]any{"language": before}, "after": map[string]any{"language": language}})
	})
	h.backToAccount(w, r, p, err, "changed")
}
