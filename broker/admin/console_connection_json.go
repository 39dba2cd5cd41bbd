package admin

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"

	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/templates"
)

// showConnectionJSON is the editor of the whole record. Secrets are not in it;
// those that are left out stay.
func (h *Handler) showConnectionJSON(w http.ResponseWriter, r *http.Request, p Principal) {
	c, err := h.connection(r.Context(), r.PathValue("connection"))
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	raw, err := federation.EncodeConnection(c)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	h.drawForm(w, r, p, jsonPage(c, visible(string(raw)), c.Revision), nil)
}

func jsonPage(c store.Connection, text string, revision int64) templates.FormPage {
	return templates.FormPage{
		Title: "Record of " + c.Title, Back: connectionURL(c.ID, ""), BackTitle: c.Title, Action: connectionURL(c.ID, "/json"), Submit: "Save",
		Intro: "Everything the connection says, but its secrets: client_secret and private_key go in here and never come out. Those you leave out stay.",
		More:  []templates.Button{{Value: "test", Title: "Test without saving"}},
		Groups: []templates.FormGroup{{Title: "Record", Intro: "The schema is at /api/v1/schemas/connection.json.", Inputs: []templates.Input{
			{Name: "record", Label: "JSON", Kind: templates.InputCode, Value: text},
		}}},
		Hidden: []templates.Field{{Name: "revision", Value: strconv.FormatInt(revision, 10)}},
	}
}

func (h *Handler) doConnectionJSON(w http.ResponseWriter, r *http.Request, p Principal) {
	id, text := r.PathValue("connection"), r.PostForm.Get("record")
	c, err := h.connection(r.Context(), id)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	revision, _ := strconv.ParseInt(r.PostForm.Get("revision"), 10, 64) // 0 is nobody's
	if r.PostForm.Get("do") == "test" {
		test, link, failed := h.prepareTest(r.Context(), p, id, startTestBody{Connection: []byte(text)})
		if failed == nil {
			h.drawTest(w, r, p, test, link, templates.Revealed{})
			return
		}
		err = outside("connection", failed)
	} else if _, err = h.saveRecord(r.Context(), p, id, []byte(text), Precondition{}, &revision); err == nil {
		http.Redirect(w, r, connectionURL(id, "?done=saved"), http.StatusSeeOther)
		return
	}
	shown := typedSecret.ReplaceAllString(text, "")
	page := jsonPage(c, shown, revision)
	if shown != text {
		page.Notes = append(page.Notes, "The secrets you wrote are not shown again: put them back in before you save.")
	}
	h.drawForm(w, r, p, page, atRecord(err))
}

// typedSecret is a secret in a record that comes back with faults. The whole
// member goes: an empty one would take the stored secret away.
var typedSecret = regexp.MustCompile(`"(?:client_secret|private_key)"\s*:\s*"(?:[^"\\]|\\.)*"?\s*,?`)

// atRecord keeps the path of each fault in its text: the editor is one input.
func atRecord(err error) error {
	found := fieldErrors(err)
	if found == nil {
		return err
	}
	var f faults
	for _, e := range found {
		f = append(f, &profile.FieldError{Path: "record." + e.Path, Problem: e.Problem, Fix: e.Fix})
	}
	return f.join()
}

// outside takes faults out of the field that inside put them under.
func outside(field string, err error) error {
	found := fieldErrors(err)
	if found == nil {
		return err
	}
	var f faults
	for _, e := range found {
		f = append(f, &profile.FieldError{Path: strings.TrimPrefix(e.Path, field+"."), Problem: e.Problem, Fix: e.Fix})
	}
	return f.join()
}

// joinFaults joins two lists of faults; another kind of error wins.
func joinFaults(a, b error) error {
	if b != nil && fieldErrors(b) == nil {
		return b
	}
	return errors.Join(a, b)
}

// visible writes what cannot be seen as \u escapes: the text means the same,
// and a page need not take anything out of it.
func visible(s string) string {
	var b strings.Builder
	for _, c := range s {
		if c == '\n' || c == '\t' || unicode.IsPrint(c) && c != unicode.ReplacementChar {
			b.WriteRune(c)
			continue
		}
		for _, unit := range utf16.Encode([]rune{c}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}
