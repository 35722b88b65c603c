//go:build race

package sqlite_test

// raceDetector says that the tests run with the race detector, which makes each of them some ten times slower.
const raceDetector = true
