// Bench measures Gatehouse as people run it: the stripped binary on a durable
// file, a mock identity provider in a process of its own, a client in a third,
// real HTTP in between. It prints each figure with the limit beside it: what the
// signatures alone cost, and what one fsync costs, on this machine in this run.
// Compare ratios, not seconds: the machines this runs on are small and noisy.
//
//	go run ./bench [-logins 600] [-refreshes 1500]
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	logins := flag.Int("logins", 600, "logins per measurement")
	refreshes := flag.Int("refreshes", 1500, "refreshes per measurement")
	flag.Parse()
	if err := bench(*logins, *refreshes); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(logins, refreshes int) error {
	dir, err := os.MkdirTemp("", "gatehouse-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	l, err := measureLimits(dir)
	if err != nil {
		return err
	}
	fmt.Printf("limits of this machine, alone on one core\n"+
		"  sign ES256 %v · verify ES256 %v · write and fsync 4 KiB %v, of it CPU %v\n"+
		"  a login needs 2 signatures (access and ID token) and 1 verification (the provider's ID token): %v of CPU\n"+
		"  a refresh needs 2 signatures: %v of CPU\n\n", l.sign, l.verify, l.fsync, l.fsyncCPU, l.login(), l.refresh())

	w, err := newWorld(dir)
	if err != nil {
		return err
	}
	defer w.stop()
	fmt.Printf("%-44s %16s %10s\n", "", "measured", "to reach")
	row("binary, stripped", fmt.Sprintf("%.1f MB", float64(w.binarySize)/1e6), "32 MB")
	if err := w.startup(); err != nil {
		return err
	}
	for _, workers := range []int{1, 16} {
		if err := w.logins(workers, logins, l); err != nil {
			return err
		}
		if err := w.refreshes(workers, refreshes, l); err != nil {
			return err
		}
	}
	if err := w.sources(); err != nil {
		return err
	}
	if err := w.hanging(); err != nil {
		return err
	}
	return alone()
}

func row(what, measured, limit string) { fmt.Printf("%-44s %16s %10s\n", what, measured, limit) }
