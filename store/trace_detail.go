package store

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/profile"
)

// literal is text that stands in the source. No other package can convert a
// variable to it, so what is said at run time – a secret, a provider's words –
// does not compile where a literal is wanted (SECURITY-CASES Z1).
type literal string

// Detail is one fact of a step. Only the functions of this file make one.
type Detail struct{ name, value string }

// Passed is a check that went well.
func Passed(check literal) Detail { return Detail{"checked", string(check)} }

// Enum is value if it is among those listed, else "other".
func Enum[T ~string](name literal, value T, allowed ...literal) Detail {
	if !slices.Contains(allowed, literal(value)) {
		value = "other"
	}
	return Detail{string(name), string(value)}
}

// Int is a number: a count, a status, a size in bytes.
func Int[T ~int | ~int64](name literal, n T) Detail {
	return Detail{string(name), strconv.FormatInt(int64(n), 10)}
}

// Bool is yes or no.
func Bool(name literal, b bool) Detail {
	if b {
		return Detail{string(name), "yes"}
	}
	return Detail{string(name), "no"}
}

// Millis is a duration.
func Millis(name literal, d time.Duration) Detail {
	return Detail{string(name), strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 1, 64) + " ms"}
}

// Host is the host and port of a URL, and nothing else of it.
func Host(name literal, rawURL string) Detail {
	u, err := url.Parse(rawURL)
	if err != nil {
		return Detail{string(name), "no URL"}
	}
	return Detail{string(name), hostText(u.Host)}
}

// MailDomain is the domain of an address, never the part before the @.
func MailDomain(name literal, e profile.Email) Detail {
	return Detail{string(name), hostText(e.Domain())}
}

func hostText(s string) string {
	if len(s) > maxDetail || strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(".-_:[]*", r)
	}) {
		return "not a host name"
	}
	return s
}

// Rule is a routing rule: a domain, "*" or a word of routing's.
func Rule(name literal, rule string) Detail { return Detail{string(name), hostText(rule)} }

var recordID = regexp.MustCompile(`\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z`)

// idText is an id that admins or we gave a record; whatever is not one is
// shown as its hash.
func idText(id string) string {
	if id == "" || recordID.MatchString(id) {
		return id
	}
	return shortHash(id)
}

// ConnectionID names a connection.
func ConnectionID(id string) Detail { return Detail{"connection", idText(id)} }

// ClientID names an app.
func ClientID(id string) Detail { return Detail{"client", idText(id)} }

// Hash tells whether two values are the same without showing either: the first
// eight digits of SHA-256. It is for names of keys, not for guessable values.
func Hash(name literal, value string) Detail {
	if value == "" {
		return Detail{string(name), "none"}
	}
	return Detail{string(name), shortHash(value)}
}

func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256:" + hex.EncodeToString(sum[:4])
}

// Algorithm is a JOSE algorithm; what is none is "other".
func Algorithm(name literal, alg string) Detail {
	return Enum(name, alg, "none", "ES256", "ES384", "ES512", "EdDSA", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "HS256", "HS384", "HS512")
}

// Names are the parameters of a request, without their values. Names that no
// standard and no provider we know uses are only counted.
func Names(name literal, params url.Values) Detail {
	var known []string
	strange := 0
	for p := range params {
		if slices.Contains(knownParameters(), p) {
			known = append(known, p)
		} else {
			strange++
		}
	}
	slices.Sort(known)
	text := strings.Join(known, " ")
	if strange > 0 {
		text = strings.TrimSpace(text + " +" + strconv.Itoa(strange) + " others")
	}
	if len(text) > 2*maxDetail {
		text = strconv.Itoa(len(params)) + " parameters"
	}
	return Detail{string(name), text}
}

func knownParameters() []string {
	return []string{
		"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
		"login_hint", "prompt", "max_age", "acr_values", "ui_locales", "response_mode", "hd", "domain_hint", "display", "claims",
		"code", "iss", "error", "error_description", "error_uri", "session_state", "id_token", "access_token", "expires_in",
		"token_type", "user", "authuser", "request_uri", "resource", "audience", "organization", "connection", "id_token_hint",
	}
}

// Quoted is text somebody else wrote: cleaned, quoted and cut. Prefer Enum.
func Quoted(name literal, u profile.Untrusted) Detail {
	return Detail{string(name), strconv.Quote(u.Clean(maxDetail))}
}

// List joins details of one name into one, for things that come in numbers.
func List(name literal, details []Detail) Detail {
	var b strings.Builder
	for i, d := range details {
		if b.Len() > 2*maxDetail {
			b.WriteString(" +" + strconv.Itoa(len(details)-i))
			break
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(d.name)
		if d.value != "" {
			b.WriteString("=" + d.value)
		}
	}
	return Detail{string(name), b.String()}
}

// Attribute is a selector by the name its connection gives it, and whether it
// found something.
func Attribute(name string, matched bool) Detail {
	value := "missed"
	if matched {
		value = "matched"
	}
	return Detail{idText(name), value}
}

// TraceFault is what an error or a decision tells a trace. Why is text of ours
// in which upstream text stands only quoted and cut, and secrets never.
type TraceFault struct {
	Code  string // one of TraceCodes
	Blame string // "" takes the code's usual one
	Why   string
}

// Traceable is an error, or a decision, that a step can tell about. The text of
// any other error is never recorded: nobody vouches for what is in it.
type Traceable interface{ TraceFault() TraceFault }
