//go:build !race

package ledger_test

// raceDetector says that the tests run without the race detector.
const raceDetector = false
