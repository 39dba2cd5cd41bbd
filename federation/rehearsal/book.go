package rehearsal

import (
	"errors"
	"slices"
	"sync"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
)

// Bounds of a Book.
const (
	Size = 200              // tests kept; the oldest make room
	Life = 30 * time.Minute // of a test, its link and its result
)

// Errors.
var (
	// ErrLink: the link is not one of ours, was used, or is too old. Which of
	// them is nobody's business.
	ErrLink = errors.New("rehearsal: the link is unknown, used or expired")
	// ErrGone: the test is unknown, over, or was pushed out.
	ErrGone = errors.New("rehearsal: no such test")
)

// State of a test.
type State string

// States, in order.
const (
	Ready   State = "ready"   // the link waits to be opened
	Running State = "running" // somebody signs in
	Done    State = "done"
)

// Draft is what a test is about.
type Draft struct {
	Words      string // what people call it, as amber-river-otter
	Connection store.Connection
	// Unsaved: the connection is not the stored one.
	Unsaved  bool
	ClientID string        // whose claims are shown
	Email    profile.Email // for the login hint
	By       string        // user id of the admin
}

// Test is one test login.
type Test struct {
	Draft
	// ID is known to the browser that runs the test, and to no other.
	ID        string
	State     State
	CreatedAt time.Time
	ExpiresAt time.Time
	Result    Result // when Done
}

// Book holds the tests. It is safe for concurrent use.
type Book struct {
	now func() time.Time

	mu    sync.Mutex
	tests []*entry // oldest first
}

type entry struct {
	Test
	link    string // HashToken; "" once used
	arrived bool
	plain   []store.Secret // behind the masks, by the number of the value
}

// New makes an empty Book; now is the clock.
func New(now func() time.Time) *Book { return &Book{now: now} }

// Add makes a test and the token of its one-time link.
func (b *Book) Add(d Draft) (Test, store.Secret) {
	token := store.NewID() + store.NewID()
	now := b.now()
	e := &entry{Test: Test{Draft: d, ID: store.NewID(), State: Ready, CreatedAt: now, ExpiresAt: now.Add(Life)}, link: store.HashToken(token)}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep()
	if len(b.tests) == Size {
		b.tests = slices.Delete(b.tests, 0, 1)
	}
	b.tests = append(b.tests, e)
	return e.Test, store.Secret(token)
}

// Taken reports whether a test is called by these words.
func (b *Book) Taken(words string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.find(func(e *entry) bool { return e.Words == words }) != nil
}

// Look returns the test of an unused link and leaves it unused.
func (b *Book) Look(token string) (Test, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.linked(token); e != nil {
		return e.Test, nil
	}
	return Test{}, ErrLink
}

// Begin uses a link up: of all who hold it one gets the test.
func (b *Book) Begin(token string) (Test, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.linked(token)
	if e == nil {
		return Test{}, ErrLink
	}
	e.link, e.State = "", Running
	return e.Test, nil
}

// Arrive returns a running test whose browser came back, once.
func (b *Book) Arrive(id string) (Test, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.find(func(e *entry) bool { return e.ID == id })
	if e == nil || e.State != Running || e.arrived {
		return Test{}, ErrGone
	}
	e.arrived = true
	return e.Test, nil
}

// Finish ends a running test, once.
func (b *Book) Finish(id string, r Result) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.find(func(e *entry) bool { return e.ID == id })
	if e == nil || e.State != Running {
		return ErrGone
	}
	r.At = b.now()
	e.State, e.Result, e.plain = Done, r, r.plain
	e.Result.plain = nil
	e.Connection = withoutSecrets(e.Connection)
	return nil
}

// withoutSecrets: a finished test needs them no more.
func withoutSecrets(c store.Connection) store.Connection {
	c.ClientSecret, c.PrivateKey = store.Sealed{}, store.Sealed{}
	return c
}

// Find returns a test by its words.
func (b *Book) Find(words string) (Test, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.find(func(e *entry) bool { return e.Words == words }); e != nil {
		return e.Test, nil
	}
	return Test{}, ErrGone
}

// Tests lists what is kept, newest first.
func (b *Book) Tests() []Test {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep()
	out := make([]Test, 0, len(b.tests))
	for _, e := range slices.Backward(b.tests) {
		out = append(out, e.Test)
	}
	return out
}

// Reveal returns what is behind the mask of one value. The caller has checked
// that it may be seen, and has written down by whom.
func (b *Book) Reveal(words string, id int) (store.Secret, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.find(func(e *entry) bool { return e.Words == words })
	if e == nil || id < 1 || id > len(e.plain) {
		return "", ErrGone
	}
	return e.plain[id-1], nil
}

// Posted reports whether a running test expects the connection's provider to
// post its answer.
func (b *Book) Posted(connectionID string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.find(func(e *entry) bool {
		return e.State == Running && e.Connection.ID == connectionID && e.Connection.ResponseMode == "form_post"
	}) != nil
}

func (b *Book) linked(token string) *entry {
	hash := store.HashToken(token)
	return b.find(func(e *entry) bool { return e.link == hash })
}

// find sweeps first, so that nothing is found that is over.
func (b *Book) find(fits func(*entry) bool) *entry {
	b.sweep()
	for _, e := range b.tests {
		if fits(e) {
			return e
		}
	}
	return nil
}

func (b *Book) sweep() {
	now := b.now()
	b.tests = slices.DeleteFunc(b.tests, func(e *entry) bool { return !now.Before(e.ExpiresAt) })
}
