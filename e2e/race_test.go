//go:build race

package e2e

// raceDetector: the binary under test is built like the tests.
const raceDetector = true
