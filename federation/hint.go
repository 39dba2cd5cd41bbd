package federation

import (
	"strings"

	"gatehouse/profile"
	"gatehouse/store"
)

// Formats of a login hint (Hint.Format).
const (
	hintAddress  = "address"
	hintLocal    = "local"
	hintDomain   = "domain"
	hintTemplate = "template"
)

// hints are the parameters that tell the provider who is coming.
func hints(conn *store.Connection, who profile.Email) map[string]string {
	out := map[string]string{}
	if conn.LoginHint != LoginHintOff && !who.IsZero() {
		name := conn.Hint.Parameter
		if name == "" {
			name = "login_hint"
		}
		out[name] = hintText(conn.Hint, who)
	}
	if name := conn.DomainHint.Parameter; name != "" {
		if out[name] = conn.DomainHint.Value; out[name] == "" {
			out[name] = who.Domain()
		}
	}
	return out
}

func hintText(h store.Hint, who profile.Email) string {
	switch h.Format {
	case hintLocal:
		return who.Local()
	case hintDomain:
		return who.Domain()
	case hintTemplate:
		// One pass: what a local part looks like is never read as a placeholder.
		return strings.NewReplacer("{local}", who.Local(), "{domain}", who.Domain(), "{email}", who.String()).Replace(h.Template)
	}
	return who.String()
}
