package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"unicode"
)

var (
	// shared is the one `gatehouse dev` nearly all tests use.
	shared *world

	pictures = flag.Bool("pictures", false, "write the screenshots of docs/pictures anew")
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	if err := waitTogether(); err != nil {
		return failed(err)
	}
	dir, err := os.MkdirTemp("", "gatehouse-e2e-")
	if err != nil {
		return failed(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if binary = os.Getenv("E2E_BINARY"); binary == "" {
		if binary, err = build(dir); err != nil {
			return failed(err)
		}
	}
	if shared, err = startDev(filepath.Join(dir, "dev")); err != nil {
		return failed(err)
	}
	status := m.Run()
	if err := shared.proc.stop(); err != nil {
		status = failed(err)
	}
	if leaks := shared.leaks(); len(leaks) > 0 {
		status = failed(fmt.Errorf("secrets in logs or metrics:\n%s", strings.Join(leaks, "\n")))
	}
	return status
}

// waitTogether lets more tests run at once than there are processors: they
// mostly wait for others, one of them for half a minute.
func waitTogether() error {
	parallel := flag.Lookup("test.parallel")
	if parallel.Value.String() != parallel.DefValue {
		return nil // asked for by hand
	}
	return flag.Set("test.parallel", "12")
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, "FAIL:", err)
	return 1
}

// world is a running `gatehouse dev`, as dev.json tells of it.
type world struct {
	Issuer   string      `json:"issuer"`
	Admin    string      `json:"admin"`
	Demo     string      `json:"demo"`
	Data     string      `json:"data"`
	IDPs     []idp       `json:"idps"`
	Clients  []devClient `json:"clients"`
	APIToken string      `json:"api_token"`
	Owner    struct {
		Email    string `json:"email"`
		Password string `json:"password"`
	} `json:"owner"`

	proc    *process
	people  atomic.Int64
	secrets *secrets
}

type idp struct {
	Name         string `json:"name"`
	Issuer       string `json:"issuer"`
	Domain       string `json:"domain"`
	Connection   string `json:"connection"`
	Organization string `json:"organization"`
	Join         string `json:"join"`
}

type devClient struct {
	ID           string   `json:"id"`
	Type         string   `json:"type"`
	Secret       string   `json:"secret"`
	RedirectURIs []string `json:"redirect_uris"`
}

// startDev runs `gatehouse dev` on free ports with its data in dir.
func startDev(dir string, args ...string) (*world, error) {
	w := &world{secrets: newSecrets()}
	args = append([]string{
		"dev", "--data", dir, "--broker-port=0", "--admin-port=0", "--demo-port=0",
		"--acme-port=0", "--globex-port=0", "--any-port=0",
	}, args...)
	var err error
	if w.proc, err = start("gatehouse dev", nil, "ready", args...); err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(filepath.Join(dir, "dev.json"))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, w); err != nil {
		return nil, fmt.Errorf("dev.json: %w", err)
	}
	w.Data = dir
	w.secrets.add("owner password", w.Owner.Password)
	w.secrets.add("API token", w.APIToken)
	for _, c := range w.Clients {
		w.secrets.add("client secret", c.Secret)
	}
	return w, nil
}

func (w *world) idp(name string) idp {
	for _, p := range w.IDPs {
		if p.Name == name {
			return p
		}
	}
	panic("dev.json has no idp " + name)
}

func (w *world) client(id string) devClient {
	for _, c := range w.Clients {
		if c.ID == id {
			return c
		}
	}
	panic("dev.json has no client " + id)
}

// person is somebody no other test knows.
type person struct{ name, email string }

// person makes up somebody of a domain.
func (w *world) person(t testing.TB, domain string) person {
	t.Helper()
	letters := strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return unicode.ToLower(r)
		}
		return -1
	}, t.Name())
	if len(letters) > 24 {
		letters = letters[len(letters)-24:]
	}
	name := fmt.Sprintf("%s%d", letters, w.people.Add(1))
	return person{name: name, email: name + "@" + domain}
}
