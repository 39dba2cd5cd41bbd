package federation

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
)

// LocalPerson is somebody who has just proven themselves with the credentials
// of a local account.
type LocalPerson struct {
	// UserID is the subject: the account's user, and no other.
	UserID     string
	Attributes profile.Attributes
	// EmailProven: a link mailed to the address in Attributes was used.
	EmailProven bool
	AuthTime    time.Time
	AMR         []string // RFC 8176: pwd, otp, hwk, swk, user, mfa
}

// LocalIdentity makes the verified identity of a person of a local connection:
// issuer is ours, subject the user's id. From here on it is decided about like
// any other; an address nobody has proven counts as denied, not as absent.
func (f *Federation) LocalIdentity(conn store.Connection, p LocalPerson) (VerifiedIdentity, error) {
	if conn.Kind != store.KindLocal || p.UserID == "" {
		return VerifiedIdentity{}, fault(BlameOurs, CodeConnectionInvalid, "not a connection of local accounts")
	}
	id := newIdentity(&conn, f.publicURL)
	id.subject, id.attributes, id.authTime, id.amr = p.UserID, p.Attributes, p.AuthTime, slices.Clone(p.AMR)
	id.attributes.FederationID = p.UserID
	if e, err := profile.ParseEmail(p.Attributes.Email); err == nil {
		id.email, id.emailVerified = e, profile.False
		if p.EmailProven {
			id.emailVerified = profile.True
		}
	}
	return id, nil
}

// localFields are what a connection of local accounts has; everything else is
// about a provider.
func localFields() []string {
	return []string{
		"id", "organization", "kind", "title", "picture", "disabled", "domains", "join", "allow_public_domains",
		"max_session_seconds", "idle_session_seconds", "server_only", "concurrent_logins",
		"revision", "created_at", "updated_at", "client_id", "use_userinfo",
	}
}

// local checks a connection of local accounts.
func (c *checker) local() {
	c.conn.ConcurrentLogins = without(c.conn.ConcurrentLogins, "unlimited")
	for i, d := range c.conn.Domains {
		if canonical, ok := canonicalRule(d); ok {
			c.conn.Domains[i] = canonical
		}
	}
	c.names()
	c.domains()
	c.sessions()
	raw, err := json.Marshal(c.conn)
	var set map[string]json.RawMessage
	if err != nil || json.Unmarshal(raw, &set) != nil { // a fresh secret does not encode: it is one of the fields to complain of
		set = map[string]json.RawMessage{"client_secret": nil}
	}
	if c.conn.ClientID != "" {
		set["client_id "] = nil
	}
	if c.conn.UseUserinfo {
		set["use_userinfo "] = nil
	}
	var extra []string
	for name := range set {
		if !slices.Contains(localFields(), name) {
			extra = append(extra, strings.TrimSpace(name))
		}
	}
	slices.Sort(extra)
	for _, name := range extra {
		c.unused(true, name, "local accounts have no provider")
	}
}
