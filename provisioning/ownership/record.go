package ownership

import (
	"crypto/subtle"
	"fmt"
	"strings"

	"golang.org/x/net/publicsuffix"

	"gatehouse/federation"
	"gatehouse/store"
)

// label is put before a domain: a record there stands in nobody's way.
const label = "_gatehouse-challenge."

// prefix begins the value of every record of ours.
const prefix = "gatehouse-domain="

// RecordName is where the TXT record is looked for first; the domain itself is
// looked at too.
func RecordName(domain string) string { return label + domain }

// NewChallenge makes the value for one claim of one organization. It is a
// random value, never a secret: everybody can read DNS.
func NewChallenge() string { return prefix + store.NewID() }

// proves reports whether one of the values of TXT records is the challenge,
// byte by byte. Spaces around it do not count, nor one pair of quotes, which
// many DNS consoles make part of the value.
func proves(values []string, challenge string) bool {
	if challenge == "" {
		return false
	}
	for _, v := range values {
		v = strings.Trim(v, " \t")
		if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
			v = strings.Trim(v[1:len(v)-1], " \t")
		}
		if subtle.ConstantTimeCompare([]byte(v), []byte(challenge)) == 1 {
			return true
		}
	}
	return false
}

// foreign reports whether there is a value of ours, for another claim.
func foreign(values []string) bool {
	for _, v := range values {
		if strings.HasPrefix(strings.Trim(v, " \t\""), prefix) {
			return true
		}
	}
	return false
}

// Provable says why DNS could not prove that one company holds a domain, in
// words that follow the domain's name; "" when it can. domain is canonical.
func Provable(domain string) string {
	if public, ok := federation.PublicMail(domain); ok {
		return fmt.Sprintf("is at %s, where anybody can get an address", public)
	}
	if suffix, _ := publicsuffix.PublicSuffix(domain); suffix == domain {
		return "is an ending below which anybody can register a name"
	}
	return ""
}
