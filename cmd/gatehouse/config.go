package main

import (
	"net/netip"
	"net/url"
	"time"

	"gatehouse/notify"
)

// config is the whole configuration. Every field can stand in the YAML file;
// every field that is not a list also in the environment, as GATEHOUSE_ and its
// path in capitals: lifetimes.access_token is GATEHOUSE_LIFETIMES_ACCESS_TOKEN.
// The environment wins. Unknown names and all faults are reported at once.
//
// The comments below are the reference: docs/configuration.md and
// `gatehouse config schema` are made of them.
type config struct {
	// Where browsers and apps reach Gatehouse: scheme and host, such as
	// https://login.example.com. Every URL Gatehouse hands out starts with it;
	// it is the `iss` of all tokens, so it never changes once apps use it.
	// Required. http is allowed for loopback hosts only.
	Issuer string `yaml:"issuer"`

	// Further hosts that branded apps send people to, such as
	// https://login.brand.example: scheme and host, the scheme of the issuer.
	// A login stays at the host it began at; tokens name the issuer as always.
	// Each connection that serves such a host lists it too, and its provider
	// has the callback URL of that host registered.
	PublicHosts []string `yaml:"public_hosts"`

	// Allow an http issuer on a host that is not this machine. Passwords and
	// tokens then cross the network readable by everyone on the way.
	InsecureHTTPIssuer bool `yaml:"insecure_http_issuer"`

	// Address of the public listener, host:port. An empty host means every
	// address of this machine.
	Listen string `yaml:"listen"`

	// Certificate of the public listener. Leave it out when a proxy named in
	// `proxy` speaks TLS with the world.
	TLS tlsFiles `yaml:"tls"`

	// The admin listener: console, API, metrics and health.
	Admin adminConfig `yaml:"admin"`

	// The data file. `gatehouse init` makes it; serving never does, so that a
	// volume that is not mounted is seen.
	Data string `yaml:"data"`

	// File with the master key that seals every secret in the data file: 32
	// random bytes in base64 on the first line, made by `gatehouse init`.
	// Further lines are older keys, still used for reading. Keep a copy away
	// from the backups of the data. The variable GATEHOUSE_MASTER_KEY, with
	// keys separated by commas, takes its place. Default: master.key beside
	// the data file.
	MasterKeyFile string `yaml:"master_key_file"`

	// Reverse proxies in front of Gatehouse.
	Proxy proxyConfig `yaml:"proxy"`

	// What Gatehouse may reach when it talks to identity providers.
	Network networkConfig `yaml:"network"`

	// How domains are proven by DNS; see domains.md.
	DNS dnsConfig `yaml:"dns"`

	// How long things last: numbers with units, such as 90s, 15m, 12h, 30d or
	// 1d12h.
	Lifetimes lifetimesConfig `yaml:"lifetimes"`

	// How mails are sent: invitations, requests for access, links for new
	// passwords. Without `smtp` or `directory` no mail is sent.
	Mail mailConfig `yaml:"mail"`

	// The log on standard error: one line per request and per event.
	Log logConfig `yaml:"log"`

	// The recorded steps of logins; see traces.md.
	Traces tracesConfig `yaml:"traces"`

	// Who changed what; see audit.md.
	Audit auditConfig `yaml:"audit"`

	dir      string // folder of the file, which relative paths in it start from
	derived  derived
	warnings []string // accepted, but to be said at every start
}

// tlsFiles is a certificate and its key. Both are read again when they change.
type tlsFiles struct {
	// PEM file with the certificate chain, leaf first.
	CertFile string `yaml:"cert_file"`
	// PEM file with its private key. It must not be readable for everyone.
	KeyFile string `yaml:"key_file"`
}

type adminConfig struct {
	// Address of the admin listener, host:port. Health and metrics answer
	// here without sign-in, so keep it off public networks.
	Listen string `yaml:"listen"`
	// Where admins reach the console. Required unless `admin.listen` is a
	// loopback address, whose http URL is then the default.
	URL string `yaml:"url"`
	// Further host names the admin listener answers to, such as the name a
	// metrics collector uses.
	Hosts []string `yaml:"hosts"`
	// Certificate of the admin listener.
	TLS tlsFiles `yaml:"tls"`
	// Second factor of people with a role: required asks admins and owners who
	// sign in with a local account, at the console and at apps, for a passkey
	// or an authenticator app, and has them set one up first; optional asks
	// only those who have one. `gatehouse dev` has it optional.
	SecondFactor string `yaml:"second_factor"`
}

type proxyConfig struct {
	// Networks of the proxies, such as 10.0.0.0/24. Only connections from
	// them may say who the client is; empty means no proxy.
	Trusted []string `yaml:"trusted"`
	// The one header in which they say it; the right-most address that is
	// not one of them counts. Every other forwarding header is dropped.
	Header string `yaml:"header"`
}

type networkConfig struct {
	// Private networks and hosts that connections may reach when they say so
	// themselves, such as 10.1.0.0/16 or idp.internal. Loopback, link-local
	// and private addresses are out of reach otherwise.
	AllowPrivate []string `yaml:"allow_private"`
	// How many open connections one client address (IPv6: one /64) may hold
	// at the public listener. Trusted proxies are not counted.
	ConnectionsPerAddress int `yaml:"connections_per_address"`
}

type dnsConfig struct {
	// The DNS server that is asked for the TXT records of domains, host:port,
	// best one that validates DNSSEC. Empty asks the servers of the system.
	Resolver string `yaml:"resolver"`
	// A proven domain lapses when its record has been missing for this long:
	// nobody is routed or admitted by it any more.
	Grace time.Duration `yaml:"grace"`
}

type lifetimesConfig struct {
	// A browser session ends after this long without use.
	SessionIdle time.Duration `yaml:"session_idle"`
	// A browser session ends after this long in any case.
	SessionAbsolute time.Duration `yaml:"session_absolute"`
	// A session of the admin console ends after this long without use.
	ConsoleIdle time.Duration `yaml:"console_idle"`
	// A session of the admin console ends after this long in any case.
	ConsoleAbsolute time.Duration `yaml:"console_absolute"`
	// Access tokens, unless the client's record says otherwise.
	AccessToken time.Duration `yaml:"access_token"`
	// A refresh token that is not used for this long is dead.
	RefreshIdle time.Duration `yaml:"refresh_idle"`
	// A grant ends this long after the sign-in, however often it is refreshed.
	RefreshAbsolute time.Duration `yaml:"refresh_absolute"`
	// Authorization codes.
	Code time.Duration `yaml:"code"`
}

type mailConfig struct {
	// Mail server that takes our mails, host:port, such as
	// smtp.example.com:587.
	SMTP string `yaml:"smtp"`
	// How the connection to it is protected: starttls (required; usual on port
	// 587), implicit (usual on port 465), or none, for a server on this machine
	// only.
	TLS string `yaml:"tls"`
	// PEM file with the authorities that sign the server's certificate, when
	// they are not those this machine trusts.
	CAFile string `yaml:"ca_file"`
	// Sender of all mails, such as no-reply@example.com or
	// "Example sign-in <no-reply@example.com>". Required with `smtp`.
	From string `yaml:"from"`
	// Name to sign in to the mail server with; empty signs in nowhere.
	Username string `yaml:"username"`
	// File with the password that goes with it. The variable
	// GATEHOUSE_MAIL_PASSWORD takes its place.
	PasswordFile string `yaml:"password_file"`
	// Folder that mails are written to as .eml files instead of being sent:
	// for development and tests. They hold links that sign in.
	Directory string `yaml:"directory"`
}

type logConfig struct {
	// debug, info, warn or error.
	Level string `yaml:"level"`
	// json or text.
	Format string `yaml:"format"`
}

type tracesConfig struct {
	// How many logins are kept, 100 to 1000000. A new one replaces the oldest;
	// each takes up to 8 KB of the data file. When it shrinks, the oldest go.
	Keep int `yaml:"keep"`
}

type auditConfig struct {
	// How long entries of the audit are kept, such as 730d; at least 1d. What
	// is older is removed, from the oldest on. 0 keeps them forever.
	Keep time.Duration `yaml:"keep"`
}

// derived is what check made of the fields.
type derived struct {
	issuer  *url.URL
	admin   *url.URL
	proxies []netip.Prefix
	mail    mailSecrets
}

// defaultConfig is what holds where the file says nothing.
func defaultConfig() config {
	return config{
		Listen: ":9000",
		Admin:  adminConfig{Listen: "127.0.0.1:9001", SecondFactor: "required"},
		Proxy:  proxyConfig{Header: "X-Forwarded-For"},
		Network: networkConfig{
			ConnectionsPerAddress: 512,
		},
		DNS: dnsConfig{Grace: 7 * day},
		Lifetimes: lifetimesConfig{
			SessionIdle:     8 * time.Hour,
			SessionAbsolute: 7 * day,
			ConsoleIdle:     30 * time.Minute,
			ConsoleAbsolute: 12 * time.Hour,
			AccessToken:     15 * time.Minute,
			RefreshIdle:     30 * day,
			RefreshAbsolute: 90 * day,
			Code:            60 * time.Second,
		},
		Mail:   mailConfig{TLS: notify.TLSStart},
		Log:    logConfig{Level: "info", Format: "json"},
		Traces: tracesConfig{Keep: 5000},
	}
}

const day = 24 * time.Hour
