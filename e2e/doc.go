// Package e2e tests the whole way: the real binary, a real Prometheus that scrapes it and evaluates the shipped rules, a real
// Alertmanager that delivers to a webhook. The tests have the build tag e2e; "make e2e" runs them. They need the programs
// prometheus, promtool, prometheus-alertmanager and amtool, and fail, never skip, without them.
package e2e
