//go:build !race

package sqlite_test

// raceDetector says that the tests run without the race detector.
const raceDetector = false
