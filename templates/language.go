package templates

import (
	"strings"

	"golang.org/x/text/language"
)

// fallback is the language of everybody whose own is not there.
const fallback = "en"

// Languages are the languages of all pages and mails; the first is the default.
func Languages() []string { return []string{fallback, "de"} }

// Wish is what is known about the language a person reads.
type Wish struct {
	// Chosen is what the person chose before, kept on the account; or "".
	Chosen string
	// UILocales is the app's parameter (OpenID Connect Core §3.1.2.1): tags
	// separated by spaces, the best first.
	UILocales string
	// Accept is the browser's Accept-Language header (RFC 9110 §12.5.4).
	Accept string
	// Offered are the languages of the organization, its default first.
	Offered []string
}

// maxWish bounds what strangers may have us parse, in bytes.
const maxWish = 256

// Language picks one of Languages. Who wishes for one that the organization
// offers gets it, else one that the product has, else the organization's
// default, else English. Wishes that cannot be read count as none.
func (w Wish) Language() string {
	wishes := []string{w.Chosen, strings.ReplaceAll(bounded(w.UILocales), " ", ","), bounded(w.Accept)}
	offered := supported(w.Offered)
	for _, have := range [][]string{offered, Languages()} {
		for _, wish := range wishes {
			if found := match(wish, have); found != "" {
				return found
			}
		}
	}
	if len(offered) > 0 {
		return offered[0]
	}
	return fallback
}

func bounded(wish string) string {
	if len(wish) > maxWish || strings.Count(wish, "-") > maxWish/4 {
		return ""
	}
	return wish
}

// supported are those of tags that the product has, by their primary language.
func supported(tags []string) (out []string) {
	for _, tag := range tags {
		if found := match(tag, Languages()); found != "" {
			out = append(out, found)
		}
	}
	return out
}

// match is the first of have that a list of tags with weights asks for; "" when
// there is none. Only the primary language counts: de-AT reads German.
func match(wish string, have []string) string {
	if wish == "" || len(have) == 0 {
		return ""
	}
	tags, weights, err := language.ParseAcceptLanguage(wish)
	if err != nil {
		return ""
	}
	for i, tag := range tags {
		base, _ := tag.Base()
		for _, h := range have {
			if weights[i] > 0 && base.String() == h {
				return h
			}
		}
	}
	return ""
}
