package broker

import "testing"

// BenchmarkRefresh and BenchmarkLogin are for profiles; figures that count come
// from the bench command, with processes apart.
func BenchmarkRefresh(b *testing.B) {
	w := newWorld(b)
	tk := w.signedIn("native")
	for b.Loop() {
		tk = w.refresh("native", tk.Refresh)
	}
}

func BenchmarkLogin(b *testing.B) {
	w := newWorld(b)
	w.signedIn("native")
	for b.Loop() {
		w.signedIn("native")
	}
}
