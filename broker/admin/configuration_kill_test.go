package admin_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"gatehouse/broker/admin"
	"gatehouse/federation"
	"gatehouse/store"
	"gatehouse/store/bolt"
)

// The test binary runs itself as the process that is killed: then this test
// applies documents to the file until it is.
const killedFile = "GATEHOUSE_TEST_APPLY_FILE"

const killedOrganizations = 12

// killedDocument says its number in every object.
func killedDocument(n int) string {
	var b strings.Builder
	b.WriteString("version: 1\norganizations:\n")
	for i := range killedOrganizations {
		fmt.Fprintf(&b, "  - {id: org-%d, title: Number %d, join: \"off\"}\n", i, n)
	}
	b.WriteString("clients:\n")
	for i := range killedOrganizations {
		fmt.Fprintf(&b, "  - {id: app-%d, name: Number %d, type: native, auth_method: none, grant_types: [authorization_code], scopes: [], redirect_uris: [\"com.example:/cb\"], organizations: [org-%d]}\n", i, n, i)
	}
	return b.String()
}

func openKilled(ctx context.Context, path string) (*store.Store, error) {
	ring, err := store.NewKeyring([]byte("crash test key of 32 bytes total"))
	if err != nil {
		return nil, err
	}
	e, err := bolt.Open(ctx, path, bolt.Options{LockTimeout: 10 * time.Second})
	if err != nil {
		return nil, err
	}
	s, err := store.Open(ctx, e, store.Config{Keyring: ring})
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return s, nil
}

// TestFT1_KilledWhileApplying: a process that is killed while it applies a
// document leaves all of it or nothing, and what it acknowledged stays.
// GATEHOUSE_TEST_KILLS makes it many.
func TestFT1_KilledWhileApplying(t *testing.T) {
	if path := os.Getenv(killedFile); path != "" {
		applyUntilKilled(t, path)
		return
	}
	t.Parallel()
	kills := 8
	if n, err := strconv.Atoi(os.Getenv("GATEHOUSE_TEST_KILLS")); err == nil {
		kills = n
	}
	path, total := filepath.Join(t.TempDir(), "gatehouse.db"), 0
	for kill := range kills {
		acknowledged := killApplier(t, path)
		total += wholeAfterKill(t, path, kill, acknowledged)
	}
	t.Logf("%d kills, the last document is number %d", kills, total)
}

func applyUntilKilled(t *testing.T, path string) {
	s, err := openKilled(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	fed := federation.New(federation.Config{Store: s, PublicURL: "https://login.example"})
	c := admin.NewConfigurator(s, fed)
	for n := storedNumber(t, s) + 1; ; n++ {
		if _, err := c.Run(t.Context(), killedDocument(n), nil, true, false); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Printf("applied %d\n", n); err != nil {
			t.Fatal(err)
		}
	}
}

// storedNumber is the number all objects agree on; 0 when there are none.
func storedNumber(t *testing.T, s *store.Store) int {
	t.Helper()
	names := map[string]int{}
	if err := s.View(t.Context(), func(tx store.Tx) error {
		clear(names)
		for o, err := range s.Organizations.All(tx) {
			if err != nil {
				return err
			}
			names[o.Title]++
		}
		for c, err := range s.Clients.All(tx) {
			if err != nil {
				return err
			}
			names[c.Name]++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		return 0
	}
	for name, count := range names {
		n, err := strconv.Atoi(strings.TrimPrefix(name, "Number "))
		if err == nil && count == 2*killedOrganizations && len(names) == 1 {
			return n
		}
	}
	t.Fatalf("a mix: %v", names)
	return 0
}

func killApplier(t *testing.T, path string) (acknowledged int) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFT1_KilledWhileApplying$") //nolint:gosec // itself
	child.Env = append(os.Environ(), killedFile+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	var timer *time.Timer
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break // what is not a whole line was not acknowledged
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscanf(line, "applied %d\n", &acknowledged); err != nil {
			t.Errorf("the child says %q", line)
		}
		if timer == nil { // a random moment is the point here, not a wait for something
			timer = time.AfterFunc(time.Duration(rand.Int64N(int64(60*time.Millisecond))), func() { _ = child.Process.Kill() }) //nolint:gosec // no secret
		}
	}
	_ = child.Wait() // killed: the error says so
	if timer == nil {
		t.Fatal("the child did not begin")
	}
	timer.Stop()
	return acknowledged
}

func wholeAfterKill(t *testing.T, path string, kill, acknowledged int) int {
	t.Helper()
	s, err := openKilled(t.Context(), path)
	if err != nil {
		t.Fatalf("kill %d: reopen: %v", kill, err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	n := storedNumber(t, s)
	if n < acknowledged || n > acknowledged+1 {
		t.Fatalf("kill %d: document %d is stored, %d was acknowledged", kill, n, acknowledged)
	}
	report, err := s.VerifyAudit(t.Context())
	if err != nil || report.Entries != uint64(2*killedOrganizations*n) { //nolint:gosec // not negative
		t.Fatalf("kill %d: %d audit entries for %d documents, %v", kill, report.Entries, n, err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Fatalf("kill %d: %v", kill, err)
	}
	return n
}
