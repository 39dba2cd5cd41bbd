package mockidp

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestExampleConfig(t *testing.T) {
	t.Parallel()
	cfg, err := ParseConfig([]byte(ExampleConfig))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Domain != "acme.test" || len(cfg.Clients) != 1 || cfg.Users["carol"]["sub"] != "0001" {
		t.Errorf("example = %+v", cfg)
	}
	// Every field is in it: with its comment signs gone it still reads.
	var all []string
	for line := range strings.SplitSeq(ExampleConfig, "\n") {
		if bare := strings.TrimLeft(line, " "); strings.HasPrefix(bare, "#") && !strings.HasPrefix(bare, "# ") {
			line = line[:len(line)-len(bare)] + bare[1:]
		}
		if !strings.Contains(line, "jwks:") && !strings.Contains(line, "auth_methods:") {
			all = append(all, line)
		}
	}
	full, err := ParseConfig([]byte(strings.Join(all, "\n")))
	if err != nil {
		t.Fatalf("with every field: %v", err)
	}
	if full.CodeTTL != time.Minute || full.AutoLogin != "alice" || len(full.Faults) != 2 || full.HugeSize != 8<<20 {
		t.Errorf("full example = %+v", full)
	}
	for name := range (&fileDecoder{}).configFields(&Config{}) {
		if !strings.Contains(ExampleConfig, name+":") {
			t.Errorf("the example says nothing of %s", name)
		}
	}
	for name := range (&fileDecoder{}).clientFields(&Client{}) {
		if !strings.Contains(ExampleConfig, name+":") {
			t.Errorf("the example says nothing of clients[].%s", name)
		}
	}
}

func TestConfigFaultsAllAtOnce(t *testing.T) {
	t.Parallel()
	_, err := ParseConfig([]byte(`issuer: http://localhost:9101/
domain: not a domain
colour: blue
signing_alg: HS256
code_ttl: soon
require_pkce: "yes"
huge_size: -1
faults: [no_such_fault]
title: Acme
title: Twice
users:
  carol: text
  dave: {sub: &a x, ref: *a}
clients:
  - secret: s
    auth_methods: [private_key_jwt, magic]
    redirect_prefixes: ["http://app.test"]
  - id: web
    redirect: x
  - id: web
`))
	want := []string{
		`line 1: issuer: must not end in a slash`,
		`line 2: domain: "not a domain" is not an e-mail domain`,
		`line 3: colour: is no field here`,
		`line 4: signing_alg: "HS256" is none of`,
		`line 5: code_ttl: must be a duration`,
		`line 6: require_pkce: must be true or false`,
		`line 7: huge_size: must be a whole number`,
		`line 8: faults[0]: unknown fault "no_such_fault"`,
		`line 10: title: is given twice`,
		`line 12: users.carol: must be a profile`,
		`line 13: users.dave.sub: uses YAML that is not allowed`,
		`line 13: users.dave.ref: uses YAML that is not allowed`,
		`line 15: clients[0].id: is required`,
		`line 16: clients[0].auth_methods[0]: private_key_jwt needs jwks`,
		`line 16: clients[0].auth_methods[1]: "magic" is none of`,
		`line 17: clients[0].redirect_prefixes[0]: "http://app.test" needs scheme, host and a path`,
		`line 19: clients[1].redirect: is no field here`,
		`line 20: clients[2].id: "web" is used twice`,
	}
	if err == nil {
		t.Fatal("no fault was found")
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("missing: %s", w)
		}
	}
	if got := strings.Count(err.Error(), "\n") + 1; got != len(want) {
		t.Errorf("%d faults, want %d:\n%v", got, len(want), err)
	}
	var one *ConfigError
	if !errors.As(err, &one) || one.Line == 0 {
		t.Errorf("no *ConfigError with a line in %v", err)
	}
}

func TestConfigNotYAML(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"a: b: c: [":                     "is not YAML",
		"just text":                      "must have names and values",
		"domain: a.test\n---\nx: y":      "more than one YAML document",
		strings.Repeat("#", maxConfig+1): "larger than 1 MiB",
	} {
		if _, err := ParseConfig([]byte(source)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %s", source, err, want)
		}
	}
	if cfg, err := ParseConfig(nil); err != nil || !reflect.DeepEqual(cfg, Config{}) {
		t.Errorf("empty file: %+v, %v", cfg, err)
	}
}

func TestNewReportsAllFaults(t *testing.T) {
	t.Parallel()
	_, err := New(Config{Domain: "x", SigningAlg: "none", Faults: []string{"nope"}, AutoLogin: "\x00"})
	for _, path := range []string{"issuer", "domain", "signing_alg", "faults[0]", "auto_login"} {
		if err == nil || !strings.Contains(err.Error(), path+": ") {
			t.Errorf("nothing about %s in: %v", path, err)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(ExampleConfig))
	f.Add([]byte("users: {a: {b: [1, 2.5, null, true, \"x\"]}}\nclients: [{id: a, jwks: {keys: []}}]"))
	f.Add([]byte("a: &x [*x]\n? b\n: c\n<<: *x"))
	f.Fuzz(func(t *testing.T, source []byte) {
		cfg, err := ParseConfig(source)
		if err != nil {
			return
		}
		// The promise: what is accepted is also accepted by New, and never an unsafe default.
		if cfg.Issuer == "" {
			cfg.Issuer = "http://localhost"
		}
		if cfg.SigningAlg = ""; cfg.withDefaults().check() != nil {
			t.Errorf("accepted, then refused: %v", cfg.withDefaults().check())
		}
	})
}
