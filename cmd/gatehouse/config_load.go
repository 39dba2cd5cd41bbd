package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// fault is one thing wrong with the configuration.
type fault struct {
	Where   string // file:line:column, a variable's name, or the file
	Field   string // lifetimes.access_token; empty for the file as a whole
	Problem string
	Fix     string
}

func (f fault) String() string {
	var parts []string
	for _, s := range []string{f.Where, f.Field} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(append(parts, f.Problem+"; "+f.Fix), ": ")
}

// faults is every fault of one configuration, in the order of the file.
type faults []fault

func (fs faults) Error() string {
	lines := make([]string, 0, len(fs)+1)
	lines = append(lines, fmt.Sprintf("the configuration has %d fault(s):", len(fs)))
	for _, f := range fs {
		lines = append(lines, "  "+f.String())
	}
	return strings.Join(lines, "\n")
}

// origin is where a field's value came from.
type origin struct {
	where        string
	line, column int
}

// origins by field path, such as "network.allow_private[1]".
type origins map[string]origin

// loadConfig reads the file (none when path is empty), lays the environment
// over it and checks the result. The error is a [faults] with everything that
// is wrong.
func loadConfig(path string, environ []string) (*config, error) {
	cfg := defaultConfig()
	from := origins{}
	var found faults
	if path != "" {
		raw, err := readConfigFile(path)
		if err != nil {
			return nil, err
		}
		if cfg.dir, err = filepath.Abs(filepath.Dir(path)); err != nil {
			return nil, err
		}
		found = append(found, decodeYAML(path, raw, &cfg, from)...)
	}
	found = append(found, overlayEnvironment(environ, &cfg, from)...)
	cfg.derived.mail.password, _ = lookup(environ, mailPasswordVariable)
	found = append(found, cfg.check(from)...)
	if len(found) > 0 {
		slices.SortStableFunc(found, func(a, b fault) int {
			return compareOrigins(from[a.Field], from[b.Field])
		})
		return nil, found
	}
	return &cfg, nil
}

func compareOrigins(a, b origin) int {
	if a.line != b.line {
		return a.line - b.line
	}
	return a.column - b.column
}

const maxConfigFile = 1 << 20

func readConfigFile(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("there is no configuration file %s: name it with --config", path)
	case err != nil:
		return nil, fmt.Errorf("read the configuration: %w", err)
	case len(raw) > maxConfigFile:
		return nil, fmt.Errorf("the configuration file %s is larger than 1 MiB", path)
	}
	return raw, nil
}
