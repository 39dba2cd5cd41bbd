package federation

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"gatehouse/profile"
)

//go:embed data/public_mail_domains.txt
var publicMailText string

// publicMailDomains are the shipped domains at which anybody gets an address.
func publicMailDomains() []string {
	var out []string
	for line := range strings.Lines(publicMailText) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			out = append(out, line)
		}
	}
	return out
}

// PublicMail returns the public mail domain a rule's domain is or lies under.
func PublicMail(domain string) (string, bool) {
	known := publicMailDomains()
	if slices.Contains(known, domain) {
		return domain, true
	}
	for parent := range parents(domain) {
		if slices.Contains(known, parent) {
			return parent, true
		}
	}
	return "", false
}

// maxRules bounds the domains of one connection.
const maxRules = 1000

func (c *checker) domains() {
	if len(c.conn.Domains) > maxRules {
		c.fault("domains", fmt.Sprintf("are more than %d", maxRules), "use wildcards, or several connections")
		return
	}
	seen := make(map[string]bool, len(c.conn.Domains))
	for i, d := range c.conn.Domains {
		path := fmt.Sprintf("domains[%d]", i)
		if _, ok := canonicalRule(d); !ok {
			c.fault(path, "is not a domain", `write "acme.test", "*.acme.test" or "*"`)
			continue
		}
		if seen[d] {
			c.fault(path, "is there twice", "remove one")
		}
		seen[d] = true
		if c.conn.AllowPublicDomains || d == "*" {
			continue
		}
		if public, ok := PublicMail(strings.TrimPrefix(d, "*.")); ok {
			c.fault(path, "is at "+public+", where anybody can get an address", "remove it, or set allow_public_domains to say that you mean it")
		}
	}
}

// canonicalRule is a routing rule in the form the matcher looks up.
func canonicalRule(rule string) (string, bool) {
	if rule == "*" {
		return rule, true
	}
	base, wildcard := strings.CutPrefix(rule, "*.")
	domain, err := profile.ParseDomain(base)
	if err != nil {
		return "", false
	}
	if wildcard {
		return "*." + domain, true
	}
	return domain, true
}
