package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const smallest = "issuer: http://localhost:9000\ndata: gatehouse.db\n"

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gatehouse.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// faultsOf returns the faults as "line:column field" with the text behind.
func faultsOf(t *testing.T, path string, environ ...string) []string {
	t.Helper()
	_, err := loadConfig(path, environ)
	if err == nil {
		return nil
	}
	var found faults
	if !errors.As(err, &found) {
		t.Fatalf("got error %v, want faults", err)
	}
	var out []string
	for _, f := range found {
		where, _ := strings.CutPrefix(f.Where, path+":")
		out = append(out, where+" "+f.Field+": "+f.Problem+"; "+f.Fix)
	}
	return out
}

func TestConfigDefaultsAreUsable(t *testing.T) {
	t.Parallel()
	path := writeConfig(t, smallest)
	cfg, err := loadConfig(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(path)
	for _, c := range []struct{ name, got, want string }{
		{"data", cfg.Data, filepath.Join(dir, "gatehouse.db")},
		{"master key", cfg.MasterKeyFile, filepath.Join(dir, "master.key")},
		{"admin url", cfg.Admin.URL, "http://localhost:9001"},
		{"admin listener is loopback", cfg.Admin.Listen, "127.0.0.1:9001"},
		{"access token", cfg.Lifetimes.AccessToken.String(), "15m0s"},
		{"header", cfg.Proxy.Header, "X-Forwarded-For"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, c.got, c.want)
		}
	}
	if len(cfg.derived.proxies) != 0 {
		t.Error("a proxy is trusted by default")
	}
}

func TestConfigReportsAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	path := writeConfig(t, `issuer: https://login.example.com/auth
isuer: twice
data:
  - a
admin:
  listen: nonsense
  colour: red
proxy:
  trusted:
    - 10.0.0.0/8
    - 10.0.0.1/8
    - everyone
lifetimes:
  access_token: 0s
  code: -1s
  session_idle: soon
  refresh_idle: 99999999999999h
log:
  level: loud
log:
  format: json
`)
	got := faultsOf(t, path)
	want := []string{
		`1:9 issuer: it has a path ("/auth")`,
		`2:1 isuer: there is no such field; did you mean issuer?`,
		`4:3 data: a single value is expected here`,
		`6:11 admin.listen: "nonsense" is not an address`,
		`7:3 admin.colour: there is no such field`,
		`11:7 proxy.trusted[1]: "10.0.0.1/8" has host bits set; write 10.0.0.0/8`,
		`12:7 proxy.trusted[2]: "everyone" is not a network`,
		`14:17 lifetimes.access_token: 0s is out of range`,
		`15:9 lifetimes.code: -1s is out of range`,
		`16:17 lifetimes.session_idle: "soon" is not a length of time`,
		`17:17 lifetimes.refresh_idle: "99999999999999h" is not a length of time`,
		`19:10 log.level: "loud" is not known; take one of debug, info, warn, error`,
		`20:1 log: the field is set a second time`,
	}
	for _, w := range want {
		if !slices.ContainsFunc(got, func(g string) bool { return strings.HasPrefix(g, w) }) {
			t.Errorf("missing: %s", w)
		}
	}
	if t.Failed() || len(got) != len(want)+1 { // and data, which is then missing
		t.Errorf("got %d faults:\n%s", len(got), strings.Join(got, "\n"))
	}
}

func TestConfigSingleFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"nothing":               {"", "issuer: it is missing"},
		"not yaml":              {"issuer: [", "this is not YAML"},
		"list at the top":       {"- issuer", "fields are expected here"},
		"two documents":         {smallest + "---\nlisten: :1\n", "second YAML document"},
		"null":                  {"issuer:\ndata: x\n", "a single value is expected here"},
		"anchor":                {"issuer: &a http://localhost\ndata: x\n", "a single value is expected here"},
		"tag":                   {"issuer: !!str http://localhost\ndata: x\n", "a single value is expected here"},
		"merge key":             {smallest + "<<: {listen: ':1'}\n", "a field name is expected here"},
		"http on the net":       {"issuer: http://login.example.com\ndata: x\n", "http would send passwords"},
		"ftp":                   {"issuer: ftp://localhost\ndata: x\n", "not an http or https URL"},
		"trailing slash":        {"issuer: http://localhost/\ndata: x\n", "it has a path"},
		"query":                 {"issuer: http://localhost?\ndata: x\n", "more than scheme and host"},
		"user":                  {"issuer: http://a@localhost\ndata: x\n", "more than scheme and host"},
		"upper case":            {"issuer: http://LOCALHOST\ndata: x\n", "lower-case"},
		"https without cert":    {"issuer: https://login.example.com\ndata: x\n", "tls: an https issuer needs a certificate"},
		"http with cert":        {smallest + "tls: {cert_file: a, key_file: b}\n", "the listener speaks TLS"},
		"half a certificate":    {smallest + "tls: {cert_file: a}\n", "tls.key_file: it is missing"},
		"admin on the net":      {smallest + "admin: {listen: ':9001'}\n", "admin.url: it is missing"},
		"admin is the issuer":   {smallest + "admin: {url: 'http://localhost:9000'}\n", "it is the issuer's address"},
		"admin over http":       {smallest + "admin: {url: 'http://admin.example.com'}\n", "admins' passwords"},
		"every proxy":           {smallest + "proxy: {trusted: [0.0.0.0/0]}\n", "every address there is"},
		"every private network": {smallest + "network: {allow_private: ['::/0']}\n", "every address there is"},
		"forwarded":             {smallest + "proxy: {header: forwarded}\n", "syntax of Forwarded is not read"},
		"bool":                  {smallest + "insecure_http_issuer: yes\n", "neither true nor false"},
		"no traces":             {smallest + "traces: {keep: 0}\n", "traces.keep: 0 is out of range; take something from 100 to 1000000"},
		"too many traces":       {smallest + "traces: {keep: 1000001}\n", "1000001 is out of range"},
		"number":                {smallest + "network: {connections_per_address: many}\n", "not a whole number"},
		"idle over absolute":    {smallest + "lifetimes: {session_idle: 8d}\n", "longer than session_absolute"},
		"port":                  {smallest + "listen: ':70000'\n", "not an address to listen on"},
		"key is data":           {smallest + "master_key_file: gatehouse.db\n", "it is the data file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(faultsOf(t, writeConfig(t, c.text)), "\n")
			if !strings.Contains(got, c.want) {
				t.Errorf("got faults\n%s\nwant one with %q", got, c.want)
			}
		})
	}
}

func TestConfigEnvironmentWins(t *testing.T) {
	t.Parallel()
	path := writeConfig(t, smallest+"lifetimes:\n  access_token: 5m\n")
	cfg, err := loadConfig(path, []string{
		"GATEHOUSE_LIFETIMES_ACCESS_TOKEN=10m",
		"GATEHOUSE_LIFETIMES_REFRESH_IDLE=1d12h",
		"GATEHOUSE_DATA=elsewhere.db",
		"GATEHOUSE_ADMIN_LISTEN=127.0.0.1:7001",
		"GATEHOUSE_NETWORK_CONNECTIONS_PER_ADDRESS=7",
		"GATEHOUSE_MASTER_KEY=not looked at here",
		"GATEHOUSE_LISTEN=", // empty is unset
		"GATEHOUSE_SERVICE_HOST=10.0.0.1",
		"GATEHOUSE_PORT_9000_TCP_ADDR=10.0.0.1",
		"GATEHOUSE_ADMIN_SERVICE_PORT_HTTP=9001",
		"HOME=/",
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := cfg.Lifetimes.AccessToken, 10*time.Minute; got != want {
		t.Errorf("access token: got %s, want %s", got, want)
	}
	if got, want := cfg.Lifetimes.RefreshIdle, 36*time.Hour; got != want {
		t.Errorf("refresh idle: got %s, want %s", got, want)
	}
	if got, want := cfg.Data, "elsewhere.db"; got != want {
		t.Errorf("data: got %s, want %s (a variable's path starts at the working directory)", got, want)
	}
	if got, want := cfg.Admin.URL, "http://localhost:7001"; got != want {
		t.Errorf("admin url: got %s, want %s", got, want)
	}
	if got, want := cfg.Network.ConnectionsPerAddress, 7; got != want {
		t.Errorf("connections: got %d, want %d", got, want)
	}
}

func TestConfigWithoutFile(t *testing.T) {
	t.Parallel()
	cfg, err := loadConfig("", []string{"GATEHOUSE_ISSUER=http://localhost:1", "GATEHOUSE_DATA=x.db"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := cfg.MasterKeyFile, "master.key"; got != want {
		t.Errorf("key file: got %s, want %s", got, want)
	}
}

func TestConfigEnvironmentFaults(t *testing.T) {
	t.Parallel()
	got := strings.Join(faultsOf(t, writeConfig(t, smallest),
		"GATEHOUSE_LISTN=:1", "GATEHOUSE_PROXY_TRUSTED=10.0.0.0/8", "GATEHOUSE_LIFETIMES_CODE=0", "GATEHOUSE_LOG_LEVEL=no"), "\n")
	for _, want := range []string{
		"GATEHOUSE_LISTN : no field has this variable; did you mean GATEHOUSE_LISTEN?",
		"GATEHOUSE_PROXY_TRUSTED proxy.trusted: lists cannot stand in a variable",
		"GATEHOUSE_LIFETIMES_CODE lifetimes.code: 0s is out of range",
		"GATEHOUSE_LOG_LEVEL log.level: ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %q in\n%s", want, got)
		}
	}
}

func TestK7_LifetimesThatWouldWrap(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"0", "0s", "-1s", "-1h", "1ns", "106752d", "9223372036854775807d", "106751d24h", "2562048h",
		"1e9h", "1d-1h", "d", "1d1d", "", " 1h", "1y", "∞", "18446744073709551616d",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			got := faultsOf(t, writeConfig(t, smallest+"lifetimes:\n  access_token: \""+text+"\"\n"))
			if len(got) == 0 || !strings.HasPrefix(got[0], "4:17 lifetimes.access_token: ") {
				t.Errorf("got %v, want a fault at the field", got)
			}
		})
	}
}

func TestK7_DurationsNeverWrap(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"106751d": 106751 * day, "106751d23h": 106751*day + 23*time.Hour, "1d12h": 36 * time.Hour, "15m": 15 * time.Minute, "0s": 0, "-1s": -time.Second,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"106752d", "106751d24h", "213503982334602d", "2562048h"} { // the third would wrap to a few hours
		if got, err := parseDuration(text); err == nil {
			t.Errorf("%s: got %s, want a refusal", text, got)
		}
	}
}

func TestConfigMissingFile(t *testing.T) {
	t.Parallel()
	_, err := loadConfig(filepath.Join(t.TempDir(), "none.yaml"), nil)
	if err == nil || !strings.Contains(err.Error(), "there is no configuration file") {
		t.Errorf("got %v", err)
	}
}

// FuzzConfig: no bytes make the parser panic or hang, and what it accepts is
// within the limits.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(smallest))
	f.Add([]byte("a: &x [*x]\n<<: *x\n"))
	f.Add([]byte("issuer: |\n  x\nlifetimes: {code: 1d, access_token: 1h}\n"))
	f.Add([]byte("%YAML 1.2\n---\n? {a: b}\n: c\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		cfg := defaultConfig()
		from := origins{}
		found := decodeYAML("f", raw, &cfg, from)
		found = append(found, cfg.check(from)...)
		if len(found) > 0 {
			_ = found.Error()
			return
		}
		l := cfg.Lifetimes
		if cfg.derived.issuer == nil || cfg.Data == "" || l.AccessToken <= 0 || l.Code <= 0 || l.SessionIdle <= 0 || l.RefreshIdle <= 0 {
			t.Errorf("accepted an unusable configuration: %+v", cfg)
		}
	})
}
