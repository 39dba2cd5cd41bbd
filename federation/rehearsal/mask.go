package rehearsal

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gatehouse/profile"
	"gatehouse/store"
)

// Bounds of one result.
const (
	maxValues = 250       // per document
	maxPlain  = 16 << 10  // bytes of one value that are kept
	maxKept   = 128 << 10 // bytes of all of them
	maxDepth  = 12
	maxShown  = 120
)

// struckOut stands for a text that holds a secret of ours.
const struckOut = "(holds a secret of this connection: never shown)"

// Read flattens and masks an answer.
func (r *Result) Read(endpoint, from string, status int, mediaType string, body []byte) Document {
	d := Document{Endpoint: endpoint, From: from, Status: status, MediaType: r.clean(mediaType), Bytes: len(body), Values: []Value{}}
	parsed, err := profile.ParseJSON(body, profile.WideLimits())
	if err != nil {
		d.Note = "This is not JSON that we accept: " + r.clean(err.Error())
		return d
	}
	d.Values, d.Note = r.Flatten(parsed)
	return d
}

// Flatten lists the values of a parsed document with their paths.
func (r *Result) Flatten(v any) (values []Value, note string) {
	f := flattener{r: r, values: []Value{}}
	f.walk("$", "", v, 0)
	if f.left > 0 {
		note = fmt.Sprintf("%d more values are not shown.", f.left)
	}
	return f.values, note
}

type flattener struct {
	r      *Result
	values []Value
	left   int
}

func (f *flattener) walk(path, name string, v any, depth int) {
	if len(f.values) >= maxValues {
		f.left++
		return
	}
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 || depth == maxDepth {
			f.values = append(f.values, Value{Path: path, Kind: "object", Shown: fmt.Sprintf("%d members", len(v))})
			return
		}
		for _, member := range slices.Sorted(maps.Keys(v)) {
			f.walk(path+step(f.r.clean(member)), member, v[member], depth+1)
		}
	case []any:
		if len(v) == 0 || depth == maxDepth {
			f.values = append(f.values, Value{Path: path, Kind: "list", Shown: fmt.Sprintf("%d elements", len(v))})
			return
		}
		for i, e := range v {
			f.walk(fmt.Sprintf("%s[%d]", path, i), name, e, depth+1)
		}
	default:
		f.values = append(f.values, f.r.value(path, name, v))
	}
}

// step is a member in a path as selectors write it.
func step(name string) string {
	for i, c := range name {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return "['" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(name) + "']"
		}
	}
	if name == "" {
		return "['']"
	}
	return "." + name
}

// Value masks one value that stands at path; name is that of its member.
func (r *Result) Value(path, name string, v any) Value { return r.value(path, name, v) }

func (r *Result) value(path, name string, v any) Value {
	out := Value{Path: path}
	var text string
	switch v := v.(type) {
	case nil:
		out.Kind, out.Shown = "nothing", "null"
		return out
	case bool:
		out.Kind, out.Shown = "truth", fmt.Sprint(v)
		return out
	case json.Number:
		out.Kind, text = "number", v.String()
	case float64, int, int64:
		out.Kind, text = "number", fmt.Sprint(v)
	case string:
		out.Kind, text = "text", v
	default:
		out.Kind, out.Shown = "object", "…"
		return out
	}
	out.Secret = secretName(name) || len(text) > 200 || strings.HasPrefix(text, "eyJ")
	switch {
	case r.holdsSecret(text):
		out.Shown, out.Secret = struckOut, true
		return out
	case !out.Secret && (plainName(name) || r.ours && ourName(name)) && len(text) <= maxShown:
		out.Shown = r.clean(text)
		return out
	case out.Secret:
		out.Shown = fmt.Sprintf("•••••• (%d characters)", utf8.RuneCountInString(text))
	case out.Kind == "number":
		out.Shown = fmt.Sprintf("••• (%d digits)", len(text))
	default:
		out.Shown = mask(r.clean(text))
	}
	if len(text) > maxPlain || r.spent+len(text) > maxKept {
		return out // nothing to reveal: too much to keep
	}
	r.spent += len(text)
	r.plain = append(r.plain, store.Secret(text))
	out.Number = len(r.plain)
	return out
}

// mask leaves enough to recognise one's own.
func mask(s string) string {
	local, domain, isAddress := strings.Cut(s, "@")
	if isAddress && local != "" && !strings.Contains(domain, "@") && strings.Contains(domain, ".") {
		first, _ := utf8.DecodeRuneInString(local)
		return fmt.Sprintf("%c•••@%s", first, cut(domain, 60))
	}
	n := utf8.RuneCountInString(s)
	switch {
	case n == 0:
		return "(empty)"
	case n <= 3:
		return fmt.Sprintf("••• (%d characters)", n)
	}
	first, _ := utf8.DecodeRuneInString(s)
	return fmt.Sprintf("%c••• (%d characters)", first, n)
}

// secretName: what is never a fact about a person, however short.
func secretName(name string) bool {
	n := strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
	if n == "tokentype" {
		return false
	}
	for _, part := range []string{"token", "secret", "password", "assertion", "cookie", "apikey", "privatekey", "code", "session", "credential"} {
		if strings.Contains(n, part) && n != "zipcode" && n != "postalcode" && n != "countrycode" {
			return true
		}
	}
	return false
}

// plainName: facts of the protocol, that are shown as they are.
func plainName(name string) bool {
	return slices.Contains([]string{
		"token_type", "expires_in", "refresh_expires_in", "scope", "iss", "aud", "azp", "exp", "iat", "nbf", "auth_time",
		"acr", "amr", "typ", "email_verified", "phone_number_verified", "error",
	}, name)
}

// ourName: what this installation says of a person, not the provider.
func ourName(name string) bool {
	return slices.Contains([]string{"org", "org_title", "roles", "groups", "updated_at"}, name)
}

// clean makes text of the provider fit for a page: one line, cut, no secret.
func (r *Result) clean(s string) string {
	for _, secret := range r.struck {
		s = strings.ReplaceAll(s, secret, "***")
	}
	s = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || c == utf8.RuneError {
			return -1
		}
		return c
	}, s)
	return cut(s, 400)
}

func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

func (r *Result) holdsSecret(s string) bool {
	return slices.ContainsFunc(r.struck, func(secret string) bool { return strings.Contains(s, secret) })
}

// Claim masks claims that were made in this process.
func (r *Result) Claim(claims map[string]any) []Value {
	raw, err := json.Marshal(claims)
	if err != nil {
		return nil
	}
	parsed, err := profile.ParseJSON(raw, profile.WideLimits())
	if err != nil {
		return nil
	}
	r.ours = true
	defer func() { r.ours = false }()
	values, _ := r.Flatten(parsed)
	return values
}
