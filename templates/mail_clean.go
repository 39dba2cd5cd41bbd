package templates

import "strings"

// cleanMail makes everything strangers wrote fit for a mail (SECURITY-CASES V3):
// one line each, nothing invisible, and nothing that a mail program would turn
// into a link of its own accord. Beyond this the HTML part escapes, and the
// header encoder does its own.
func cleanMail(d MailData) MailData {
	d.Organization = noScheme(cleanName(d.Organization))
	d.Contact = noLink(cleanLine(d.Contact))
	d.To = noLink(cleanLine(d.To))
	d.Account = noLink(cleanLine(d.Account))
	d.Person = noLink(cleanName(d.Person))
	d.Connection = noScheme(cleanName(d.Connection))
	d.Sentence = noLink(cleanText(d.Sentence))
	d.Domain = noScheme(cleanLine(d.Domain))
	facts := make([]MailFact, len(d.Facts))
	for i, f := range d.Facts {
		facts[i] = f
		if f.Address {
			facts[i].Value = cleanLine(f.Value)
		} else {
			facts[i].Value = noLink(cleanText(f.Value))
		}
	}
	d.Facts = facts
	if strings.ContainsFunc(d.Link, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '<' || r == '>' }) {
		d.Link = "" // not one of ours
	}
	return d
}

// noScheme takes the link out of "https://evil.example/x" and leaves
// "Booking.com" alone, which may well be a company's name.
func noScheme(s string) string {
	s = strings.ReplaceAll(s, "://", ": // ")
	return strings.ReplaceAll(s, "www.", "www. ")
}

// noLink also takes it out of "evil.example/x": a full stop that a letter
// follows gets a space after it. "3.5" and "Dr. No" stay, and so do e-mail
// addresses: a mail program makes nothing of them but a new mail.
func noLink(s string) string {
	s = noScheme(s)
	if !strings.ContainsAny(s, dots) {
		return s
	}
	words := strings.Split(s, " ")
	for i, w := range words {
		if strings.Count(w, "@") != 1 || strings.ContainsAny(w, "/:") {
			words[i] = spaced(w)
		}
	}
	return strings.Join(words, " ")
}

// dots are what host names are read with (UTS #46).
const dots = ".。．｡"

func spaced(word string) string {
	var b strings.Builder
	dot := false
	for _, r := range word {
		if dot && !strings.ContainsRune(dots, r) && (r < '0' || r > '9') {
			b.WriteByte(' ')
		}
		dot = strings.ContainsRune(dots, r)
		b.WriteRune(r)
	}
	return b.String()
}
