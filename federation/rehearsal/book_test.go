package rehearsal_test

import (
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"gatehouse/federation/rehearsal"
	"gatehouse/store"
)

// clock is set by hand.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newBook() (*rehearsal.Book, *clock) {
	c := &clock{time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	return rehearsal.New(c.now), c
}

func draft(words string) rehearsal.Draft {
	return rehearsal.Draft{Words: words, ClientID: "demo", Connection: store.Connection{
		ID: "acme", ResponseMode: "form_post", ClientSecret: store.Seal("canary-secret"), PrivateKey: store.Seal("canary-key"),
	}}
}

// TestBook_LinkIsForOne: looking uses nothing up, and of all who press the
// button at once one gets the test.
func TestBook_LinkIsForOne(t *testing.T) {
	t.Parallel()
	b, _ := newBook()
	added, link := b.Add(draft("amber-river-otter"))
	if added.State != rehearsal.Ready || added.ID == "" || len(link.Reveal()) < 40 {
		t.Fatalf("got %+v", added)
	}
	for range 3 {
		if seen, err := b.Look(link.Reveal()); err != nil || seen.Words != "amber-river-otter" {
			t.Fatalf("look: %v, %v", seen.Words, err)
		}
	}
	for _, wrong := range []string{"", "x", added.ID, link.Reveal() + "x", store.HashToken(link.Reveal())} {
		if _, err := b.Look(wrong); !errors.Is(err, rehearsal.ErrLink) {
			t.Errorf("look at %q: %v", wrong, err)
		}
		if _, err := b.Begin(wrong); !errors.Is(err, rehearsal.ErrLink) {
			t.Errorf("begin %q: %v", wrong, err)
		}
	}
	var wg sync.WaitGroup
	got := make([]error, 16)
	for i := range got {
		wg.Go(func() { _, got[i] = b.Begin(link.Reveal()) })
	}
	wg.Wait()
	won := 0
	for _, err := range got {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, rehearsal.ErrLink):
			t.Errorf("begin: %v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d got the test, want 1", won)
	}
	for _, used := range []string{link.Reveal(), ""} { // the hash of a used link is empty, and "" is no link
		if _, err := b.Look(used); !errors.Is(err, rehearsal.ErrLink) {
			t.Errorf("look at the used link: %v", err)
		}
	}
}

// TestBook_EachStepOnce: begun, arrived, finished, in this order and once each.
func TestBook_EachStepOnce(t *testing.T) {
	t.Parallel()
	b, _ := newBook()
	test, link := b.Add(draft("amber-river-otter"))
	gone := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, rehearsal.ErrGone) {
			t.Errorf("%s: got %v, want %v", what, err, rehearsal.ErrGone)
		}
	}
	_, err := b.Arrive(test.ID)
	gone("arrive before the link was used", err)
	gone("finish before", b.Finish(test.ID, rehearsal.Empty()))
	if b.Posted("acme") {
		t.Error("a test that waits expects a post")
	}
	if _, err := b.Begin(link.Reveal()); err != nil {
		t.Fatal(err)
	}
	if !b.Posted("acme") || b.Posted("other") {
		t.Error("the running test expects a post at its own connection alone")
	}
	if _, err := b.Arrive(test.ID); err != nil {
		t.Fatal(err)
	}
	_, err = b.Arrive(test.ID)
	gone("arrive twice", err)
	r := rehearsal.Empty()
	v := r.Value("$.email", "email", "carol@acme.test")
	if err := b.Finish(test.ID, r); err != nil {
		t.Fatal(err)
	}
	gone("finish twice", b.Finish(test.ID, rehearsal.Empty()))
	if b.Posted("acme") {
		t.Error("a finished test expects a post")
	}
	found, err := b.Find("amber-river-otter")
	if err != nil || found.State != rehearsal.Done || found.Result.At.IsZero() {
		t.Fatalf("found %+v, %v", found, err)
	}
	if !found.Connection.ClientSecret.IsZero() || !found.Connection.PrivateKey.IsZero() {
		t.Error("a finished test still has the connection's secrets")
	}
	if got, err := b.Reveal("amber-river-otter", v.Number); err != nil || got.Reveal() != "carol@acme.test" {
		t.Errorf("reveal: %v", err)
	}
	for _, n := range []int{-1, 0, v.Number + 1} {
		_, err := b.Reveal("amber-river-otter", n)
		gone("reveal "+strconv.Itoa(n), err)
	}
	_, err = b.Reveal("other-words-here", v.Number)
	gone("reveal of another", err)
}

// TestBook_RingIsBounded: the oldest make room, with all that is behind them.
func TestBook_RingIsBounded(t *testing.T) {
	t.Parallel()
	b, _ := newBook()
	links := map[int]store.Secret{}
	for i := range rehearsal.Size + 3 {
		_, links[i] = b.Add(draft("words-" + strconv.Itoa(i)))
	}
	all := b.Tests()
	if len(all) != rehearsal.Size || all[0].Words != "words-"+strconv.Itoa(rehearsal.Size+2) || all[len(all)-1].Words != "words-3" {
		t.Fatalf("%d kept, from %s to %s", len(all), all[0].Words, all[len(all)-1].Words)
	}
	if _, err := b.Begin(links[2].Reveal()); !errors.Is(err, rehearsal.ErrLink) {
		t.Errorf("a link that was pushed out: %v", err)
	}
	if b.Taken("words-2") || !b.Taken("words-3") {
		t.Error("words of a test that is gone are taken, or those of one that is there are free")
	}
	if _, err := b.Begin(links[3].Reveal()); err != nil {
		t.Errorf("a link that is there: %v", err)
	}
}

// TestBook_NothingOutlivesItsLife: at the very moment it ends, a test is gone to
// each who asks.
func TestBook_NothingOutlivesItsLife(t *testing.T) {
	t.Parallel()
	b, c := newBook()
	done, link := b.Add(draft("amber-river-otter"))
	_, unused := b.Add(draft("birch-lake-heron"))
	if _, err := b.Begin(link.Reveal()); err != nil {
		t.Fatal(err)
	}
	r := rehearsal.Empty()
	v := r.Value("$.email", "email", "carol@acme.test")
	c.at = c.at.Add(rehearsal.Life - time.Nanosecond)
	if err := b.Finish(done.ID, r); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Look(unused.Reveal()); err != nil {
		t.Errorf("just before its end: %v", err)
	}
	if !done.ExpiresAt.Equal(c.at.Add(time.Nanosecond)) {
		t.Errorf("says it ends at %s", done.ExpiresAt)
	}
	c.at = c.at.Add(time.Nanosecond)
	for what, err := range map[string]error{
		"look":   second(b.Look(unused.Reveal())),
		"begin":  second(b.Begin(unused.Reveal())),
		"find":   second(b.Find("amber-river-otter")),
		"reveal": second(b.Reveal("amber-river-otter", v.Number)),
	} {
		if !errors.Is(err, rehearsal.ErrLink) && !errors.Is(err, rehearsal.ErrGone) {
			t.Errorf("%s after its end: %v", what, err)
		}
	}
	if n := len(b.Tests()); n != 0 || b.Taken("amber-river-otter") {
		t.Errorf("%d are kept", n)
	}
}

func second[T any](_ T, err error) error { return err }
