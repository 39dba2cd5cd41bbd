package federation

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"gatehouse/profile"
	"gatehouse/store"
)

//go:embed presets/*.yaml
var presetFiles embed.FS

// Preset is what is known of one provider: a connection with blanks.
type Preset struct {
	Name  string `yaml:"-" json:"name"` // the file's, and Connection.Preset
	Title string `yaml:"title" json:"title"`
	// Blanks are what only the admin knows; {name} stands for them below.
	Blanks []Blank `yaml:"blanks" json:"blanks,omitempty"`
	// Connection holds the fields it fills, as people write them.
	Connection map[string]any `yaml:"connection" json:"connection"`
	// Notes for the admin: what to do at the provider, and its quirks.
	Notes []string `yaml:"notes" json:"notes,omitempty"`
	// Checked says how sure we are, Sources where it was read.
	Checked string   `yaml:"checked" json:"checked"`
	Sources []string `yaml:"sources" json:"sources,omitempty"`
}

// Blank is one value to fill in.
type Blank struct {
	Name    string `yaml:"name" json:"name"`
	Title   string `yaml:"title" json:"title"`
	Example string `yaml:"example" json:"example"`
	// Kind is "word" (no URL syntax in it), "host" or "url".
	Kind string `yaml:"kind" json:"kind"`
}

// Presets are all of them, by name. They are fresh copies.
func Presets() []Preset {
	names := presetNames()
	out := make([]Preset, len(names))
	for i, name := range names {
		p, err := readPreset(name)
		if err != nil {
			panic(err) // the files are part of the program; a test reads each
		}
		out[i] = p
	}
	return out
}

// PresetNamed returns one preset.
func PresetNamed(name string) (Preset, bool) {
	if !slices.Contains(presetNames(), name) {
		return Preset{}, false
	}
	p, err := readPreset(name)
	return p, err == nil
}

// presetNames lists the files; they are embedded, sorted and flat.
func presetNames() []string {
	files, err := presetFiles.ReadDir("presets")
	if err != nil {
		return nil
	}
	names := make([]string, 0, len(files))
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f.Name(), ".yaml"))
	}
	return names
}

func readPreset(name string) (Preset, error) {
	raw, err := presetFiles.ReadFile("presets/" + name + ".yaml")
	if err != nil {
		return Preset{}, err
	}
	p := Preset{Name: name}
	if err := yaml.NewDecoder(bytes.NewReader(raw), yaml.Strict()).Decode(&p); err != nil {
		return Preset{}, fmt.Errorf("federation: preset %s: %w", name, err)
	}
	return p, nil
}

// presetFields are what presets may fill. Applying one empties all of them
// first, so that nothing of another provider stays.
func presetFields() []string {
	return []string{
		"kind", "issuer", "endpoints", "client_auth", "client_auth_alg", "apple", "scopes", "insecure_no_pkce", "insecure_no_nonce",
		"pkce_names", "response_mode", "login_hint", "hint", "domain_hint", "parameters", "use_userinfo", "profile", "selectors",
		"trust_email", "algorithms", "acr_values",
	}
}

// Apply fills a connection with what is known of the provider. Values are the
// blanks' by name, all required. What a preset fills can be changed afterwards;
// id, organization, domains, client id, secrets and limits stay as they are,
// and so does a title. Faults are joined, each a *profile.FieldError.
func (p Preset) Apply(values map[string]string, conn *store.Connection) error {
	if err := p.checkValues(values); err != nil {
		return err
	}
	filled, err := json.Marshal(fill(p.Connection, values))
	if err != nil {
		return fmt.Errorf("federation: preset %s: %w", p.Name, err)
	}
	if err := checkSchema(filled, connectionSchema); err != nil {
		return fmt.Errorf("federation: preset %s: %w", p.Name, err)
	}
	empty(conn, presetFields())
	if err := json.Unmarshal(filled, conn); err != nil {
		return fmt.Errorf("federation: preset %s: %w", p.Name, err)
	}
	conn.Preset = p.Name
	if conn.Title == "" {
		conn.Title = p.Title
	}
	return nil
}

var wordBlank = regexp.MustCompile(`\A[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?\z`)

func (p Preset) checkValues(values map[string]string) error {
	var faults []error
	fault := func(name, problem, fix string) {
		faults = append(faults, &profile.FieldError{Path: "values." + clean(name), Problem: problem, Fix: fix})
	}
	for _, b := range p.Blanks {
		fix := "write " + b.Title + ", such as " + b.Example
		v, ok := values[b.Name]
		switch {
		case !ok || v == "":
			fault(b.Name, "is missing", fix)
		case b.Kind == "word" && !wordBlank.MatchString(v):
			fault(b.Name, "has characters that do not belong there", fix)
		case b.Kind == "host":
			if d, err := profile.ParseDomain(v); err != nil || d != v {
				fault(b.Name, "is not a host name", fix)
			}
		case b.Kind == "url" && (!strings.HasPrefix(v, "https://") && !strings.HasPrefix(v, "http://") || strings.ContainsAny(v, "{}?#\\ \t\r\n")):
			fault(b.Name, "is not a URL", fix)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.ContainsFunc(p.Blanks, func(b Blank) bool { return b.Name == name }) {
			fault(name, "is not a blank of this preset", "remove it")
		}
	}
	return errors.Join(faults...)
}

// fill copies a value of a preset with its blanks filled in. Selectors and
// templates have braces of their own and are not touched: only names that are
// blanks are replaced.
func fill(v any, values map[string]string) any {
	switch v := v.(type) {
	case string:
		pairs := make([]string, 0, 2*len(values))
		for name, value := range values {
			pairs = append(pairs, "{"+name+"}", value)
		}
		return strings.NewReplacer(pairs...).Replace(v)
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, x := range v {
			out[name] = fill(x, values)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = fill(x, values)
		}
		return out
	}
	return v
}

// empty gives fields, by their JSON names, their zero value.
func empty(conn *store.Connection, fields []string) {
	v := reflect.ValueOf(conn).Elem()
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if slices.Contains(fields, name) {
			v.Field(i).SetZero()
		}
	}
}
