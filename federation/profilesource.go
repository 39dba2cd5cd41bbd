package federation

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"gatehouse/profile"
	"gatehouse/store"
)

// asksUserinfo reports whether a login needs the provider's userinfo endpoint.
func asksUserinfo(conn *store.Connection) bool {
	switch conn.Profile.Kind {
	case "":
		return conn.UseUserinfo
	case store.ProfileURL, store.ProfileURLInURL:
		return conn.Profile.URL == ""
	}
	return false
}

// profileRequests is how many requests a login makes for the profile: never
// more than the source needs.
func profileRequests(conn *store.Connection) int {
	switch kind := conn.Profile.Kind; {
	case kind == store.ProfileURLInURL:
		return 2
	case kind == store.ProfileURL, kind == store.ProfileURLInTokenResponse, kind == "" && conn.UseUserinfo:
		return 1
	}
	return 0
}

func compileURLSelector(source store.ProfileSource) (*profile.URLSelector, error) {
	s, err := profile.CompileURL("profile.url_selector", source.URLSelector.Path)
	if err != nil {
		return nil, fault(BlameOurs, CodeConnectionInvalid, "the selector of the profile's URL does not compile: %w", err)
	}
	return s, nil
}

// profileDocument gets the profile from where the connection says (DESIGN §7);
// nil when it has none. subject is the ID token's, "" without one.
func (f *Federation) profileDocument(ctx context.Context, conn *store.Connection, u *upstream, md metadata, tokens tokenResponse, subject string, lent map[int]string) ([]byte, error) {
	ask := profileAsker{f, conn, u, tokens.accessToken, lent}
	first := cmp.Or(conn.Profile.URL, md.userinfo)
	switch conn.Profile.Kind {
	case "":
		if !conn.UseUserinfo {
			return nil, nil
		}
		return ask.person(ctx, md.userinfo, md, subject)
	case store.ProfileNone, store.ProfilePosted:
		return nil, nil
	case store.ProfileTokenResponse:
		return tokens.raw, nil
	case store.ProfileURL:
		return ask.person(ctx, first, md, subject)
	case store.ProfileURLInURL:
		resp, err := ask.get(ctx, "profile_link", first)
		if err != nil {
			return nil, err
		}
		if _, err := readProfile(resp, ""); err != nil {
			return nil, err
		}
		return ask.linked(ctx, resp.body, md, subject)
	case store.ProfileURLInTokenResponse:
		return ask.linked(ctx, tokens.raw, md, subject)
	}
	return nil, fault(BlameOurs, CodeConnectionInvalid, "profile source %q is not known", conn.Profile.Kind)
}

// profileAsker makes the profile requests of one login.
type profileAsker struct {
	f           *Federation
	conn        *store.Connection
	u           *upstream
	accessToken string
	lent        map[int]string
}

// person asks for the profile itself and reads it: as userinfo, which must name
// the ID token's subject (U1), or as any other profile.
func (a profileAsker) person(ctx context.Context, from string, md metadata, subject string) ([]byte, error) {
	name, read := "profile", readProfile
	if from == md.userinfo && subject != "" {
		name, read = "userinfo", readUserinfo
	}
	resp, err := a.get(ctx, name, from)
	if err != nil {
		return nil, err
	}
	return read(resp, subject)
}

// linked asks at the URL that the response names.
func (a profileAsker) linked(ctx context.Context, response []byte, md metadata, subject string) ([]byte, error) {
	urls, err := a.u.urls()
	if err != nil {
		return nil, err
	}
	found, err := urls.Find(response)
	if err != nil {
		return nil, fault(BlameProvider, CodeProfileURLAbsent, "%w", err)
	}
	if err := a.f.checkProfileURL(a.conn, md, found); err != nil {
		return nil, err
	}
	return a.person(ctx, found, md, subject)
}

// get makes one profile request with the access token where the record wants it.
func (a profileAsker) get(ctx context.Context, endpoint, from string) (response, error) {
	source := a.conn.Profile
	req := request{endpoint: endpoint, method: cmp.Or(source.Method, http.MethodGet), url: from, query: url.Values{}, header: http.Header{}}
	form := url.Values{}
	if err := parameters(a.conn, inProfile, wireGrant(a.conn), a.lent, carrier{req.query, form, req.header}); err != nil {
		return response{}, err
	}
	switch source.TokenAs {
	case "", asHeader:
		if name := source.TokenName; name != "" && !strings.EqualFold(name, "Authorization") {
			if reservedHeader(name) {
				return response{}, fault(BlameOurs, CodeConnectionInvalid, "the access token cannot be sent in header %s", quoted(name))
			}
			req.header.Set(name, a.accessToken)
		} else {
			req.header.Set("Authorization", "Bearer "+a.accessToken)
		}
	case asQuery:
		req.query.Set(cmp.Or(source.TokenName, "access_token"), a.accessToken)
	case asForm:
		form.Set(cmp.Or(source.TokenName, "access_token"), a.accessToken)
	default:
		return response{}, fault(BlameOurs, CodeConnectionInvalid, "the access token cannot be sent as %s", quoted(source.TokenAs))
	}
	if len(form) > 0 {
		req.method, req.body = http.MethodPost, []byte(form.Encode())
		req.header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if req.header.Get("Accept") == "" {
		req.header.Set("Accept", "application/json")
	}
	return a.f.do(ctx, a.conn, a.u, req)
}

// readProfile checks a profile that is not userinfo. It need not name the ID
// token's subject (Microsoft Graph has none), for the access token came with
// that ID token; where it names one, it is the same (U1).
func readProfile(resp response, subject string) ([]byte, error) {
	if resp.status != http.StatusOK {
		return nil, fault(BlameProvider, CodeUserinfoInvalid, "profile endpoint answered %d", resp.status)
	}
	o, err := resp.object("profile", profile.WideLimits(), "application/json", anyJSON)
	if err != nil {
		return nil, err
	}
	if sub, present := o["sub"]; present && subject != "" && sub != subject {
		return nil, fault(BlameProvider, CodeUserinfoSubject, "the profile is about another subject than the ID token")
	}
	return resp.body, nil
}

// checkProfileURL decides whether a URL that a response named may be asked with
// the person's access token: only at the provider's own registrable domain (of
// the issuer, the token endpoint, or the configured profile URL) and at its
// usual port, or at a host that the record lists (SECURITY-CASES H4).
func (f *Federation) checkProfileURL(conn *store.Connection, md metadata, found string) error {
	refuse := func(why string) error {
		return fault(BlameProvider, CodeProfileURLRefused, "the response names %s as the profile's URL: %s", quoted(originOf(found)), why)
	}
	u, _, err := f.client.policy.reachOf(found, conn.AllowPrivateNetwork)
	if err != nil {
		return refuse(err.Error())
	}
	if strings.ContainsFunc(u.Host, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return refuse("the host is not written in ASCII")
	}
	plainHTTP := u.Scheme == "http"
	if slices.ContainsFunc(conn.Profile.AllowedHosts, func(h string) bool { return stripPort(h, u.Scheme) == stripPort(u.Host, u.Scheme) }) && !plainHTTP {
		return nil
	}
	for _, own := range []string{conn.Issuer, md.token, conn.Profile.URL} {
		o, err := url.Parse(own)
		if own == "" || err != nil {
			continue
		}
		sameOrigin := o.Scheme == u.Scheme && stripPort(o.Host, o.Scheme) == stripPort(u.Host, u.Scheme)
		usualPort := u.Port() == "" || u.Port() == "443"
		if sameOrigin || site(o) == site(u) && usualPort && !plainHTTP {
			return nil
		}
	}
	return refuse("it is not on the provider's own domain; if that is right, list its host in profile.allowed_hosts")
}

// originOf leaves out what could be secret or long: path and query.
func originOf(raw string) string {
	if u, err := url.Parse(raw); err == nil && u.Host != "" {
		return u.Scheme + "://" + u.Host
	}
	return "something else"
}
