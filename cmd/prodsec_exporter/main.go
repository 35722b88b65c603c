// Command prodsec_exporter polls GitHub, Jira and security scanners, keeps what it learns in a ledger, and serves the metrics of
// a product-security programme to Prometheus.
//
//	prodsec_exporter --demo                 shows it on a synthetic organisation
//	prodsec_exporter                        runs with prodsec.yml
//	prodsec_exporter check [--online]       says whether a configuration would work
//	prodsec_exporter evaluate --at INSTANT  prints the metrics as they were
//	prodsec_exporter dashboards push        brings the boards to a running Grafana
//
// This package only ties the parts together; each part is in a package of its own (see docs/architecture.md).
//
// It may import every package but internal/monitoring, and none imports it. To add a collector: a line in kinds.go. To add a subcommand: its flags and its case in program.go, and a file with
// what it does. To add a metric of the exporter itself: selfmetrics.go.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // deadlines end with the day in a time zone, also on hosts without a database of them
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newProgram(os.Stdout, os.Stderr).run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "prodsec_exporter:", err)
		os.Exit(1)
	}
}
