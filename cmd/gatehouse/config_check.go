package main

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"net/textproto"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gatehouse/federation"
)

// checker collects what is wrong with the fields taken together.
type checker struct {
	cfg   *config
	from  origins
	found faults
}

func (c *checker) report(field, problem, fix string) {
	o, ok := c.from[field]
	if !ok {
		// A field nobody set: say it at the enclosing field, or for the whole.
		for parent := field; !ok && strings.Contains(parent, "."); {
			parent = parent[:strings.LastIndex(parent, ".")]
			o, ok = c.from[parent]
		}
		c.from[field] = o
	}
	c.found = append(c.found, fault{Where: o.where, Field: field, Problem: problem, Fix: fix})
}

// check judges every field, fills in derived values and returns all faults.
func (cfg *config) check(from origins) faults {
	c := &checker{cfg: cfg, from: from}
	c.publicAddress()
	c.adminAddress()
	c.proxies()
	c.paths()
	c.lifetimes()
	c.dns()
	c.mail()
	if cfg.Network.ConnectionsPerAddress < 1 {
		c.report("network.connections_per_address", "it must be at least 1", "leave it out for 512")
	}
	if k := cfg.Audit.Keep; k != 0 && k < day {
		c.report("audit.keep", fmt.Sprintf("%s is too short", k), "take at least 1d, or 0 to keep everything")
	}
	if k := cfg.Traces.Keep; k < 100 || k > 1_000_000 {
		c.report("traces.keep", fmt.Sprintf("%d is out of range", k), "take something from 100 to 1000000, or leave it out for 5000")
	}
	c.oneOf("admin.second_factor", cfg.Admin.SecondFactor, "required", "optional")
	if cfg.Admin.SecondFactor == "optional" && cfg.derived.issuer != nil && cfg.derived.issuer.Scheme == "https" {
		cfg.warnings = append(cfg.warnings, "admin.second_factor is optional: admins and owners get in with a password alone")
	}
	c.oneOf("log.level", cfg.Log.Level, "debug", "info", "warn", "error")
	c.oneOf("log.format", cfg.Log.Format, "json", "text")
	return c.found
}

func (c *checker) publicAddress() {
	cfg := c.cfg
	c.listenAddress("listen", cfg.Listen)
	c.certificate("tls", cfg.TLS)
	if cfg.Issuer == "" {
		c.report("issuer", "it is missing", "set it to where apps reach Gatehouse, such as https://login.example.com")
		return
	}
	u, problem := originURL(cfg.Issuer)
	if problem != "" {
		c.report("issuer", problem, "write scheme and host only, such as https://login.example.com")
		return
	}
	cfg.derived.issuer = u
	for i, h := range cfg.PublicHosts {
		at := fmt.Sprintf("public_hosts[%d]", i)
		switch host, problem := originURL(h); {
		case problem != "":
			c.report(at, problem, "write scheme and host only, such as https://login.brand.example")
		case host.Scheme != u.Scheme:
			c.report(at, "its scheme is not the issuer's", "use "+u.Scheme)
		case canonicalHost(host.Host) == canonicalHost(u.Host):
			c.report(at, "it is the issuer's host", "remove it")
		}
	}
	switch {
	case u.Scheme == "http" && cfg.InsecureHTTPIssuer && !loopbackHost(u.Hostname()):
		cfg.warnings = append(cfg.warnings, "insecure_http_issuer: passwords and tokens cross the network unencrypted")
	case u.Scheme == "http" && !loopbackHost(u.Hostname()):
		c.report("issuer", "http would send passwords and tokens unencrypted", "use https (a test host may set insecure_http_issuer: true)")
	case u.Scheme == "http" && cfg.TLS.CertFile != "":
		c.report("issuer", "it says http, but the listener speaks TLS", "write https, or remove tls")
	case u.Scheme == "https" && cfg.TLS.CertFile == "" && len(cfg.Proxy.Trusted) == 0 && !loopbackAddress(cfg.Listen):
		c.report("tls", "an https issuer needs a certificate, or a proxy that has one", "set tls.cert_file and tls.key_file, or name the proxy's network in proxy.trusted")
	}
}

func (c *checker) adminAddress() {
	admin := &c.cfg.Admin
	c.listenAddress("admin.listen", admin.Listen)
	c.certificate("admin.tls", admin.TLS)
	for i, h := range admin.Hosts {
		if !hostName.MatchString(h) {
			c.report(fmt.Sprintf("admin.hosts[%d]", i), fmt.Sprintf("%q is not a host name", h), "write a name such as gatehouse-admin, with :port if it is not the usual one")
		}
	}
	if admin.URL == "" {
		_, port, err := net.SplitHostPort(admin.Listen)
		if err != nil {
			return // reported already
		}
		if !loopbackAddress(admin.Listen) {
			c.report("admin.url", "it is missing, and admin.listen is not a loopback address", "set it to where admins reach the console, such as https://gatehouse-admin.example.com")
			return
		}
		scheme := "http"
		if admin.TLS.CertFile != "" {
			scheme = "https"
		}
		admin.URL = scheme + "://localhost:" + port
	}
	u, problem := originURL(admin.URL)
	switch {
	case problem != "":
		c.report("admin.url", problem, "write scheme and host only, such as https://gatehouse-admin.example.com")
	case u.Scheme == "http" && !loopbackHost(u.Hostname()) && !c.cfg.InsecureHTTPIssuer:
		c.report("admin.url", "http would send the admins' passwords unencrypted", "use https")
	case c.cfg.derived.issuer != nil && c.cfg.derived.issuer.Host == u.Host:
		c.report("admin.url", "it is the issuer's address", "give the console a host or port of its own")
	default:
		c.cfg.derived.admin = u
	}
}

func (c *checker) proxies() {
	cfg := c.cfg
	cfg.derived.proxies = c.networks("proxy.trusted", cfg.Proxy.Trusted)
	for i, entry := range cfg.Network.AllowPrivate {
		at := fmt.Sprintf("network.allow_private[%d]", i)
		policy, err := federation.ParseNetworkPolicy([]string{entry})
		switch {
		case err != nil:
			c.report(at, fmt.Sprintf("%q is neither a network, an address nor a host name", entry), "write it as 10.1.0.0/16, 10.1.2.3 or idp.internal")
		case len(policy.Prefixes) == 1 && policy.Prefixes[0].Bits() == 0:
			c.report(at, "it is every address there is", "name the networks one by one")
		}
	}
	header := textproto.CanonicalMIMEHeaderKey(cfg.Proxy.Header)
	switch {
	case !headerName.MatchString(cfg.Proxy.Header):
		c.report("proxy.header", fmt.Sprintf("%q is not a header name", cfg.Proxy.Header), "write the header your proxy sets, such as X-Forwarded-For")
	case header == "Forwarded":
		c.report("proxy.header", "the syntax of Forwarded is not read", "let the proxy set X-Forwarded-For")
	}
	cfg.Proxy.Header = header
}

func (c *checker) paths() {
	cfg := c.cfg
	if cfg.Data == "" {
		c.report("data", "it is missing", "name the data file, such as /var/lib/gatehouse/gatehouse.db")
		return
	}
	if cfg.MasterKeyFile == "" {
		cfg.MasterKeyFile = filepath.Join(filepath.Dir(cfg.Data), "master.key")
		c.from["master_key_file"] = c.from["data"]
	}
	for field, path := range map[string]*string{
		"data": &cfg.Data, "master_key_file": &cfg.MasterKeyFile,
		"tls.cert_file": &cfg.TLS.CertFile, "tls.key_file": &cfg.TLS.KeyFile,
		"admin.tls.cert_file": &cfg.Admin.TLS.CertFile, "admin.tls.key_file": &cfg.Admin.TLS.KeyFile,
		"mail.ca_file": &cfg.Mail.CAFile, "mail.password_file": &cfg.Mail.PasswordFile, "mail.directory": &cfg.Mail.Directory,
	} {
		// A path in the file starts at the file's folder; one in a variable,
		// which has no line, at the working directory.
		if *path != "" && !filepath.IsAbs(*path) && c.from[field].line > 0 {
			*path = filepath.Join(cfg.dir, *path)
		}
	}
	if cfg.Data == cfg.MasterKeyFile {
		c.report("master_key_file", "it is the data file", "keep the key in a file of its own")
	}
}

func (c *checker) lifetimes() {
	l := c.cfg.Lifetimes
	for _, f := range []struct {
		name          string
		got, min, max time.Duration
	}{
		{"session_idle", l.SessionIdle, time.Minute, 366 * day},
		{"session_absolute", l.SessionAbsolute, time.Minute, 366 * day},
		{"console_idle", l.ConsoleIdle, time.Minute, 7 * day},
		{"console_absolute", l.ConsoleAbsolute, time.Minute, 30 * day},
		{"access_token", l.AccessToken, 30 * time.Second, day},
		{"refresh_idle", l.RefreshIdle, time.Minute, 5 * 366 * day},
		{"refresh_absolute", l.RefreshAbsolute, time.Minute, 5 * 366 * day},
		{"code", l.Code, 5 * time.Second, 10 * time.Minute},
	} {
		if f.got < f.min || f.got > f.max {
			c.report("lifetimes."+f.name, fmt.Sprintf("%s is out of range", f.got), fmt.Sprintf("take something from %s to %s", human(f.min), human(f.max)))
		}
	}
	if l.SessionIdle > l.SessionAbsolute {
		c.report("lifetimes.session_idle", "it is longer than session_absolute, so it would never act", "make it shorter")
	}
	if l.ConsoleIdle > l.ConsoleAbsolute {
		c.report("lifetimes.console_idle", "it is longer than console_absolute, so it would never act", "make it shorter")
	}
	if l.RefreshIdle > l.RefreshAbsolute {
		c.report("lifetimes.refresh_idle", "it is longer than refresh_absolute, so it would never act", "make it shorter")
	}
}

func (c *checker) dns() {
	if r := c.cfg.DNS.Resolver; r != "" {
		host, port, err := net.SplitHostPort(r)
		if n, numberErr := strconv.Atoi(port); err != nil || numberErr != nil || n < 1 || n > 65535 || host == "" {
			c.report("dns.resolver", fmt.Sprintf("%q is not an address", r), "write host:port, such as 10.0.0.53:53")
		}
	}
	if g := c.cfg.DNS.Grace; g < time.Hour || g > 90*day {
		c.report("dns.grace", fmt.Sprintf("%s is out of range", g), "take something from 1h to 90d")
	}
}

func human(d time.Duration) string {
	if d >= day {
		return fmt.Sprintf("%dd", d/day)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") { // 15m0s, but not 30s
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") { // 12h0m, but not 30m
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func (c *checker) oneOf(field, got string, allowed ...string) {
	for _, a := range allowed {
		if got == a {
			return
		}
	}
	c.report(field, fmt.Sprintf("%q is not known", got), "take one of "+strings.Join(allowed, ", "))
}

func (c *checker) networks(field string, list []string) []netip.Prefix {
	var out []netip.Prefix
	for i, text := range list {
		p, err := netip.ParsePrefix(text)
		if addr, addrErr := netip.ParseAddr(text); addrErr == nil && addr.Zone() == "" {
			p, err = netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()), nil
		}
		at := fmt.Sprintf("%s[%d]", field, i)
		switch {
		case err != nil:
			c.report(at, fmt.Sprintf("%q is not a network", text), "write it as 10.0.0.0/24, fd00::/64 or a single address")
		case p.Bits() == 0:
			c.report(at, "it is every address there is", "name the networks one by one")
		case p.Masked() != p:
			c.report(at, fmt.Sprintf("%q has host bits set", text), "write "+p.Masked().String())
		default:
			out = append(out, p)
		}
	}
	return out
}

func (c *checker) listenAddress(field, address string) {
	host, port, err := net.SplitHostPort(address)
	n, numberErr := strconv.Atoi(port)
	_, addrErr := netip.ParseAddr(cmp.Or(host, "::"))
	if err != nil || numberErr != nil || n < 0 || n > 65535 || (addrErr != nil && host != "localhost") {
		c.report(field, fmt.Sprintf("%q is not an address to listen on", address), "write host:port, such as 127.0.0.1:9000 or :9000")
	}
}

func (c *checker) certificate(field string, files tlsFiles) {
	switch {
	case files.CertFile != "" && files.KeyFile == "":
		c.report(field+".key_file", "it is missing beside cert_file", "name the certificate's private key")
	case files.CertFile == "" && files.KeyFile != "":
		c.report(field+".cert_file", "it is missing beside key_file", "name the certificate")
	}
}

// originURL reads scheme://host[:port] and nothing more.
func originURL(text string) (u *url.URL, problem string) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, "it is not a URL"
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, "it is not an http or https URL"
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(text, "#"):
		return nil, "it has more than scheme and host"
	case u.Path != "":
		return nil, fmt.Sprintf("it has a path (%q)", u.Path)
	case !hostName.MatchString(u.Host):
		return nil, "its host is not a lower-case host name or address"
	}
	return u, ""
}

var (
	// hostName is a lower-case name, IPv4 or bracketed IPv6 address, maybe with a port.
	hostName   = regexp.MustCompile(`^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?$`)
	headerName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)
)

// loopbackHost reports whether a URL's host is this machine.
func loopbackHost(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// loopbackAddress reports whether a listen address is reachable from this
// machine only.
func loopbackAddress(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && loopbackHost(host)
}
