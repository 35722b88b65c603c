// Package tools runs Prometheus's own tools on the shipped rules and boards. It is a module of its own, so that their dependencies stay out of the exporter's.
package tools
