package federation

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"

	"gatehouse/profile"
	"gatehouse/store"
)

// metadata is what we use of a provider: its discovery document with the
// connection's own endpoints in place of the document's.
type metadata struct {
	authorize, token, userinfo, jwks, endSession, revocation, push string
	// issParameter: the provider announced RFC 9207, so a callback without iss
	// is not its own.
	issParameter bool
	// pushRequired: the provider takes authorization requests only pushed
	// (RFC 9126 §5).
	pushRequired bool
}

// metadata returns the connection's endpoints, fetching the discovery document
// when it is needed and not cached.
func (f *Federation) metadata(ctx context.Context, conn *store.Connection, u *upstream) (metadata, error) {
	md, ok := manualMetadata(conn)
	switch {
	case ok:
		return md, nil
	case conn.Issuer == "":
		return metadata{}, fault(BlameOurs, CodeConnectionInvalid, "there is neither an issuer nor a %s", md.complete(conn))
	}
	owned := *conn // the fetch may outlive the caller
	md, _, err := u.metadata.get(ctx, f, func(ctx context.Context) (metadata, error) {
		md, err := f.discover(ctx, &owned, u)
		if err != nil {
			f.logger.WarnContext(ctx, "discovery failed", "connection", owned.ID, "error", err)
		}
		return md, err
	})
	return md, err
}

// manualMetadata is for connections that name every endpoint they need.
func manualMetadata(conn *store.Connection) (metadata, bool) {
	e := conn.Endpoints
	md := metadata{authorize: e.Authorize, token: e.Token, userinfo: e.Userinfo, jwks: e.JWKS, endSession: e.EndSession, revocation: e.Revocation, push: e.PushedAuthorization}
	return md, md.complete(conn) == ""
}

// complete names the first endpoint that is missing, or "".
func (md metadata) complete(conn *store.Connection) string {
	switch {
	case md.authorize == "" && conn.Grant == "":
		return "authorization_endpoint"
	case md.token == "":
		return "token_endpoint"
	case md.jwks == "" && conn.Kind != store.KindOAuth2:
		return "jwks_uri"
	case md.userinfo == "" && asksUserinfo(conn):
		return "userinfo_endpoint"
	case md.push == "" && conn.Grant == "" && pushes(conn, md):
		return "pushed_authorization_request_endpoint"
	}
	return ""
}

func (f *Federation) discover(ctx context.Context, conn *store.Connection, u *upstream) (metadata, error) {
	resp, err := f.do(ctx, conn, u, request{
		endpoint: "discovery", method: http.MethodGet,
		url:    strings.TrimSuffix(conn.Issuer, "/") + "/.well-known/openid-configuration",
		header: http.Header{"Accept": {"application/json"}},
	})
	if err != nil {
		return metadata{}, err
	}
	if resp.status != http.StatusOK {
		return metadata{}, fault(BlameProvider, CodeResponseStatus, "discovery endpoint answered %d", resp.status)
	}
	doc, err := resp.object("discovery", profile.Limits{Bytes: maxBody}, "application/json")
	if err != nil {
		return metadata{}, err
	}
	return f.readDiscovery(conn, doc)
}

// readDiscovery checks a discovery document against the connection: the issuer
// must be the configured one byte for byte (M7), and an endpoint that the
// connection does not name itself must live with the issuer, so that a
// provider cannot send our codes and client credentials to another (M6).
func (f *Federation) readDiscovery(conn *store.Connection, doc map[string]any) (metadata, error) {
	issuer, ok := doc["issuer"].(string)
	if !ok {
		return metadata{}, fault(BlameProvider, CodeDiscoveryInvalid, "the discovery document has no issuer")
	}
	if issuer != conn.Issuer {
		return metadata{}, fault(BlameProvider, CodeDiscoveryIssuer, "%s", issuerDifference(conn.Issuer, issuer))
	}
	md, _ := manualMetadata(conn)
	md.pushRequired = doc["require_pushed_authorization_requests"] == true
	for _, e := range []struct {
		name     string
		field    *string
		required bool
	}{
		{"authorization_endpoint", &md.authorize, conn.Grant == ""},
		{"token_endpoint", &md.token, true},
		{"jwks_uri", &md.jwks, conn.Kind != store.KindOAuth2},
		{"userinfo_endpoint", &md.userinfo, asksUserinfo(conn)},
		{"end_session_endpoint", &md.endSession, false},
		{"revocation_endpoint", &md.revocation, false},
		{"pushed_authorization_request_endpoint", &md.push, conn.Grant == "" && pushes(conn, md)},
	} {
		if *e.field != "" {
			continue // set on the connection
		}
		found, ok := doc[e.name].(string)
		if !ok {
			if doc[e.name] != nil {
				return metadata{}, fault(BlameProvider, CodeDiscoveryInvalid, "%s of the discovery document is not text", e.name)
			}
			continue
		}
		if err := f.endpointFits(conn, found); err != nil {
			if !e.required {
				continue // not used: one bad extra does not end all logins
			}
			return metadata{}, fault(BlameProvider, CodeDiscoveryEndpoint, "%s %s: %w", e.name, quoted(found), err)
		}
		*e.field = found
	}
	if missing := md.complete(conn); missing != "" {
		return metadata{}, fault(BlameProvider, CodeDiscoveryInvalid, "the discovery document has no %s, and the connection sets none", missing)
	}
	md.issParameter = doc["authorization_response_iss_parameter_supported"] == true
	return md, nil
}

func (f *Federation) endpointFits(conn *store.Connection, endpoint string) error {
	u, _, err := f.client.policy.reachOf(endpoint, conn.AllowPrivateNetwork)
	if err != nil {
		return err
	}
	issuer, err := url.Parse(conn.Issuer)
	if err != nil {
		return fmt.Errorf("the connection's issuer is no URL")
	}
	if site(u) != site(issuer) {
		return fmt.Errorf("it is not on the issuer's own domain (%s); if that is right, set this endpoint on the connection", site(issuer))
	}
	return nil
}

// site is the registrable domain of a URL; for names that have none, such as
// addresses and localhost, host and port.
func site(u *url.URL) string {
	host := canonicalHost(u.Hostname())
	if net.ParseIP(host) == nil {
		if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
			return domain
		}
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return net.JoinHostPort(host, port)
}

// issuerDifference says in one sentence how two issuers differ.
func issuerDifference(want, got string) string {
	how := "they are different issuers"
	switch {
	case strings.TrimSuffix(want, "/") == strings.TrimSuffix(got, "/"):
		how = "only the slash at the end differs"
	case strings.EqualFold(want, got):
		how = "only upper and lower case differ"
	case strings.ContainsAny(got, "{}"):
		how = "it holds a placeholder; configure the issuer of your own tenant"
	default:
		w, err1 := url.Parse(want)
		g, err2 := url.Parse(got)
		switch {
		case err1 != nil || err2 != nil:
		case w.Scheme != g.Scheme && w.Host == g.Host && w.Path == g.Path:
			how = "only the scheme differs"
		case w.Hostname() == g.Hostname() && w.Port() != g.Port() && w.Path == g.Path:
			how = "only the port differs"
		case w.Host == g.Host:
			how = "only the path differs"
		}
	}
	return fmt.Sprintf("the provider calls itself %s, the connection says %s: %s", quoted(got), quoted(want), how)
}
