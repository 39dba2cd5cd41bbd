package mockidp

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// autoFromHint as AutoLogin signs in whom login_hint names.
const autoFromHint = "*"

// people knows everybody: those who were described, and everybody else by name.
type people struct {
	domain string
	mu     sync.RWMutex
	known  map[string]map[string]any
}

// person is one of them. The profile is shared and must not be changed.
type person struct {
	name    string
	profile map[string]any
}

func newPeople(domain string, users map[string]map[string]any) *people {
	p := &people{domain: domain, known: map[string]map[string]any{}}
	p.set("alice", p.described("alice", "Alice", "Archer", "+1 555 0100", "en-GB", []any{"staff", "engineering"}))
	p.set("bob", p.described("bob", "Bob", "Baker", "+1 555 0101", "de-DE", []any{"staff", "sales"}))
	for name, profile := range users {
		p.set(name, profile)
	}
	return p
}

// set keeps a profile, with a sub added when it has none.
func (p *people) set(name string, profile map[string]any) {
	own := maps.Clone(profile)
	if own == nil {
		own = map[string]any{}
	}
	if _, ok := own["sub"]; !ok {
		own["sub"] = p.subject(name)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known[name] = own
}

// find answers the person who signs in under a name. It never fails: an unknown
// name is a fresh person whose sub depends on the name alone, and an address is a
// person with exactly this e-mail. An address of the provider's own domain is the
// person named by its local part.
func (p *people) find(name string) person {
	name = strings.TrimSpace(name)
	p.mu.RLock()
	profile, ok := p.known[name]
	if !ok {
		profile, ok = p.known[strings.ToLower(name)]
	}
	p.mu.RUnlock()
	if ok {
		return person{name, profile}
	}
	local, domain, isAddress := strings.Cut(name, "@")
	if isAddress && strings.EqualFold(domain, p.domain) {
		return p.find(local)
	}
	fresh := p.fresh(name)
	if isAddress {
		fresh["email"] = name
	}
	return person{name, fresh}
}

func (p *people) fresh(name string) map[string]any {
	local, _, _ := strings.Cut(name, "@")
	words := strings.FieldsFunc(local, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	given, family := "Newcomer", "Person"
	if len(words) > 0 {
		given = title(words[0])
	}
	if len(words) > 1 {
		family = title(words[len(words)-1])
	}
	login := mailLocal(words, p.subject(name))
	return p.described(name, given, family, "+1 555 0199", "en-US", []any{"staff"}, login)
}

// described is a rich profile in the names of OpenID Connect Core 1.0, section 5.1.
func (p *people) described(name, given, family, phone, locale string, groups []any, login ...string) map[string]any {
	account := name
	if len(login) > 0 {
		account = login[0]
	}
	return map[string]any{
		"sub":                   p.subject(name),
		"name":                  given + " " + family,
		"given_name":            given,
		"family_name":           family,
		"nickname":              given,
		"preferred_username":    account,
		"email":                 account + "@" + p.domain,
		"email_verified":        true,
		"phone_number":          phone,
		"phone_number_verified": true,
		"picture":               "https://" + p.domain + "/people/" + account + ".png",
		"website":               "https://" + p.domain + "/~" + account,
		"locale":                locale,
		"zoneinfo":              "Europe/Berlin",
		"updated_at":            1_700_000_000,
		"groups":                groups,
		"department":            "Department of " + family,
		"address":               map[string]any{"country": "DE", "locality": "Berlin", "street_address": "Example Street 1"},
	}
}

// subject is the same for the same name and domain, in every process.
func (p *people) subject(name string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "mockidp sub\x00%s\x00%s", p.domain, name))
	return base64.RawURLEncoding.EncodeToString(sum[:15])
}

// mailLocal makes the local part of an address from any name.
func mailLocal(words []string, fallback string) string {
	var b strings.Builder
	for _, w := range words {
		w = strings.Map(func(r rune) rune {
			if r = unicode.ToLower(r); r < utf8.RuneSelf {
				return r
			}
			return -1
		}, w)
		if w == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(w)
	}
	if b.Len() == 0 || b.Len() > 64 {
		return "person-" + strings.ToLower(strings.Trim(fallback[:8], "-_"))
	}
	return b.String()
}

func title(w string) string {
	r, n := utf8.DecodeRuneInString(w)
	return string(unicode.ToUpper(r)) + w[n:]
}

// checkUsername answers what is wrong with a login name, or "".
func checkUsername(name string) string {
	switch {
	case strings.TrimSpace(name) == "":
		return "Type a name."
	case len(name) > 254:
		return "Type at most 254 characters."
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return "Type a name without control characters."
	}
	return ""
}
