package sarif

import (
	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

// runReading is what a run says besides its results.
type runReading struct {
	format      Format
	driver      toolComponent
	extensions  []toolComponent
	taxonomies  []toolComponent
	invocations []invocation
	provenance  []versionControl
	artifacts   []artifact
	bases       map[string]artifactLocation
	properties  propertyBag
	// tool is the driver by its canonical name, once the tool was read.
	tool record.Tool
	// results are those that need what may still come.
	results []resultObject
	// rated are the findings whose severity is that of a level that invocations may override.
	rated []ratedFinding
	// listed says that there is a list of results: null or absent means that the tool did not get to scanning.
	listed bool
	// counted is the number of results in the list that state something about security.
	counted int
	// first is the position of the run's first finding in the report.
	first int
}

// ratedFinding is a finding of which only the rule's level says how severe it is.
type ratedFinding struct {
	finding    int
	rule       *reportingDescriptor
	invocation *stream.Index
}

func texts(list stream.List) []string {
	all := make([]string, len(list))
	for i, t := range list {
		all[i] = string(t)
	}
	return all
}

// Format reads SARIF 2.1.0. Rules may stand before or after the results that
// refer to them: results that need what may still come are kept until their run was read to its end.
type Format struct {
	// Quality takes in what is not about security, which is left out and counted otherwise.
	Quality bool
}
