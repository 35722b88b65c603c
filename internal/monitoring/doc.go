// Package monitoring is what people look at and what pages them, as Go: recording rules, alerts and boards. This package assembles what is below it into the generated
// files (Files): deploy/prometheus/*.yml, dashboards/*.json with their copies in chart and mixin, docs/metrics.md and docs/traceability.md. cmd/generate writes them; nothing
// else may import it, so that the exporter carries none of it.
//
// The folders, in the order in which a number travels:
//
//   - settings: windows, thresholds and times, each with its reason;
//   - names: families, recorded series, labels, uids and panel ids; a query can name nothing else;
//   - promql: the few forms that a query is made of;
//   - packrow: the rows of the leadership pack, which panels and alerts answer;
//   - rulefile: what a rule is, and its YAML;
//   - rules: recording rules;
//   - alerts: alerting rules;
//   - boards: boards, their queries (boards/query) and looks (boards/panel).
//
// rules, alerts and boards never import each other: they meet in names.
//
// To generate one more file: a line in Files.
package monitoring
