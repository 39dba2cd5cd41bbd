package templates

import "strings"

// Brand is how public pages look when they know the organization. The zero
// value changes nothing. Addresses and texts are an admin's: what is not an
// https or mailto address is left out.
type Brand struct {
	Organization string // title
	LogoURL      string // https
	Accent       string // "#rrggbb"; what CheckAccent refuses is left out
	// Links shown on every page, also before sign-in.
	PrivacyURL, HelpURL, RequestURL string
	// Contact is whom to ask, as plain text.
	Contact string
}

// look is a Brand as layouts draw it.
type look struct {
	Brand
	Sheet string // address of the accent's style sheet, or ""
}

func (t *Templates) look() look {
	l := look{Brand: t.brand}
	if l.Accent != "" {
		if problem, _ := CheckAccent(l.Accent); problem == "" {
			l.Sheet = t.config.BasePath + "/static/" + accentPrefix + l.Accent[1:] + ".css"
		}
	}
	return l
}

// accentPrefix begins the names of accents' style sheets. They are made when
// they are asked for, of the six digits in their name and nothing else.
const accentPrefix = "accent-"

// accentFile is the style sheet with a name, if it is one.
func accentFile(name string) (asset, bool) {
	digits, ok := strings.CutPrefix(name, accentPrefix)
	if !ok {
		return asset{}, false
	}
	css, ok := accentSheet("#" + strings.TrimSuffix(digits, ".css"))
	return asset{[]byte(css), "text/css; charset=utf-8"}, ok && strings.HasSuffix(digits, ".css")
}

// OwnText is an organization's wording of a page, in the page's language.
// Empty parts keep ours.
type OwnText struct {
	Title, Sentence, Next, Contact string
}
