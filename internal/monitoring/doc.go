// Package monitoring is what people look at and what pages them, as Go: recording rules, alerts and boards. cmd/generate
// writes them out as deploy/prometheus/*.yml and dashboards/*.json, next to the reference of metrics in docs/metrics.md.
//
// The parts, in the order in which a number travels:
//
//   - settings.go: windows, thresholds, addresses and label lists, each with its reason: the block to read before changing anything;
//   - names.go: the families that exist and their labels; a query can name no other;
//   - promql.go: the few forms a query is made of, among them the one that counts two replicas once;
//   - recording.go: recording rules named level:metric:operations;
//   - alerts.go: alerts and what they say;
//   - queries_<board>.go: the queries of a board as named functions;
//   - board_<board>.go: its rows and panels as data, each with definition, source and what to do when it is red;
//   - panel.go, look.go, palette.go: how a panel of each kind looks, and the one palette.
//
// A name that no family, own metric or recording rule has is a panic while generating, and so a failing test, never an empty panel.
package monitoring
