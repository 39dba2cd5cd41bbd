// Package bolt is the engine that keeps everything in one file: bbolt with
// group commit. It is the only place that imports bbolt.
//
// Updates are run one after the other by one goroutine, which Close ends. What
// arrives while one commit reaches the disk goes into the next transaction; a
// lone caller never waits for company. A function that fails has its writes
// undone and harms no other function of its batch.
//
// The invariant it guards: what Update answered nil for is on the disk; nothing
// else is. It never overwrites a file it does not understand.
package bolt
