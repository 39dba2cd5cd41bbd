package federation

import (
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"gatehouse/store"
)

// Requests that a connection's parameters are sent along with (Parameter.In).
const (
	inAuthorize = "authorize"
	inToken     = "token"
	inRefresh   = "refresh"
	inProfile   = "profile"
)

// Ways of sending a parameter (Parameter.As), and an access token.
const (
	asQuery  = "query"
	asForm   = "form"
	asHeader = "header"
)

// Bounds of what apps and sessions lend to requests: together with the rest of
// a login it must fit into a cookie.
const (
	maxLent      = 1024
	maxLentTotal = 2048
)

// Lookup reads an attribute of the user's identity or session at another
// connection; kind is "profile" or "security". False: there is none.
type Lookup func(connection, kind, attribute string) (value string, ok bool)

// lenders are where a login's parameters come from, beside the record itself.
type lenders struct {
	// request are parameters of the app, only those its record lets through.
	request map[string]string
	session Lookup
}

// resolve reads what app and session lend to the connection's parameters, by
// the parameter's place in the record. What is not there is not sent; what
// cannot be sent safely is an error.
func (l lenders) resolve(conn *store.Connection) (map[int]string, error) {
	var values map[int]string
	total := 0
	for i, p := range conn.Parameters {
		var value string
		var ok bool
		switch p.Source {
		case store.FromRequest:
			value, ok = l.request[p.Value]
		case store.FromSession:
			connection, kind, attribute, sound := sessionReference(p.Value)
			if !sound {
				return nil, fault(BlameOurs, CodeConnectionInvalid, "parameters[%d] names no session attribute", i)
			}
			if l.session != nil {
				value, ok = l.session(connection, kind, attribute)
			}
		}
		if !ok || value == "" {
			continue
		}
		if total += len(value); len(value) > maxLent || total > maxLentTotal || !plain(value) {
			return nil, fault(BlameApp, CodeRequestInvalid, "the value for parameter %s is too long or has control characters", quoted(p.Name))
		}
		if values == nil {
			values = map[int]string{}
		}
		values[i] = value
	}
	return values, nil
}

// sessionReference splits <connection>.<profile|security>.<attribute>.
func sessionReference(value string) (connection, kind, attribute string, ok bool) {
	connection, rest, _ := strings.Cut(value, ".")
	kind, attribute, _ = strings.Cut(rest, ".")
	return connection, kind, attribute, connection != "" && attribute != "" && (kind == "profile" || kind == "security")
}

// plain reports whether s can stand in a header, and so anywhere.
func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

// carrier is a request in the making. Parameters go into query, form and
// headers, encoded, and never into host or path: neither token nor session
// decides where we connect (SECURITY-CASES H6).
type carrier struct {
	query, form url.Values
	header      http.Header
}

// parameters adds those of the connection that belong into the request named
// in. What the protocol itself sends is set afterwards and wins.
func parameters(conn *store.Connection, in, grantType string, values map[int]string, to carrier) error {
	for i, p := range conn.Parameters {
		if !slices.Contains(p.In, in) {
			continue
		}
		value, secret, err := valueOf(conn, &p, grantType, values[i])
		if err != nil {
			return err
		}
		if value == "" {
			continue
		}
		as := p.As
		switch {
		case in == inAuthorize:
			as = asQuery
		case as == "" && in == inProfile:
			as = asQuery
		case as == "":
			as = asForm
		}
		switch {
		case secret && as == asQuery:
			// A URL is written down everywhere (SECURITY-CASES Z2).
			return fault(BlameOurs, CodeConnectionInvalid, "parameters[%d] would put a secret in a URL", i)
		case as == asQuery:
			to.query.Set(p.Name, value)
		case as == asForm:
			to.form.Set(p.Name, value)
		case as == asHeader && !reservedHeader(p.Name) && plain(value):
			to.header.Set(p.Name, value)
		default:
			return fault(BlameOurs, CodeConnectionInvalid, "parameters[%d] cannot be sent as %s", i, quoted(as))
		}
	}
	return nil
}

func valueOf(conn *store.Connection, p *store.Parameter, grantType, lent string) (value string, secret bool, err error) {
	switch p.Source {
	case store.FromConstant:
		return p.Value, false, nil
	case store.FromRequest:
		return lent, false, nil
	case store.FromSession:
		_, kind, _, _ := sessionReference(p.Value)
		return lent, kind == "security", nil
	case store.FromConfiguration:
		switch p.Value {
		case "client_id":
			return conn.ClientID, false, nil
		case "client_secret":
			s, err := conn.ClientSecret.Reveal()
			if err != nil {
				return "", true, fault(BlameOurs, CodeConnectionInvalid, "client secret cannot be opened: %w", err)
			}
			return s.Reveal(), true, nil
		case "scope":
			return strings.Join(conn.Scopes, " "), false, nil
		case "grant_type":
			return grantType, false, nil
		}
	}
	return "", false, fault(BlameOurs, CodeConnectionInvalid, "parameter %s has a source that is not known", quoted(p.Name))
}

// reservedHeader are headers that say where a request goes, how it is framed or
// who asks: no parameter's business.
func reservedHeader(name string) bool {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Authorization", "Host", "Cookie", "Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding", "Te",
		"Trailer", "Connection", "Proxy-Connection", "Proxy-Authorization", "Keep-Alive", "Upgrade", "Expect", "User-Agent", "Accept-Encoding":
		return true
	}
	return !visible(name, 64) || strings.ContainsAny(name, ":()<>@,;\\\"/[]?={}")
}
