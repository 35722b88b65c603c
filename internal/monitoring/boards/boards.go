// Package boards holds the Grafana boards, a file per board or part of one: rows of panels as data, each with what it means, where it comes from and what to do when
// it is red. Package panel says how a panel of each kind looks, package query which questions are asked of Prometheus.
//
// To change a panel (its unit, its thresholds, its words): the file of its board here. To add a panel: a literal in its row, with an id that the board never used, and, if it needs a
// new question, a function in query. To add a board: a file with its function, a line in details.go, its uid in package names. Then run `go run ./cmd/generate`, and
// `go test ./internal/monitoring -run TestPanelIDs -update` for new ids.
package boards

import (
	"prodsec_exporter/internal/monitoring/boards/panel"
)

// All are all boards: the overview, then those of the pack in its order.
func All() []panel.Board {
	return append([]panel.Board{overviewBoard()}, detailBoards()...)
}
