package main

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// alone are the figures of single functions, from the benchmarks beside them:
// no request from outside could show them.
func alone() error {
	fmt.Println()
	routing, err := benchmark("./federation", "Route_Rules/rules=50000")
	if err != nil {
		return err
	}
	for _, b := range routing {
		_, size, _ := strings.Cut(b.name, "/")
		row("p99 of routing, "+strings.ReplaceAll(size, "/", ", "), fmt.Sprintf("%.0f µs", b.best["p99-µs"]), "100 µs")
		row("  p50", fmt.Sprintf("%.0f µs", b.best["p50-µs"]), "")
	}
	selecting, err := benchmark("./profile", "Select/(whole|selectors)$")
	if err != nil {
		return err
	}
	for _, b := range selecting {
		what := "selectors on a 2 KB profile"
		if strings.HasSuffix(b.name, "whole") {
			what += ", decoding too"
		}
		row(what, fmt.Sprintf("%.0f µs", b.best["ns/op"]/1000), "50 µs")
	}
	return nil
}

// measured is one benchmark: the best of each figure in three runs, because
// what else the machine does only ever makes it slower.
type measured struct {
	name string
	best map[string]float64
}

// benchmark runs a package's benchmarks that match.
func benchmark(pkg, match string) ([]*measured, error) {
	out, err := exec.Command("go", "test", "-run", "^$", "-bench", match, "-benchtime", "1s", "-count", "3", pkg).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("go test -bench %s %s: %w\n%s", match, pkg, err, out)
	}
	var all []*measured
	byName := map[string]*measured{}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line) // name-cpus, runs, then figure and unit
		if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") {
			continue
		}
		name := f[0]
		if i := strings.LastIndexByte(name, '-'); i > 0 {
			name = name[:i]
		}
		m := byName[name]
		if m == nil {
			m = &measured{name, map[string]float64{}}
			all, byName[name] = append(all, m), m
		}
		for i := 2; i+1 < len(f); i += 2 {
			v, err := strconv.ParseFloat(f[i], 64)
			if err != nil {
				return nil, fmt.Errorf("benchmark line %q: %w", line, err)
			}
			if old, ok := m.best[f[i+1]]; !ok || v < old {
				m.best[f[i+1]] = v
			}
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no benchmark matches " + match)
	}
	return all, nil
}
