package cyclonedx

import (
	"slices"
	"strings"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/internal/record"
)

// sources are who rates best, after the vulnerability's own source; others follow in the order of the document.
var sources = []string{"nvd", "ghsa", "github", "redhat"}

// rank is the place of a rating's source, from 0 for the best.
func (v *vulnerability) rank(r *rating) int {
	name := strings.ToLower(string(r.Source.Name))
	if name != "" && name == strings.ToLower(string(v.Source.Name)) {
		return 0
	}
	if at := slices.IndexFunc(sources, func(known string) bool { return strings.Contains(name, known) }); at >= 0 {
		return at + 1
	}
	return len(sources) + 1
}

// severity is that of the newest version of CVSS by the best source that rates by it; else the word or score of the best source that rates at all. Of equals
// the worst counts. "info" and "none" rate nothing.
func (v *vulnerability) severity() record.Severity {
	severity, rank, version := record.SeverityUnknown, 0, 0
	for i := range v.Ratings {
		r := &v.Ratings[i]
		s := r.severity()
		if s == record.SeverityUnknown {
			continue
		}
		k, n := v.rank(r), r.version()
		switch {
		case severity == record.SeverityUnknown, k < rank, k == rank && n > version:
			severity, rank, version = s, k, n
		case k == rank && n == version:
			severity = worse(severity, s)
		}
	}
	return severity
}

// version is the version of CVSS by which a rating was made, times ten; 0 for other methods.
func (r *rating) version() int {
	method, vector := string(r.Method), string(r.Vector)
	switch {
	case method == "CVSSv4" || strings.HasPrefix(vector, "CVSS:4"):
		return 40
	case method == "CVSSv31" || strings.HasPrefix(vector, "CVSS:3.1"):
		return 31
	case method == "CVSSv3" || strings.HasPrefix(vector, "CVSS:3"):
		return 30
	case method == "CVSSv2":
		return 20
	default:
		return 0
	}
}

// severity is the word of a rating, else what its vector or score means; a score of another method than CVSS means nothing here.
func (r *rating) severity() record.Severity {
	if word := strings.ToLower(string(r.Severity)); word != "info" && word != "none" {
		if s := format.SeverityOfWord(word); s != record.SeverityUnknown {
			return s
		}
	}
	if s := format.SeverityOfVector(string(r.Vector)); s != record.SeverityUnknown {
		return s
	}
	switch {
	case r.Method == "CVSSv2":
		return format.SeverityOfScoreV2(float64(r.Score))
	case strings.HasPrefix(string(r.Method), "CVSS"):
		return format.SeverityOfScore(float64(r.Score))
	default:
		return record.SeverityUnknown
	}
}

// worse is the more severe of two.
func worse(a, b record.Severity) record.Severity {
	for _, s := range record.Severities() {
		if a == s || b == s {
			return s
		}
	}
	return record.SeverityUnknown
}
