//go:build !race

package numbers_test

// raceDetector says that the tests run with the race detector.
const raceDetector = false
