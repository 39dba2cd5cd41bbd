package admin

import (
	"slices"
	"strings"
)

// scopeAllows reports whether an API token's scopes cover an operation. Scopes
// are "<resource>:read" and "<resource>:write", which includes reading; the
// resource is the operation's tag, or * for all. They narrow the role of the
// token's user and never widen it. A caller without scopes is not narrowed.
func (p Principal) scopeAllows(g gate) bool {
	if len(p.scopes) == 0 || g.tag == tagMe && g.reads {
		return true
	}
	resource := scopeResource(g.tag)
	allowed := []string{resource + ":write", "*:write"}
	if g.reads {
		allowed = append(allowed, resource+":read", "*:read")
	}
	return slices.ContainsFunc(p.scopes, func(s string) bool { return slices.Contains(allowed, s) })
}

// tagMe marks operations about the caller alone. Reading them (who am I) is
// open to every token.
const tagMe = "me"

func scopeResource(tag string) string { return strings.ReplaceAll(tag, " ", "-") }

// TokenResources are the resources that scopes of API tokens name, in order.
func (h *Handler) TokenResources() []string {
	out := []string{"*"}
	for _, r := range h.routes {
		if resource := scopeResource(r.tag); r.tag != "" && !slices.Contains(out, resource) {
			out = append(out, resource)
		}
	}
	slices.Sort(out)
	return out
}

// checkTokenScopes refuses scopes that no operation asks for: a typing error
// would make a token that can do nothing, or be taken for a narrower one.
func (h *Handler) checkTokenScopes(f *faults, scopes []string) {
	known := h.TokenResources()
	for i, s := range scopes {
		resource, verb, _ := strings.Cut(s, ":")
		switch {
		case !slices.Contains(known, resource) || verb != "read" && verb != "write":
			f.add(indexed("scopes", i), "must be one of %s, then :read or :write", strings.Join(known, ", "))
		case slices.Index(scopes, s) < i:
			f.add(indexed("scopes", i), "is there twice")
		}
	}
}
