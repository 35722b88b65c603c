// The rules, alerts and boards as a monitoring mixin, for people who use jsonnet. They are imported as they are shipped: one source,
// cmd/generate.
//
//   local prodsec = import 'prodsec_exporter/deploy/mixin/mixin.libsonnet';
//   prodsec { _config+:: { runbookURL: 'https://wiki.example.com/prodsec', alertLabels: { cluster: 'eu-1' } } }
{
  local config = self._config,

  _config+:: {
    // Address of the folder with <Alert>.md; empty keeps the shipped one.
    runbookURL: '',
    // Title of the boards' folder in Grafana, for tools that look for it.
    grafanaDashboardFolder: 'Product security',
    // Labels that every alert gets besides its own, e.g. to route by.
    alertLabels: {},
  },

  grafanaDashboardFolder:: config.grafanaDashboardFolder,

  grafanaDashboards+:: {
    [name + '.json']: $._boards[name]
    for name in std.objectFields($._boards)
  },

  prometheusRules+:: std.parseYaml(importstr '../prometheus/recording.yml'),

  prometheusAlerts+:: {
    groups: [
      group { rules: [adapt(rule) for rule in group.rules] }
      for group in std.parseYaml(importstr '../prometheus/alerts.yml').groups
    ],
  },

  local adapt(rule) =
    rule
    + { labels+: config.alertLabels }
    + (if config.runbookURL == '' then {} else { annotations+: { runbook_url: config.runbookURL + '/' + rule.alert + '.md' } }),

  _boards:: import 'boards.libsonnet',
}
