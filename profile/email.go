package profile

import (
	"errors"
	"strings"

	"golang.org/x/net/idna"
)

// Limits of an address (RFC 5321 §4.5.3.1) and of a domain name (RFC 1035).
const (
	maxAddress = 254
	maxLocal   = 64
	maxDomain  = 253
)

// ErrEmail is wrapped by every error of [ParseEmail] and [ParseDomain].
var ErrEmail = errors.New("not an e-mail address")

// addressError is one fixed sentence: it never repeats what was typed, so it
// may be shown and logged as it is.
type addressError string

func (e addressError) Error() string { return string(e) }
func (addressError) Unwrap() error   { return ErrEmail }

// The sentences ParseEmail and ParseDomain answer with.
const (
	errAddressLong  addressError = "This is not an e-mail address: it is longer than 254 characters."
	errAddressAt    addressError = "This is not an e-mail address: it needs a name, one @ and a domain."
	errLocalLong    addressError = "This is not an e-mail address: the part before the @ is longer than 64 characters."
	errLocalText    addressError = "This is not an e-mail address: the part before the @ has a character or a dot that cannot stand there."
	errDomainDots   addressError = "This is not an e-mail domain: it needs at least two names with one dot between each, and none at the end."
	errDomainLong   addressError = "This is not an e-mail domain: it is longer than 253 characters."
	errDomainText   addressError = "This is not an e-mail domain: it has a character that cannot stand there, or one that only looks like another."
	errDomainNumber addressError = "This is not an e-mail domain: use a name, not a network address."
)

// Email is an e-mail address in its one canonical form: the local part exactly
// as it was written, the domain in lower-case A-labels. The zero value is "no
// address". Two Emails are the same address when they are ==, with one
// exception: hosts are free to tell upper and lower case of the local part
// apart, people are not; compare [Email.Key] where "the same for a person" is
// meant. Plus tags and dots are never folded (SECURITY-CASES E8). No Email ever
// finds a user.
type Email struct{ local, domain string }

// ParseEmail reads an address as strictly as routing, storing and policy need,
// so that all three read the same one: a dot-atom of ASCII, one @, a domain as
// [ParseDomain] takes it. Quoted local parts, comments, display names, address
// lists, source routes (! and %), encoded words and surrounding space are
// refused, as are internationalised local parts (RFC 6531). The error is a
// sentence for the person who typed it (SECURITY-CASES E1–E5).
func ParseEmail(s string) (Email, error) {
	if len(s) > maxAddress {
		return Email{}, errAddressLong
	}
	local, rest, ok := strings.Cut(s, "@")
	if !ok || local == "" || rest == "" || strings.Contains(rest, "@") {
		return Email{}, errAddressAt
	}
	if len(local) > maxLocal {
		return Email{}, errLocalLong
	}
	if !dotAtom(local) {
		return Email{}, errLocalText
	}
	domain, err := ParseDomain(rest)
	if err != nil {
		return Email{}, err
	}
	if len(local)+1+len(domain) > maxAddress {
		return Email{}, errAddressLong
	}
	return Email{local: local, domain: domain}, nil
}

// dotAtom is RFC 5322 §3.2.3 without ! and % (source routes, RFC 5321 F.2) and
// without the marks of an encoded word.
func dotAtom(s string) bool {
	if s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") ||
		strings.Contains(s, "=?") || strings.Contains(s, "?=") {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !alphanumeric(c) && strings.IndexByte("#$&'*+-/=?^_`{|}~.", c) < 0 {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// ParseDomain returns the canonical form of an e-mail domain: lower-case
// A-labels, at least two, no dot at the end, no wildcard, no network address.
// Internationalised names are taken as U-labels or A-labels, but only when
// they are already what UTS #46 would map them to: apart from ASCII letters'
// case the parser maps nothing, so nothing that merely looks like a domain
// becomes it (SECURITY-CASES E3–E5).
func ParseDomain(s string) (string, error) {
	if len(s) > maxDomain {
		return "", errDomainLong
	}
	labels := strings.Split(s, ".")
	if len(labels) < 2 {
		return "", errDomainDots
	}
	plain := true
	for i, label := range labels {
		labels[i] = asciiLower(label)
		if label == "" {
			return "", errDomainDots
		}
		ascii, err := checkLabel(labels[i])
		if err != nil {
			return "", err
		}
		plain = plain && ascii && !strings.HasPrefix(labels[i], "xn--")
	}
	domain := strings.Join(labels, ".")
	if !plain {
		// The whole name at once: the rule of right-to-left names (RFC 5893)
		// spans labels.
		p := domainProfile()
		a, err := p.ToASCII(domain)
		if err != nil {
			return "", errDomainText
		}
		u, _ := p.ToUnicode(a) // what it would refuse, it maps or ToASCII has refused
		if !roundTrip(labels, strings.Split(a, "."), strings.Split(u, ".")) {
			return "", errDomainText
		}
		domain = a
	}
	if numeric(domain[strings.LastIndexByte(domain, '.')+1:]) {
		return "", errDomainNumber
	}
	return domain, nil
}

// checkLabel looks at the ASCII characters and the hyphens of a label.
func checkLabel(label string) (ascii bool, err error) {
	ascii = true
	for i := range len(label) {
		c := label[i]
		if c >= 0x80 {
			ascii = false
		} else if !alphanumeric(c) && c != '-' {
			return ascii, errDomainText
		}
	}
	if ascii && (len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
		len(label) > 3 && label[2:4] == "--" && label[:2] != "xn") { // reserved, RFC 5891 §4.2.3.1
		return ascii, errDomainText
	}
	return ascii, nil
}

// roundTrip reports whether each label is what ToASCII (a) or after it
// ToUnicode (u) made of it. x/net/idna maps ｃorp to corp, and took xn--corp-
// for corp without an error (CVE-2026-39821): what is not its own round trip
// is another's name (SECURITY-CASES E4, E5).
func roundTrip(labels, a, u []string) bool {
	if len(labels) != len(a) || len(labels) != len(u) {
		return false
	}
	for i, label := range labels {
		if label != a[i] && label != u[i] {
			return false
		}
	}
	return true
}

// domainProfile is lookup processing (RFC 5891 §5) with every check on.
func domainProfile() *idna.Profile {
	return idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(true),
		idna.ValidateLabels(true), idna.CheckHyphens(true), idna.CheckJoiners(true),
		idna.VerifyDNSLength(true), idna.BidiRule())
}

func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func numeric(label string) bool {
	if strings.HasPrefix(label, "0x") {
		return true
	}
	for i := range len(label) {
		if label[i] < '0' || label[i] > '9' {
			return false
		}
	}
	return true
}

// Local is the part before the @, as written.
func (e Email) Local() string { return e.local }

// Domain is the canonical domain (see [ParseDomain]).
func (e Email) Domain() string { return e.domain }

// String is the canonical address, or "" for none.
func (e Email) String() string {
	if e.IsZero() {
		return ""
	}
	return e.local + "@" + e.domain
}

// Key is the address with its local part in lower case: for noticing that two
// spellings are one mailbox to a person. Never a key of a user.
func (e Email) Key() string { return asciiLower(e.String()) }

// IsZero reports whether there is no address.
func (e Email) IsZero() bool { return e == Email{} }

// MarshalText writes the canonical address.
func (e Email) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads an address as [ParseEmail] does; empty is no address.
func (e *Email) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*e = Email{}
		return nil
	}
	parsed, err := ParseEmail(string(b))
	if err != nil {
		return err
	}
	*e = parsed
	return nil
}
