package provisioning

import (
	"testing"

	"gatehouse/store"
)

// What the gate costs each token request, and a decision each login.
func BenchmarkAuthorize(b *testing.B) {
	w := newWorld(b, store.JoinAutomatic)
	user := w.login("acme", "alice").UserID
	b.ReportAllocs()
	w.view(func(tx store.Tx) error {
		for b.Loop() {
			if _, err := w.p.Authorize(tx, user, "app", "acme"); err != nil {
				return err
			}
		}
		return nil
	})
}

func BenchmarkPreviewKnown(b *testing.B) {
	w := newWorld(b, store.JoinAutomatic)
	w.login("acme", "alice")
	id, pr := w.signIn("acme", "alice"), Prepare()
	b.ReportAllocs()
	w.view(func(tx store.Tx) error {
		for b.Loop() {
			if _, err := w.p.Preview(tx, id, store.Client{ID: "app"}, pr); err != nil {
				return err
			}
		}
		return nil
	})
}
