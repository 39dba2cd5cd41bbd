package federation

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
	"golang.org/x/text/unicode/norm"
)

// lookAlikes finds pairs of domains that people take for one another: the same
// skeleton (letters that look alike folded together), one letter added, lost,
// changed or swapped, or the same name under another ending. Who registers acrne.test
// and asks for a connection wants the people of acme.test.
func (l *linter) lookAlikes() {
	type site struct {
		domain, name, ending, skeleton string
		owners                         []string
		ids                            []string
	}
	sites := map[string]*site{}
	add := func(domain, organization, connection string) {
		base, err := publicsuffix.EffectiveTLDPlusOne(domain)
		if err != nil {
			return
		}
		s := sites[base]
		if s == nil {
			name, ending, _ := strings.Cut(base, ".")
			s = &site{domain: base, name: name, ending: ending, skeleton: skeleton(name)}
			sites[base] = s
		}
		if !slices.Contains(s.owners, organization) {
			s.owners = append(s.owners, organization)
		}
		if connection != "" && !slices.Contains(s.ids, connection) {
			s.ids = append(s.ids, connection)
		}
	}
	for _, c := range l.conns {
		for _, rule := range c.Domains {
			if base, _ := splitRule(rule); base != "" {
				add(base, c.OrganizationID, c.ID)
			}
		}
	}
	for _, d := range l.domains {
		add(d.Name, d.OrganizationID, "")
	}
	// Sites that share a key are compared, and no others: names within one
	// change of each other share a name with one letter taken out.
	groups := map[string][]*site{}
	for _, s := range sites {
		keys := []string{s.skeleton}
		if runes := []rune(s.skeleton); len(runes) >= minLookAlike {
			for i := range runes {
				keys = append(keys, string(runes[:i])+string(runes[i+1:]))
			}
		}
		slices.Sort(keys)
		for _, k := range slices.Compact(keys) {
			groups[k] = append(groups[k], s)
		}
	}
	seen := map[[2]string]bool{}
	for _, group := range groups {
		if len(group) > maxGroup {
			continue // names as alike as host1 … host999 are a numbering, not a disguise
		}
		for i, a := range group {
			for _, b := range group[i+1:] {
				a, b := a, b // swapped for this pair only
				if a.domain > b.domain {
					a, b = b, a
				}
				pair := [2]string{a.domain, b.domain}
				if seen[pair] || len(a.owners) == 1 && slices.Equal(a.owners, b.owners) {
					continue // a company's own domains may look alike
				}
				seen[pair] = true
				how, level := "", LevelWarning
				switch {
				case a.name == b.name: // often the same company, in another country
					how, level = "the same name under another ending", LevelNote
				case a.skeleton == b.skeleton:
					how = "letters that look alike"
				case a.ending == b.ending && len(a.skeleton) >= minLookAlike && len(b.skeleton) >= minLookAlike && near(a.skeleton, b.skeleton):
					how = "one letter's difference"
				default:
					continue
				}
				l.add(Finding{
					Code: FindingLookAlike, Level: level, Rule: a.domain, Connections: both(a.ids, b.ids),
					Problem: fmt.Sprintf("looks like %s of another organization (%s)", shown(b.domain), how),
					Fix:     "make sure that both companies are who they say",
				})
			}
		}
	}
}

// both joins two lists of ids, each id once.
func both(a, b []string) []string {
	out := slices.Clone(a)
	for _, id := range b {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

const (
	minLookAlike = 4  // shorter names are near each other by chance
	maxGroup     = 50 // sites compared with each other
)

// shown is a domain as browsers show it, with the form that is meant.
func shown(domain string) string {
	if u, err := idna.Punycode.ToUnicode(domain); err == nil && u != domain {
		return fmt.Sprintf("%s (%s)", domain, u)
	}
	return domain
}

// skeleton folds a label onto what the eye takes it for.
func skeleton(label string) string {
	u, err := idna.Punycode.ToUnicode(label)
	if err != nil {
		u = label
	}
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(u)) {
		switch {
		case r >= 0x300 && r <= 0x36f || r == '-': // accents
		case confusable(r) != 0:
			b.WriteRune(confusable(r))
		default:
			b.WriteRune(r)
		}
	}
	return strings.NewReplacer("rn", "m", "vv", "w", "cl", "d").Replace(b.String())
}

// confusable maps letters of other scripts, and digits, to the Latin letter
// they are taken for (a selection of Unicode TR39 that domain labels allow).
func confusable(r rune) rune {
	const from = "0135іӏıļľłαаàеёєοоөсϲрρхχуүυѕԁɡһвькκмнтτиɩινѵωѡπпԝɑгјքց"
	const to = "oleslllllaaaeeeooooccppxxyyusdghbbkkmhttuiivvwwnnwarjpg"
	i := 0
	for _, f := range from {
		if f == r {
			return rune(to[i])
		}
		i++
	}
	if r == 'i' {
		return 'l' // as in paypaI
	}
	return 0
}

// near reports whether two names differ by one letter added, lost or changed,
// or by two neighbours swapped.
func near(a, b string) bool {
	x, y := []rune(a), []rune(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(y)-len(x) > 1 {
		return false
	}
	i := 0
	for i < len(x) && x[i] == y[i] {
		i++
	}
	if len(x) != len(y) {
		return slices.Equal(x[i:], y[i+1:])
	}
	if i == len(x) || slices.Equal(x[i+1:], y[i+1:]) {
		return true
	}
	return i+1 < len(x) && x[i] == y[i+1] && x[i+1] == y[i] && slices.Equal(x[i+2:], y[i+2:])
}
