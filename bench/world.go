package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// world is the processes under measurement.
type world struct {
	dir, binary, config string
	binarySize          int64
	issuer, admin       string
	apiToken            string // of the owner
	idp, server         *exec.Cmd
	companies           []*company // further ones, with their providers
}

// newWorld builds the binary, has `gatehouse dev` fill a data file, and starts
// the mock identity provider that this file's connection points to.
func newWorld(dir string) (*world, error) {
	w := &world{dir: dir, binary: filepath.Join(dir, "gatehouse")}
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", w.binary, "./cmd/gatehouse")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("build: %w", err)
	}
	info, err := os.Stat(w.binary)
	if err != nil {
		return nil, err
	}
	w.binarySize = info.Size()
	acme, err := w.fill()
	if err != nil {
		return nil, err
	}
	w.idp, _, err = w.provider("acme", strings.TrimPrefix(acme, "http://"), "domain: "+acmeDomain+"\n")
	return w, err
}

// provider starts a mock identity provider that signs everybody in without a
// page, and returns the line that it was ready with.
func (w *world) provider(name, addr, config string) (c *exec.Cmd, ready string, err error) {
	file := filepath.Join(w.dir, name+".yaml")
	if err := os.WriteFile(file, []byte(config+"auto_login: \"*\"\n"), 0o600); err != nil {
		return nil, "", err
	}
	c = exec.Command(w.binary, "mockidp", "--config", file, "--addr", addr)
	if ready, err = startUntil(c, "ready"); err != nil {
		return nil, "", fmt.Errorf("mock identity provider: %w", err)
	}
	return c, ready, nil
}

// fill runs `gatehouse dev` once and returns Acme's issuer.
func (w *world) fill() (acme string, err error) {
	data := filepath.Join(w.dir, "dev")
	args := []string{"dev", "--data", data}
	for _, site := range []string{"broker", "admin", "acme", "globex", "any", "demo"} {
		args = append(args, "--"+site+"-port", "0")
	}
	dev := exec.Command(w.binary, args...)
	if _, err := startUntil(dev, "ready"); err != nil {
		return "", fmt.Errorf("gatehouse dev: %w", err)
	}
	if err := end(dev); err != nil {
		return "", fmt.Errorf("gatehouse dev: %w", err)
	}
	raw, err := os.ReadFile(filepath.Join(data, "dev.json"))
	if err != nil {
		return "", err
	}
	var state struct {
		Issuer, Admin string
		APIToken      string `json:"api_token"`
		IDPs          []struct{ Name, Issuer string }
	}
	if err := json.Unmarshal(raw, &state); err != nil {
		return "", err
	}
	w.issuer, w.admin, w.apiToken = state.Issuer, state.Admin, state.APIToken
	for _, p := range state.IDPs {
		if p.Name == "acme" {
			acme = p.Issuer
		}
	}
	if acme == "" {
		return "", errors.New("dev.json names no provider acme")
	}
	w.config = filepath.Join(w.dir, "gatehouse.yaml")
	yaml := fmt.Sprintf("issuer: %s\nlisten: %s\nadmin:\n  listen: %s\n  url: %s\ndata: %s\nnetwork:\n  allow_private: [127.0.0.0/8, \"::1/128\"]\n  connections_per_address: 10000\nlog:\n  level: warn\n",
		w.issuer, loopback(w.issuer), loopback(w.admin), w.admin, filepath.Join(data, "gatehouse.db"))
	return acme, os.WriteFile(w.config, []byte(yaml), 0o600)
}

// loopback is the listener address behind a http://localhost:PORT URL.
func loopback(u string) string {
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(u, "http://"))
	return net.JoinHostPort("127.0.0.1", port)
}

// startUntil starts a process and waits for a line that holds the word.
func startUntil(c *exec.Cmd, word string) (line string, err error) {
	out, err := c.StdoutPipe()
	if err != nil {
		return "", err
	}
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		return "", err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), word) {
			go func() { _, _ = io.Copy(io.Discard, out) }() // ends with the process
			return lines.Text(), nil
		}
	}
	return "", errors.Join(errors.New("it ended before it was ready"), c.Wait())
}

func end(c *exec.Cmd) error {
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return c.Wait()
}

func (w *world) stop() {
	running := []*exec.Cmd{w.server, w.idp}
	for _, c := range w.companies {
		running = append(running, c.idp)
	}
	for _, c := range running {
		if c != nil {
			_ = end(c) // the figures are out
		}
	}
}

// startup measures start on an existing file until /readyz says so, and the
// memory of a server that has nothing to do.
func (w *world) startup() error {
	best := time.Hour
	for range 5 {
		if w.server != nil {
			if err := end(w.server); err != nil {
				return err
			}
		}
		w.server = exec.Command(w.binary, "serve", "--config", w.config)
		w.server.Stderr = os.Stderr
		start := time.Now()
		if err := w.server.Start(); err != nil {
			return err
		}
		for !ready(w.admin) {
			if time.Since(start) > 20*time.Second {
				return errors.New("server is not ready after 20 s")
			}
			time.Sleep(time.Millisecond)
		}
		best = min(best, time.Since(start))
	}
	row("cold start on an existing file", fmt.Sprintf("%.0f ms", float64(best.Microseconds())/1000), "60 ms")
	time.Sleep(2 * time.Second) // let it come to rest
	rss, err := memory(w.server.Process.Pid)
	if err != nil {
		return err
	}
	row("idle memory (RSS without the mapped file)", fmt.Sprintf("%.1f MB", float64(rss)/1e6), "35 MB")
	return nil
}

func ready(admin string) bool {
	resp, err := http.Get(admin + "/readyz")
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// memory is anonymous memory plus the program's own pages that are resident.
// The mapped data file is page cache: the kernel takes it back at will.
func memory(pid int) (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	return field(raw, "VmRSS:")*1024 - mapped(pid), nil
}

func mapped(pid int) (n int64) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		return 0
	}
	in := false
	for line := range strings.Lines(string(raw)) {
		if strings.Contains(line, "-") && strings.Contains(line, " r") && strings.Contains(strings.Fields(line)[0], "-") {
			in = strings.Contains(line, "gatehouse.db")
		} else if in && strings.HasPrefix(line, "Rss:") {
			n += field([]byte(line), "Rss:") * 1024
		}
	}
	return n
}

func field(raw []byte, name string) int64 {
	for line := range strings.Lines(string(raw)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == name {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			return n
		}
	}
	return 0
}

// usage is what the server has spent so far.
type usage struct {
	cpu              time.Duration
	updates, commits float64
}

func (w *world) usage() (usage, error) {
	var u usage
	// The scheduler's own count in nanoseconds, over all threads: the ticks of
	// /proc/PID/stat mistake short naps for work.
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", w.server.Process.Pid))
	if err != nil {
		return u, err
	}
	for _, t := range threads {
		raw, err := os.ReadFile(t)
		if err != nil {
			return u, err
		}
		var ns int64
		if _, err := fmt.Sscan(string(raw), &ns); err != nil {
			return u, err
		}
		u.cpu += time.Duration(ns)
	}
	resp, err := http.Get(w.admin + "/metrics")
	if err != nil {
		return u, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, _ := strconv.ParseFloat(value, 64)
		switch name {
		case "gatehouse_store_updates_total":
			u.updates = n
		case "gatehouse_store_commits_total":
			u.commits = n
		}
	}
	return u, nil
}
