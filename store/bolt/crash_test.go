package bolt_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse/store"
	"gatehouse/store/bolt"
)

// The test binary runs itself as the process that is killed.
const (
	childMode = "GATEHOUSE_TEST_CHILD"
	childFile = "GATEHOUSE_TEST_FILE"
)

func TestMain(m *testing.M) {
	switch os.Getenv(childMode) {
	case "open":
		if _, err := bolt.Open(context.Background(), os.Getenv(childFile), bolt.Options{LockTimeout: 50 * time.Millisecond}); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	case "full":
		if err := fillTheDisk(os.Getenv(childFile)); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	case "write":
		if err := writeUntilKilled(os.Getenv(childFile)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		goleak.VerifyTestMain(m)
	}
}

func crashKeyring() (*store.Keyring, error) {
	return store.NewKeyring([]byte("crash test key of 32 bytes total"))
}

// writeUntilKilled makes changes, each a user, a session of that user and an
// audit entry, from four goroutines, and prints the number of each change once
// it is acknowledged.
func writeUntilKilled(path string) error {
	ctx := context.Background()
	s, err := openCrashed(ctx, path)
	if err != nil {
		return err
	}
	errs := make(chan error)
	for range 4 {
		go func() {
			for {
				id := store.NewID()
				if err := s.Change(ctx, store.Actor{UserID: "child", Via: "system"}, func(ch *store.Change) error {
					return writeTriple(s, ch, id)
				}); err != nil {
					errs <- err
					return
				}
				if _, err := os.Stdout.WriteString(id + "\n"); err != nil { // one write: never torn
					errs <- err
					return
				}
			}
		}()
	}
	return <-errs
}

func writeTriple(s *store.Store, ch *store.Change, id string) error {
	if err := s.Users.Insert(ch, store.User{ID: id, Status: store.UserActive}); err != nil {
		return err
	}
	if err := s.Sessions.Insert(ch, store.Session{
		KeyHash: "key " + id, SID: "sid " + id, UserID: id, ExpiresAt: time.Now().Add(time.Hour),
	}); err != nil {
		return err
	}
	return ch.Record("user.create", "user/"+id, map[string]any{"at": time.Now(), "n": 1e21})
}

func openCrashed(ctx context.Context, path string) (*store.Store, error) {
	ring, err := crashKeyring()
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

// TestFT1_KilledAtRandomPoints kills a writing process 200 times. After each
// time: everything it acknowledged is there and whole, nothing is half there,
// indexes fit and the audit chain verifies.
func TestFT1_KilledAtRandomPoints(t *testing.T) {
	t.Parallel()
	kills := 200
	if testing.Short() {
		kills = 20
	}
	if n, err := strconv.Atoi(os.Getenv("GATEHOUSE_TEST_KILLS")); err == nil {
		kills = n
	}
	const perFile = 25 // keeps the whole-file checks short
	var p string
	total, inFile := 0, 0
	for kill := range kills {
		if kill%perFile == 0 {
			p, inFile = path(t), 0
		}
		ids := killWriter(t, p)
		total, inFile = total+len(ids), inFile+len(ids)
		verifyAfterCrash(t, p, kill, ids, inFile)
		if t.Failed() {
			return
		}
	}
	t.Logf("%d kills, %d acknowledged changes", kills, total)
	if total < 2*kills {
		t.Errorf("only %d changes were acknowledged: the test proves too little", total)
	}
}

// killWriter starts a writer, lets it work for up to 20 ms after its first
// acknowledged change, kills it and returns all it acknowledged.
func killWriter(t *testing.T, p string) (ids []string) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childMode+"=write", childFile+"="+p)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	if err != nil {
		t.Fatalf("the writer did not begin: %v", err)
	}
	// A random moment is the point here, not a wait for something.
	timer := time.AfterFunc(time.Duration(rand.Int64N(int64(20*time.Millisecond))), func() { _ = child.Process.Kill() })
	defer timer.Stop()
	ids = append(ids, first[:len(first)-1])
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break // what is not a whole line was not acknowledged
		}
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, line[:len(line)-1])
	}
	_ = child.Wait() // killed: the error says so
	return ids
}

func verifyAfterCrash(t *testing.T, p string, kill int, ids []string, acknowledged int) {
	t.Helper()
	start := time.Now()
	s, err := openCrashed(t.Context(), p)
	if err != nil {
		t.Fatalf("kill %d: reopen: %v", kill, err)
	}
	opened := time.Since(start)
	defer func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	if opened > time.Second {
		t.Errorf("kill %d: reopening took %v", kill, opened)
	}
	var users, sessions uint64
	if err := s.View(t.Context(), func(tx store.Tx) error {
		for _, id := range ids {
			if _, err := s.Users.Get(tx, id); err != nil {
				return fmt.Errorf("acknowledged user is lost: %w", err)
			}
			if x, err := s.Sessions.ByUnique(tx, "sid", "sid "+id); err != nil || x.UserID != id {
				return fmt.Errorf("acknowledged session is lost: %w", err)
			}
		}
		for _, err := range s.Sessions.All(tx) {
			if err != nil {
				return err
			}
			sessions++
		}
		for u, err := range s.Users.All(tx) {
			if err != nil {
				return err
			}
			if _, err := s.Sessions.Get(tx, "key "+u.ID); err != nil {
				return fmt.Errorf("half an update: %w", err)
			}
			users++
		}
		return nil
	}); err != nil {
		t.Fatalf("kill %d: %v", kill, err)
	}
	report, err := s.VerifyAudit(t.Context())
	entries := report.Entries
	if err != nil || entries != users || sessions != users || users < uint64(acknowledged) {
		t.Fatalf("kill %d: %d users, %d sessions, %d audit entries, %d acknowledged, %v",
			kill, users, sessions, entries, acknowledged, err)
	}
	if kill%20 == 19 {
		if err := s.Check(t.Context()); err != nil {
			t.Fatalf("kill %d: %v", kill, err)
		}
	}
}
