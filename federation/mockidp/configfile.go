package mockidp

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// ExampleConfig is a commented configuration with every field at its default.
//
//go:embed example.yaml
var ExampleConfig string

// maxConfig bounds a configuration file; profiles are small.
const maxConfig = 1 << 20

// ParseConfig reads a YAML configuration. Its error joins every fault (*ConfigError),
// each with its line. The issuer may be missing: the caller then fills it in.
func ParseConfig(source []byte) (Config, error) {
	var cfg Config
	d := &fileDecoder{lines: map[string]int{}}
	body, err := d.parse(source)
	if err != nil {
		return Config{}, err
	}
	if body != nil {
		d.object(body, "", d.configFields(&cfg))
	}
	checked := cfg.withDefaults()
	if checked.Issuer == "" {
		checked.Issuer = "http://localhost" // only missing
	}
	d.adopt(checked.check())
	slices.SortStableFunc(d.faults, func(a, b *ConfigError) int { return a.Line - b.Line })
	var all []error
	for _, f := range d.faults {
		all = append(all, f)
	}
	if err := errors.Join(all...); err != nil {
		return Config{}, err
	}
	return cfg, nil
}

// fileDecoder walks the syntax tree itself: a decoder stops at the first fault, and a
// person wants to see all.
type fileDecoder struct {
	faults []*ConfigError
	lines  map[string]int // line by path
}

func (d *fileDecoder) parse(source []byte) (ast.Node, error) {
	if len(source) > maxConfig {
		return nil, &ConfigError{Path: "file", Line: 1, Problem: "is larger than 1 MiB"}
	}
	file, err := parser.ParseBytes(source, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		f := &ConfigError{Path: "file", Line: 1, Problem: "is not YAML"}
		var at yaml.Error
		if errors.As(err, &at) {
			f.Problem += ": " + at.GetMessage()
			if tk := at.GetToken(); tk != nil && tk.Position != nil {
				f.Line = tk.Position.Line
			}
		}
		return nil, f
	}
	switch {
	case len(file.Docs) == 0:
		return nil, nil
	case len(file.Docs) > 1:
		return nil, &ConfigError{Path: "file", Line: line(file.Docs[1]), Problem: "has more than one YAML document"}
	}
	return file.Docs[0].Body, nil
}

// adopt takes over the faults of Config.check, with the lines seen while reading.
func (d *fileDecoder) adopt(err error) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return
	}
	for _, err := range joined.Unwrap() {
		var f *ConfigError
		if errors.As(err, &f) && !d.has(f.Path) {
			d.faults = append(d.faults, &ConfigError{Path: f.Path, Line: d.lineOf(f.Path), Problem: f.Problem})
		}
	}
}

func (d *fileDecoder) has(path string) bool {
	return slices.ContainsFunc(d.faults, func(f *ConfigError) bool { return f.Path == path })
}

// lineOf is the line of a path, or of the nearest thing around it that is written.
func (d *fileDecoder) lineOf(path string) int {
	for path != "" {
		if n, ok := d.lines[path]; ok {
			return n
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 1
}

func (d *fileDecoder) fault(n ast.Node, path, format string, args ...any) {
	if path == "" {
		path = "file"
	}
	d.faults = append(d.faults, &ConfigError{Path: path, Line: line(n), Problem: fmt.Sprintf(format, args...)})
}

func line(n ast.Node) int {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 1
	}
	return n.GetToken().Position.Line
}

// field reads one value; the table of fields is the schema.
type field func(n ast.Node, path string)

func (d *fileDecoder) configFields(c *Config) map[string]field {
	return map[string]field{
		"issuer": d.text(&c.Issuer), "domain": d.text(&c.Domain), "title": d.text(&c.Title),
		"auto_login": d.text(&c.AutoLogin), "signing_alg": d.text(&c.SigningAlg),
		"omit_iss_parameter": d.boolean(&c.OmitIssParameter), "userinfo_only": d.boolean(&c.UserinfoOnly),
		"always_refresh_token": d.boolean(&c.AlwaysRefreshToken), "rotate_refresh_tokens": d.boolean(&c.RotateRefreshTokens),
		"require_pkce": d.boolean(&c.RequirePKCE), "require_par": d.boolean(&c.RequirePAR),
		"code_ttl": d.duration(&c.CodeTTL), "access_token_ttl": d.duration(&c.AccessTokenTTL),
		"id_token_ttl": d.duration(&c.IDTokenTTL), "session_ttl": d.duration(&c.SessionTTL), "slow_delay": d.duration(&c.SlowDelay),
		"huge_size": d.integer(&c.HugeSize), "faults": d.texts(&c.Faults),
		"plain_oauth2": d.boolean(&c.Shape.PlainOAuth2), "extension_grants": d.texts(&c.Shape.ExtensionGrants),
		"pkce_names": func(n ast.Node, path string) {
			names := &c.Shape.PKCENames
			d.object(n, path, map[string]field{"challenge": d.text(&names.Challenge), "method": d.text(&names.Method), "verifier": d.text(&names.Verifier)})
		},
		"profile": func(n ast.Node, path string) {
			s := &c.Shape.Profile
			d.object(n, path, map[string]field{
				"in": d.text(&s.In), "member": d.text(&s.Member), "path": d.text(&s.Path), "method": d.text(&s.Method),
				"token_as": d.text(&s.TokenAs), "token_name": d.text(&s.TokenName), "url": d.text(&s.URL),
			})
		},
		"passwords": func(n ast.Node, path string) {
			c.Shape.Passwords = map[string]string{}
			d.each(n, path, func(name string, v ast.Node, path string) {
				var password string
				d.text(&password)(v, path)
				c.Shape.Passwords[name] = password
			})
		},
		"users": func(n ast.Node, path string) {
			c.Users = map[string]map[string]any{}
			d.each(n, path, func(name string, v ast.Node, path string) {
				profile, ok := d.value(v, path).(map[string]any)
				if !ok {
					d.fault(v, path, "must be a profile: names and values")
				}
				c.Users[name] = profile
			})
		},
		"clients": func(n ast.Node, path string) {
			d.items(n, path, func(v ast.Node, path string) {
				var client Client
				d.object(v, path, d.clientFields(&client))
				c.Clients = append(c.Clients, client)
			})
		},
	}
}

func (d *fileDecoder) clientFields(c *Client) map[string]field {
	return map[string]field{
		"id": d.text(&c.ID), "secret": d.text(&c.Secret), "auth_methods": d.texts(&c.AuthMethods),
		"redirect_uris": d.texts(&c.RedirectURIs), "redirect_prefixes": d.texts(&c.RedirectPrefixes),
		"post_logout_redirect_uris": d.texts(&c.PostLogoutRedirectURIs),
		"loopback_redirects":        d.boolean(&c.LoopbackRedirects),
		"insecure_any_redirect":     d.boolean(&c.InsecureAnyRedirect),
		"jwks": func(n ast.Node, path string) {
			body, err := json.Marshal(d.value(n, path))
			c.Keys = &jose.JSONWebKeySet{}
			if err != nil || json.Unmarshal(body, c.Keys) != nil || len(c.Keys.Keys) == 0 {
				d.fault(n, path, "must be a JWK set with public keys")
			}
		},
	}
}

// object reads a mapping with known fields.
func (d *fileDecoder) object(n ast.Node, path string, fields map[string]field) {
	d.each(n, path, func(name string, v ast.Node, at string) {
		read, ok := fields[name]
		if !ok {
			d.fault(v, at, "is no field here; gatehouse mockidp --example shows them all")
			return
		}
		read(v, at)
	})
}

// each visits the members of a mapping and refuses repeated ones.
func (d *fileDecoder) each(n ast.Node, path string, visit func(name string, v ast.Node, path string)) {
	var members []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		members = m.Values
	case *ast.MappingValueNode:
		members = []*ast.MappingValueNode{m}
	default:
		d.fault(n, path, "must have names and values")
		return
	}
	seen := map[string]bool{}
	for _, m := range members {
		name, ok := memberName(m)
		at := strings.TrimPrefix(path+"."+name, ".")
		if !ok {
			d.fault(m, path, "has a name that is not plain text")
			continue
		}
		if seen[name] {
			d.fault(m.Key, at, "is given twice")
			continue
		}
		seen[name] = true
		d.lines[at] = line(m.Key)
		visit(name, m.Value, at)
	}
}

func memberName(m *ast.MappingValueNode) (string, bool) {
	switch k := m.Key.(type) {
	case *ast.StringNode:
		return k.Value, true
	case *ast.IntegerNode:
		return k.Token.Value, true
	case *ast.BoolNode:
		return k.Token.Value, true
	}
	return "", false
}

func (d *fileDecoder) items(n ast.Node, path string, visit func(v ast.Node, path string)) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		d.fault(n, path, "must be a list")
		return
	}
	for i, v := range list.Values {
		at := fmt.Sprintf("%s[%d]", path, i)
		d.lines[at] = line(v)
		visit(v, at)
	}
}

func (d *fileDecoder) text(to *string) field {
	return func(n ast.Node, path string) {
		v, ok := d.value(n, path).(string)
		if !ok {
			d.fault(n, path, "must be text; put it in quotes")
		}
		*to = v
	}
}

func (d *fileDecoder) texts(to *[]string) field {
	return func(n ast.Node, path string) {
		d.items(n, path, func(v ast.Node, path string) {
			var s string
			d.text(&s)(v, path)
			*to = append(*to, s)
		})
	}
}

func (d *fileDecoder) boolean(to *bool) field {
	return func(n ast.Node, path string) {
		v, ok := d.value(n, path).(bool)
		if !ok {
			d.fault(n, path, "must be true or false")
		}
		*to = v
	}
}

func (d *fileDecoder) integer(to *int) field {
	return func(n ast.Node, path string) {
		v, ok := d.value(n, path).(uint64)
		if !ok || v == 0 || v > 1<<31 {
			d.fault(n, path, "must be a whole number above 0")
			return
		}
		*to = int(v)
	}
}

func (d *fileDecoder) duration(to *time.Duration) field {
	return func(n ast.Node, path string) {
		text, _ := d.value(n, path).(string)
		v, err := time.ParseDuration(text)
		if err != nil || v <= 0 {
			d.fault(n, path, "must be a duration above 0 such as 90s, 5m or 8h")
			return
		}
		*to = v
	}
}

// value is a node as JSON values. Anchors, aliases, tags and merges are refused: a
// file says what it says where it says it, and cannot grow while it is read.
func (d *fileDecoder) value(n ast.Node, path string) any {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value
	case *ast.LiteralNode:
		return v.Value.Value
	case *ast.BoolNode:
		return v.Value
	case *ast.IntegerNode:
		return v.Value
	case *ast.FloatNode:
		return v.Value
	case *ast.NullNode:
		return nil
	case *ast.MappingNode, *ast.MappingValueNode:
		out := map[string]any{}
		d.each(n, path, func(name string, v ast.Node, at string) { out[name] = d.value(v, at) })
		return out
	case *ast.SequenceNode:
		out := []any{}
		d.items(n, path, func(v ast.Node, at string) { out = append(out, d.value(v, at)) })
		return out
	}
	d.fault(n, path, "uses YAML that is not allowed here (anchor, alias, tag, .inf or .nan)")
	return nil
}
