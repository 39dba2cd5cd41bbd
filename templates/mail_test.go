package templates

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var updateMails = flag.Bool("update-mails", false, "write the golden file of mails anew")

func sampleMail() MailData {
	return MailData{
		Organization: "Acme & Söhne", Contact: "help@acme.test", To: "nina@acme.test", Account: "nina@acme.test", Person: "Olga Owner",
		Connection: "Acme sign-in", Sentence: "Which team?", Domain: "acme.test", Link: "https://login.example/x?t=abc&u=1",
		Expires: time.Date(2026, 11, 24, 10, 30, 0, 0, time.UTC), Count: 12,
		Facts: []MailFact{{Label: "name", Value: "Nina Neu"}, {Label: "email", Value: "nina@acme.test", Address: true}, {Label: "typed", Value: "I start on Monday."}},
	}
}

func newMails(t testing.TB) *Mails {
	t.Helper()
	m, err := NewMails("")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var tags = regexp.MustCompile(`(?s)<style>.*?</style>|<title>.*?</title>|<[^>]+>`)

// shape is what a mail says, without how it looks.
type shape struct {
	Subject string
	Text    []string
	Links   []string
}

func shapeOf(m Mail) shape {
	s := shape{Subject: m.Subject}
	for line := range strings.SplitSeq(m.Text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			s.Text = append(s.Text, line)
		}
	}
	for _, found := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(m.HTML, -1) {
		s.Links = append(s.Links, html.UnescapeString(found[1]))
	}
	return s
}

// TestMailsSayWhatTheyShould: each kind in each language against the golden
// file, and text and HTML say the same.
func TestMailsSayWhatTheyShould(t *testing.T) {
	t.Parallel()
	mails, got := newMails(t), map[string]shape{}
	for _, kind := range MailKinds() {
		for _, language := range MailLanguages() {
			m, err := mails.Draw(kind, language, sampleMail())
			if err != nil {
				t.Fatal(err)
			}
			name := kind + "/" + language
			got[name] = shapeOf(m)
			visible := strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(m.HTML, " "))), " ")
			for _, line := range got[name].Text {
				line = strings.TrimSuffix(strings.TrimPrefix(line, "> "), ":")
				if label, value, ok := strings.Cut(line, ": "); ok {
					line = label + " " + value
					visible = strings.ReplaceAll(visible, ": ", " ")
				}
				if line != "--" && !strings.Contains(visible, line) {
					t.Errorf("%s: the HTML does not say %q: %s", name, line, visible)
				}
			}
			for _, want := range []string{`<html lang="` + language + `">`, "nina@acme.test", "prefers-color-scheme: dark"} {
				if !strings.Contains(m.HTML, want) {
					t.Errorf("%s: there is no %q", name, want)
				}
			}
			if strings.Contains(m.HTML, "<script") || strings.Contains(m.HTML, "<img") || strings.Contains(m.HTML, " src=") {
				t.Errorf("%s: the mail loads or runs something", name)
			}
		}
	}
	path := filepath.Join("testdata", "mails.json")
	var want bytes.Buffer
	enc := json.NewEncoder(&want)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(got); err != nil {
		t.Fatal(err)
	}
	if *updateMails {
		if err := os.WriteFile(path, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	kept, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(kept, want.Bytes()) {
		t.Errorf("the mails are not those of %s: look at the difference, then run go test ./templates -run TestMails -update-mails (%v)", path, err)
	}
}

// TestMailsWithNothingKnown: every mail is whole without the optional parts.
func TestMailsWithNothingKnown(t *testing.T) {
	t.Parallel()
	mails := newMails(t)
	for _, kind := range MailKinds() {
		for _, language := range MailLanguages() {
			m, err := mails.Draw(kind, language, MailData{Organization: "Acme", To: "a@b.test", Account: "a@b.test", Domain: "b.test"})
			if err != nil {
				t.Fatal(err)
			}
			if m.Subject == "" || strings.Contains(m.Text, "[button]") || strings.Contains(m.Text, "[facts]") || strings.Contains(m.HTML, `href=""`) {
				t.Errorf("%s/%s:\n%s", kind, language, m.Text)
			}
			for line := range strings.SplitSeq(m.Text, "\n") {
				if strings.HasSuffix(line, " .") || strings.HasPrefix(line, "> ") || strings.Contains(line, "  ") {
					t.Errorf("%s/%s says %q", kind, language, line)
				}
			}
		}
	}
	if _, err := mails.Draw("no-such", "en", MailData{}); !errors.Is(err, ErrMailKind) {
		t.Errorf("got %v", err)
	}
}

func TestMailLanguage(t *testing.T) {
	t.Parallel()
	for want, wanted := range map[string][]string{"de": {"de-AT"}, "en": {"fr", "", "xx"}} {
		if got := MailLanguage(wanted...); got != want {
			t.Errorf("%v: got %s", wanted, got)
		}
	}
	if got := MailLanguage("fr", "DE"); got != "de" {
		t.Errorf("got %s", got)
	}
}

// TestV3_NoLinkOfAStrangersMaking: what mail programs would underline is taken
// apart; what merely has a full stop in it stays readable.
func TestV3_NoLinkOfAStrangersMaking(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://evil.test/x":  "https: // evil. test/x",
		"evil.test/login":      "evil. test/login",
		"evil。test":            "evil。 test",
		"www.evil.test":        "www. evil. test",
		"Dr. No, version 3.5.": "Dr. No, version 3.5.",
		"write to a@b.test":    "write to a@b.test",
		"evil.test/a@b":        "evil. test/a@b",
		"J.R.R. Tolkien":       "J. R. R. Tolkien",
		"no more…":             "no more…",
		"...":                  "...",
		"1.2.3.4":              "1.2.3.4",
	} {
		if got := noLink(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got := noScheme("Booking.com"); got != "Booking.com" {
		t.Errorf("got %q", got)
	}
	m, err := newMails(t).Draw(MailInvitation, "en", MailData{Organization: "A", Link: "javascript:alert(1)"})
	if err != nil || strings.Contains(m.HTML, "href=\"javascript") {
		t.Errorf("a link that is none was drawn: %v", err)
	}
}

// FuzzMail: whatever people call themselves, a mail has one line as subject, no
// tag and no link of theirs.
func FuzzMail(f *testing.F) {
	mails := newMails(f)
	plain := map[string]int{}
	for _, kind := range MailKinds() {
		m, err := mails.Draw(kind, "en", MailData{Organization: "x", Contact: "x", Person: "x", Sentence: "x", Domain: "x", Account: "x", To: "x", Link: "https://a.test/", Facts: []MailFact{{Label: "name", Value: "x"}}})
		if err != nil {
			f.Fatal(err)
		}
		plain[kind] = strings.Count(m.HTML, "<")
	}
	for _, s := range []string{"Eve", "a\r\nBcc: b@c", "<img src=x>", "\u202eevil", "http://a.b/c", "{{.Link}}", "\x00", "> quote", "[button]", "\xff\xfe"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = "x" + s // an empty text leaves its paragraph out
		for _, kind := range MailKinds() {
			m, err := mails.Draw(kind, "en", MailData{Organization: s, Contact: s, Person: s, Sentence: s, Domain: s, Account: s, To: s, Link: "https://a.test/", Facts: []MailFact{{Label: "name", Value: s}}})
			if err != nil {
				t.Fatal(err)
			}
			if strings.ContainsAny(m.Subject, "\r\n\x00") || strings.Contains(m.Subject, "\u202e") {
				t.Errorf("subject %q", m.Subject)
			}
			if got := strings.Count(m.HTML, "<"); got != plain[kind] {
				t.Errorf("%s has %d tags, not %d", kind, got, plain[kind])
			}
			if strings.Count(m.HTML, "://") != strings.Count(m.HTML, "://a.test/") {
				t.Errorf("%s has a link of a stranger's making:\n%s", kind, m.HTML)
			}
		}
	})
}
