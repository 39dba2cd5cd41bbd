package profile

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// proposer judges what could be meant by a failed selector.
type proposer struct {
	name     string // of the attribute, without "custom."
	standard bool
	failed   Selector
	known    []string // normal names, the likeliest first
	like     []string // normal names that were tried
	found    []candidate
}

func newProposer(wanted string, failed Selector) (*proposer, bool) {
	name, custom := strings.CutPrefix(wanted, customPrefix)
	p := &proposer{name: name, standard: !custom, failed: failed, known: knownNames(name)}
	if custom {
		p.known = append([]string{normalName(name)}, p.known...)
	} else if !slices.ContainsFunc(Selectors{}.standard(), func(s namedSelector) bool { return s.name == name }) {
		return nil, false
	}
	p.like = []string{normalName(name)}
	if q, _ := compileQuery(failed.Path); q != nil {
		for _, s := range slices.Backward(q.steps) {
			if s.kind == stepName && !generic(normalName(s.name)) {
				p.like = append(p.like, normalName(s.name))
				break
			}
		}
	}
	return p, true
}

// generic names say nothing by themselves: what emails[0].value is, its parent
// tells.
func generic(name string) bool {
	switch name {
	case "value", "name", "id", "display", "displayname", "title", "url", "href", "number", "data":
		return true
	}
	return false
}

// knownNames are what providers call an attribute, in normal form; a name after
// its parent's ("name.first" is namefirst) counts as well.
func knownNames(attribute string) []string {
	switch attribute {
	case nameFederationID:
		return []string{"sub", "id", "userid", "oid", "objectid", "uid", "accountid", "userguid", "guid", "uuid", "externalid", "nameid"}
	case nameFirstName:
		return []string{"givenname", "firstname", "namefirst", "namegiven", "localizedfirstname", "gn", "forename", "first", "given"}
	case nameLastName:
		return []string{"familyname", "lastname", "surname", "namelast", "namefamily", "localizedlastname", "sn", "last", "family"}
	case nameDisplayName:
		return []string{"displayname", "name", "fullname", "namedisplay", "nameformatted", "cn", "formatted", "nickname", "preferredusername", "username", "login"}
	case nameEmail:
		return []string{"email", "mail", "emailaddress", "primaryemail", "emails", "userprincipalname", "upn", "preferredusername"}
	case nameEmailVerified:
		return []string{"emailverified", "verifiedemail", "isemailverified", "xmsedov", "emailconfirmed", "verified", "confirmed"}
	case namePhone:
		return []string{"phonenumber", "phone", "mobilephone", "mobile", "telephonenumber", "telephone", "businessphones", "phonenumbers", "phones", "tel"}
	case namePicture:
		return []string{"picture", "avatarurl", "pictureurl", "avatar", "photo", "photourl", "profilepicture", "profileimageurl", "picturedataurl", "image", "imageurl", "thumbnail"}
	case "groups":
		return []string{"groups", "memberof", "teams", "roles"}
	}
	return nil
}

// score is how well a candidate suits, by its names and its value.
func (p *proposer) score(c candidate) int {
	switch c.value.(type) {
	case nil, map[string]any:
		return 0
	case []any:
		if p.standard {
			return 0 // its elements are candidates
		}
	}
	byName := max(p.named(c.name), p.named(c.parent+c.name))
	if generic(c.name) {
		byName = max(byName, p.named(c.parent)-15)
	}
	score := byName + p.shape(c.value) - 3*c.depth
	if p.failed.Source != "" && p.failed.Source != c.source {
		score -= 5
	}
	if c.filtered {
		score += 8 // rather the primary one than the first
	}
	return score
}

// named judges a normal name alone.
func (p *proposer) named(name string) (score int) {
	if rank := slices.Index(p.known, name); rank >= 0 {
		score = 100 - 3*rank
	}
	for _, like := range p.like {
		if s := similarity(name, like); s >= 60 {
			score = max(score, s*9/10)
		}
	}
	return score
}

// shape judges the value alone.
func (p *proposer) shape(v any) int {
	text, ok := v.(string)
	if !ok || !p.standard {
		return 0
	}
	switch p.name {
	case nameEmail:
		if _, err := ParseEmail(text); err == nil {
			return 45
		}
	case namePicture:
		if u, _ := picture(text); u != "" {
			if slices.Contains([]string{".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg"}, strings.ToLower(path.Ext(strings.SplitN(u, "?", 2)[0]))) {
				return 45
			}
			return 30
		}
	case namePhone:
		if strings.HasPrefix(text, "+") && len(text) >= 8 && len(text) <= 24 && strings.Trim(text, "+0123456789 ()-./") == "" {
			return 35
		}
	}
	return 0
}

// normalName is a name's letters and digits in lower case, cut to 32 bytes.
func normalName(name string) string {
	out := make([]byte, 0, 32)
	for i := 0; i < len(name) && len(out) < 32; i++ {
		switch c := name[i]; {
		case 'A' <= c && c <= 'Z':
			out = append(out, c+'a'-'A')
		case alphanumeric(c) || c >= utf8.RuneSelf:
			out = append(out, c)
		}
	}
	return string(out)
}

// similarity of two normal names in percent: their edit distance, or that one
// contains the other.
func similarity(a, b string) int {
	if a == "" || b == "" {
		return 0
	}
	contains := 0
	if short := min(len(a), len(b)); short >= 4 && (strings.Contains(a, b) || strings.Contains(b, a)) {
		contains = 80
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return max(contains, 100-100*row[len(b)]/max(len(a), len(b)))
}

// sample is the masked value that read has just put in place.
func (s *selection) sample(sel *selector) string {
	a := &s.attributes
	switch sel.label {
	case nameFederationID:
		return mask(strings.TrimPrefix(a.FederationID, "number:"))
	case nameFirstName:
		return mask(a.FirstName)
	case nameLastName:
		return mask(a.LastName)
	case nameDisplayName:
		return mask(a.DisplayName)
	case nameEmail:
		return mask(a.Email)
	case nameEmailVerified:
		return s.result.EmailVerified.String()
	case namePhone:
		return mask(a.Phone)
	case namePicture:
		return mask(a.Picture)
	}
	values := a.Custom[sel.name]
	if len(values) == 1 {
		return mask(values[0])
	}
	return fmt.Sprintf("%s and %d more", mask(values[0]), len(values)-1)
}

// mask shows a value's kind and beginning: enough to tell one's own address
// from one's name, not enough to be worth copying.
func mask(text string) string {
	if e, err := ParseEmail(text); err == nil {
		domain := e.Domain()
		return first(e.Local()) + "…@" + first(domain) + "…" + domain[strings.LastIndexByte(domain, '.'):]
	}
	if u, err := url.Parse(text); err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
		return u.Scheme + "://" + Untrusted(u.Hostname()).Clean(64) + "/…"
	}
	switch n := utf8.RuneCountInString(text); {
	case text == "true" || text == "false":
		return text
	case n <= 3:
		return "…"
	default:
		return fmt.Sprintf("%s… (%d characters)", first(text), n)
	}
}

func first(text string) string {
	r, _ := utf8.DecodeRuneInString(text)
	if hidden(r) {
		return ""
	}
	return string(r)
}
