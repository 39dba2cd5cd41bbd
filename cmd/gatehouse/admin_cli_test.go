package main

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"gatehouse/broker/admin"
	"gatehouse/federation"
	"gatehouse/provisioning"
	"gatehouse/store"
	"gatehouse/store/storetest"
	"gatehouse/templates"
)

// TestAdminScripts runs testdata/admin/*.txt: the admin commands on a data
// file, as the operator. `gatehouse N args…` wants exit status N.
func TestAdminScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/admin",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"gatehouse": func(ts *testscript.TestScript, _ bool, args []string) {
				wanted, err := strconv.Atoi(args[0])
				ts.Check(err)
				got := run(t.Context(), args[1:], []string{"GATEHOUSE_TOKEN=" + ts.Getenv("TOKEN")}, ts.Stdout(), ts.Stderr())
				if got != wanted {
					ts.Fatalf("exit status %d, want %d", got, wanted)
				}
			},
		},
	})
}

// TestAdminOverNetwork: the same commands through a real listener with a token.
func TestAdminOverNetwork(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	server := httptest.NewUnstartedServer(nil)
	fed := federation.New(federation.Config{Store: st, PublicURL: "https://login.example"})
	t.Cleanup(fed.Close)
	pages, err := templates.New(templates.Config{})
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + server.Listener.Addr().String()
	server.Config.Handler, err = admin.New(admin.Config{
		Store: st, Federation: fed, Templates: pages, BaseURL: base,
		Provisioner: provisioning.New(provisioning.Config{Store: st, Federation: fed}),
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Start()
	t.Cleanup(server.Close)
	token := admin.NewAPIToken()
	err = st.Update(t.Context(), func(tx store.Tx) error {
		u := store.User{ID: store.NewID(), Status: store.UserActive, PlatformRole: store.RoleAdmin}
		if err := st.Users.Insert(tx, u); err != nil {
			return err
		}
		return st.APITokens.Insert(tx, store.APIToken{Hash: store.HashToken(token), UserID: u.ID, ExpiresAt: time.Now().Add(time.Hour)})
	})
	if err != nil {
		t.Fatal(err)
	}
	tokenFile := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(tokenFile, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	gatehouse := func(wanted int, args ...string) (out, errs string) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if got := run(t.Context(), append(args, "--url", base, "--token-file", tokenFile), nil, &stdout, &stderr); got != wanted {
			t.Fatalf("%v: exit status %d, want %d\n%s%s", args, got, wanted, &stdout, &stderr)
		}
		return stdout.String(), stderr.String()
	}
	gatehouse(0, "org", "create", "acme", "--title", "Acme", "--join", "request")
	out, _ := gatehouse(0, "org", "show", "acme", "--json")
	var shown map[string]any
	if err := json.Unmarshal([]byte(out), &shown); err != nil || shown["title"] != "Acme" || shown["join"] != "request" {
		t.Errorf("%v: %s", err, out)
	}
	if _, errs := gatehouse(5, "org", "create", "acme", "--title", "Acme"); !strings.Contains(errs, "exists already") {
		t.Errorf("got %q", errs)
	}
	if _, errs := gatehouse(4, "org", "delete", "acme"); !strings.Contains(errs, "role does not allow") {
		t.Errorf("got %q", errs)
	}
	// A list longer than one page of the API.
	for i := range 3 {
		gatehouse(0, "client", "create", "app-"+strconv.Itoa(i), "--type", "native", "--name", "App", "--redirect-uri", "com.example.app:/cb")
	}
	out, errs := gatehouse(0, "client", "list", "--limit", "2")
	if strings.Count(out, "app-") != 2 || !strings.Contains(errs, "There are more") {
		t.Errorf("got %q %q", out, errs)
	}
	out, _ = gatehouse(0, "client", "list")
	if strings.Count(out, "app-") != 3 || !strings.HasPrefix(out, "ID") {
		t.Errorf("got %q", out)
	}
}

// TestAdminUsage: a token is never sent over plain HTTP to another
// machine, nor without one, nor with two answers to "where".
func TestAdminUsage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args, environ []string
		says          string
	}{
		"nowhere":         {[]string{"org", "list"}, nil, "say where"},
		"both":            {[]string{"org", "list", "--url", "http://localhost:1", "--config", "x"}, nil, "exclude each other"},
		"in the clear":    {[]string{"org", "list", "--url", "http://admin.example"}, []string{"GATEHOUSE_TOKEN=gh_x"}, "use https"},
		"no token":        {[]string{"org", "list"}, []string{"GATEHOUSE_ADMIN_URL=http://localhost:1"}, "no API token"},
		"not a URL":       {[]string{"org", "list", "--url", "ftp://x"}, nil, "is not the http or https address"},
		"unknown flag":    {[]string{"org", "list", "--nonsense"}, nil, "unknown flag"},
		"unknown command": {[]string{"org", "explode"}, nil, "there is no command"},
		"argument":        {[]string{"org", "show"}, nil, "accepts 1 arg"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			if got := run(t.Context(), c.args, c.environ, &stdout, &stderr); got != 2 {
				t.Errorf("exit status %d", got)
			}
			if !strings.Contains(stderr.String(), c.says) || stdout.Len() > 0 {
				t.Errorf("got %q and %q", &stderr, &stdout)
			}
		})
	}
}

// TestV4_TerminalSafe: names cannot steer the terminal.
func TestV4_TerminalSafe(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a\x1b[2Jb", "a\u202eb", "a\rb", "a\tb", "a\x07b", "a\u0085b"} {
		if got := readable(name); strings.ContainsAny(got, "\x1b\r\t\x07") || strings.ContainsRune(got, '\u202e') || strings.ContainsRune(got, '\u0085') {
			t.Errorf("%q became %q", name, got)
		}
	}
}
