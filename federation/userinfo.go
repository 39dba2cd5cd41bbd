package federation

import (
	"net/http"

	"gatehouse/profile"
)

// readUserinfo checks the answer of a userinfo endpoint (OpenID Connect Core
// §5.3). It counts only when its sub is the ID token's (U1); what it says of
// issuer, audience or sign-in is never read (U3), and claim sources in it are
// never fetched (U6).
func readUserinfo(resp response, subject string) ([]byte, error) {
	if resp.status != http.StatusOK {
		return nil, fault(BlameProvider, CodeUserinfoInvalid, "userinfo endpoint answered %d", resp.status)
	}
	o, err := resp.object("userinfo", profile.WideLimits(), "application/json")
	if err != nil {
		return nil, err
	}
	sub, ok := o["sub"].(string)
	switch {
	case !ok:
		return nil, fault(BlameProvider, CodeUserinfoInvalid, "userinfo has no sub")
	case sub != subject:
		return nil, fault(BlameProvider, CodeUserinfoSubject, "userinfo is about another subject than the ID token")
	}
	return resp.body, nil
}
