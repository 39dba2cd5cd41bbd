package templates

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"
	text "text/template"
	"time"
)

//go:embed mail
var mailFiles embed.FS

// Kinds of mails.
const (
	MailInvitation      = "invitation"
	MailResetPassword   = "reset_password"
	MailProveEmail      = "prove_email"
	MailRequestWaiting  = "request_waiting"  // to one approver, about one person
	MailRequestAnswered = "request_answered" // the person answered the approver's question
	MailRequestDigest   = "request_digest"   // many people came at once
	MailRequestApproved = "request_approved"
	MailRequestRefused  = "request_refused"
	MailRequestAsked    = "request_asked"
	MailPasswordChanged = "password_changed"
	MailFactorRemoved   = "factor_removed"
	MailIdentityLinked  = "identity_linked"
	MailDomainLapsing   = "domain_lapsing"
	MailTest            = "test"
)

// MailKinds are all kinds, in the order of the docs.
func MailKinds() []string {
	return []string{
		MailInvitation, MailResetPassword, MailProveEmail, MailRequestWaiting, MailRequestAnswered, MailRequestDigest,
		MailRequestApproved, MailRequestRefused, MailRequestAsked, MailPasswordChanged, MailFactorRemoved, MailIdentityLinked, MailDomainLapsing, MailTest,
	}
}

// MailLanguages are the languages mails are written in; the first is the default.
func MailLanguages() []string { return []string{"en", "de"} }

// MailLanguage chooses the language of a mail: the first of the wanted tags
// (BCP 47) whose primary language is there, else the default.
func MailLanguage(wanted ...string) string {
	for _, w := range wanted {
		primary, _, _ := strings.Cut(strings.ToLower(w), "-")
		if slices.Contains(MailLanguages(), primary) {
			return primary
		}
	}
	return MailLanguages()[0]
}

// MailData is what a mail can say. Everything in it is taken for text that
// strangers wrote, and cleaned; Link is ours and stands as it is.
type MailData struct {
	Organization string // title
	Contact      string // whom to ask
	To           string // where it goes
	Account      string // address of the account it is about
	Person       string // who asks, invites, answers
	Connection   string // title of a sign-in
	Sentence     string // a question, a reason, an answer
	Domain       string
	Link         string
	Expires      time.Time
	Count        int
	Facts        []MailFact
}

// MailFact is one line of what is known. Label is a key of the facts' words.
type MailFact struct {
	Label, Value string
	// Address is an e-mail address that was parsed: it is shown as it is.
	Address bool
}

// Mail is a mail that is ready to be sent.
type Mail struct{ Subject, Text, HTML string }

// Mails draws mails. It is made once and is safe for concurrent use.
type Mails struct {
	product string
	layout  *template.Template
	sheets  map[string]*mailSheet // by kind/language
}

// ErrMailKind: there is no such kind of mail.
var ErrMailKind = errors.New("templates: there is no such kind of mail")

// NewMails parses all mails. product is the name in them; "Gatehouse" if empty.
// It fails only when a file is broken.
func NewMails(product string) (*Mails, error) {
	if product == "" {
		product = "Gatehouse"
	}
	m := &Mails{product: product, sheets: map[string]*mailSheet{}}
	var err error
	if m.layout, err = template.ParseFS(mailFiles, "mail/layout.html"); err != nil {
		return nil, fmt.Errorf("templates: mail layout: %w", err)
	}
	for _, kind := range MailKinds() {
		for _, language := range MailLanguages() {
			name := "mail/" + language + "/" + kind + ".txt"
			source, err := mailFiles.ReadFile(name)
			if err != nil {
				return nil, fmt.Errorf("templates: %w", err)
			}
			if m.sheets[kind+"/"+language], err = parseSheet(string(source)); err != nil {
				return nil, fmt.Errorf("templates: %s: %w", name, err)
			}
		}
	}
	return m, nil
}

// mailSheet is the file of one mail: the lines "Subject: …" and "Button: …",
// an empty line, then paragraphs. "[button]" and "[facts]" are paragraphs that
// stand for those; one that begins with "> " is a quotation; one that comes out
// empty is left out.
type mailSheet struct {
	subject, button *text.Template
	paragraphs      []*text.Template
}

func parseSheet(source string) (*mailSheet, error) {
	head, body, ok := strings.Cut(strings.TrimSpace(source), "\n\n")
	if !ok {
		return nil, errors.New("there is no empty line below the head")
	}
	s := &mailSheet{}
	for line := range strings.SplitSeq(head, "\n") {
		name, value, _ := strings.Cut(line, ": ")
		t, err := parseText(value)
		if err != nil {
			return nil, err
		}
		switch name {
		case "Subject":
			s.subject = t
		case "Button":
			s.button = t
		default:
			return nil, fmt.Errorf("the head has a line %q", line)
		}
	}
	if s.subject == nil {
		return nil, errors.New("there is no subject")
	}
	for p := range strings.SplitSeq(body, "\n\n") {
		t, err := parseText(strings.Join(strings.Fields(p), " "))
		if err != nil {
			return nil, err
		}
		s.paragraphs = append(s.paragraphs, t)
	}
	return s, nil
}

func parseText(source string) (*text.Template, error) {
	return text.New("").Option("missingkey=error").Parse(source)
}

// mailView is what sheets and layout read: MailData, cleaned.
type mailView struct {
	MailData
	Product  string
	Language string
	Until    string // Expires, in words
}

// mailBlock is one part of a mail's body; exactly one field is set.
type mailBlock struct {
	Text, Quote string
	Button      string
	Facts       []MailFact
}

// Draw makes a mail of a kind in a language (see MailLanguage). The only error
// that is not a broken file is ErrMailKind.
func (m *Mails) Draw(kind, language string, data MailData) (Mail, error) {
	language = MailLanguage(language)
	sheet := m.sheets[kind+"/"+language]
	if sheet == nil {
		return Mail{}, fmt.Errorf("%w: %q", ErrMailKind, kind)
	}
	v := mailView{MailData: cleanMail(data), Product: m.product, Language: language}
	if !v.Expires.IsZero() {
		v.Until = mailTime(language, v.Expires)
	}
	var out Mail
	var err error
	if out.Subject, err = execute(sheet.subject, v); err != nil {
		return Mail{}, err
	}
	blocks, err := sheet.blocks(v)
	if err != nil {
		return Mail{}, err
	}
	out.Text = plainMail(blocks, v)
	var b bytes.Buffer
	if err := m.layout.Execute(&b, map[string]any{"Mail": v, "Subject": out.Subject, "Blocks": blocks, "Words": mailWords(language)}); err != nil {
		return Mail{}, fmt.Errorf("templates: draw mail %s: %w", kind, err)
	}
	out.HTML = b.String()
	return out, nil
}

func (s *mailSheet) blocks(v mailView) ([]mailBlock, error) {
	var out []mailBlock
	for _, p := range s.paragraphs {
		line, err := execute(p, v)
		switch {
		case err != nil:
			return nil, err
		case line == "[button]" && v.Link != "" && s.button != nil:
			title, err := execute(s.button, v)
			if err != nil {
				return nil, err
			}
			out = append(out, mailBlock{Button: title})
		case line == "[facts]" && len(v.Facts) > 0:
			out = append(out, mailBlock{Facts: labelledFacts(v.Language, v.Facts)})
		case strings.HasPrefix(line, "> "):
			out = append(out, mailBlock{Quote: line[2:]})
		case line != "" && line != ">" && line != "[button]" && line != "[facts]":
			out = append(out, mailBlock{Text: line})
		}
	}
	return out, nil
}

func labelledFacts(language string, facts []MailFact) []MailFact {
	words := mailWords(language)
	out := slices.Clone(facts)
	for i := range out {
		out[i].Label = words["fact."+out[i].Label]
	}
	return out
}

// plainMail is the text part.
func plainMail(blocks []mailBlock, v mailView) string {
	var b strings.Builder
	for _, block := range blocks {
		switch {
		case block.Button != "":
			b.WriteString(block.Button + ":\n" + v.Link + "\n\n")
		case block.Quote != "":
			b.WriteString("> " + block.Quote + "\n\n")
		case len(block.Facts) > 0:
			for _, f := range block.Facts {
				b.WriteString(f.Label + ": " + f.Value + "\n")
			}
			b.WriteString("\n")
		default:
			b.WriteString(block.Text + "\n\n")
		}
	}
	words := mailWords(v.Language)
	b.WriteString("-- \n")
	for _, line := range footer(v, words) {
		b.WriteString(line + "\n")
	}
	return b.String()
}

// footer says which account a mail is for, and whom to ask.
func footer(v mailView, words map[string]string) []string {
	var lines []string
	if v.Account != "" {
		lines = append(lines, words["account"]+" "+v.Account)
	}
	if v.Organization != "" {
		lines = append(lines, words["organization"]+" "+v.Organization)
	}
	if v.Contact != "" {
		lines = append(lines, words["contact"]+" "+v.Contact)
	}
	return append(lines, words["sent_by"]+" "+v.Product)
}

// Footer is for the layout.
func (v mailView) Footer() []string { return footer(v, mailWords(v.Language)) }

// LinkURL is the link for an href: http or https, else none.
func (v mailView) LinkURL() string {
	u, err := url.Parse(v.Link)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return v.Link
}

func execute(t *text.Template, data any) (string, error) {
	var b strings.Builder
	if err := t.Execute(&b, data); err != nil {
		return "", fmt.Errorf("templates: mail: %w", err)
	}
	return strings.TrimSpace(b.String()), nil
}

func mailTime(language string, t time.Time) string {
	if language == "de" {
		return t.UTC().Format("2.1.2006, 15:04 UTC")
	}
	return stamp(t)
}
