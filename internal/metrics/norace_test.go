//go:build !race

package metrics_test

// raceDetector says that the tests run without the race detector.
const raceDetector = false
