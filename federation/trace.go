package federation

import (
	"context"
	"maps"
	"net/url"
	"slices"

	"gatehouse/store"
)

// TraceFault implements store.Traceable. The text is that of Error: upstream
// text stands in it only quoted and cut.
func (e *Error) TraceFault() store.TraceFault {
	f := store.TraceFault{Code: e.Code, Blame: string(e.Blame)}
	if e.Err != nil {
		f.Why = e.Err.Error()
	}
	return f
}

// departed tells a trace where the browser was sent and with which parameters.
func departed(conn *store.Connection, target *url.URL, q url.Values) []store.Detail {
	return []store.Detail{
		store.Host("host", target.String()), store.Names("parameters", q),
		store.Bool("pkce", !conn.InsecureNoPKCE), store.Bool("nonce", !conn.InsecureNoNonce),
	}
}

// selected tells a trace what each selector found: matched or missed, no values.
func (v *VerifiedIdentity) selected() []store.Detail {
	a := v.attributes
	var found []store.Detail
	for _, f := range []struct{ name, value string }{
		{"federation_id", a.FederationID},
		{"email", a.Email},
		{"first_name", a.FirstName},
		{"last_name", a.LastName},
		{"display_name", a.DisplayName},
		{"phone", a.Phone},
		{"picture", a.Picture},
	} {
		if f.value != "" {
			found = append(found, store.Attribute(f.name, true))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.Custom)) {
		if !slices.Contains(v.missed, name) {
			found = append(found, store.Attribute(name, true))
		}
	}
	for _, name := range v.missed {
		found = append(found, store.Attribute(name, false))
	}
	return []store.Detail{
		store.List("attributes", found), store.Int("warnings", len(v.warnings)),
		store.Enum("email_verified", v.emailVerified.String(), "absent", "true", "false"),
	}
}

// hideSecret strikes the client's secret out, should the provider repeat it.
func hideSecret(ctx context.Context, conn *store.Connection) {
	if store.TraceOf(ctx) == nil {
		return
	}
	if secret, err := conn.ClientSecret.Reveal(); err == nil {
		store.Hide(ctx, secret.Reveal())
	}
}
