package world

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"prodsec_exporter/internal/record"
)

// advisoriesPerWeek is how many advisories an ecosystem publishes in a week; more than a repository gets findings.
var advisoriesPerWeek = []record.Severity{
	record.SeverityCritical, record.SeverityCritical, record.SeverityHigh, record.SeverityHigh, record.SeverityHigh, record.SeverityHigh,
	record.SeverityHigh, record.SeverityMedium, record.SeverityMedium, record.SeverityMedium, record.SeverityMedium, record.SeverityMedium,
	record.SeverityMedium, record.SeverityMedium, record.SeverityMedium, record.SeverityLow, record.SeverityLow, record.SeverityLow,
	record.SeverityLow, record.SeverityLow,
}

var ecosystems = []string{"npm", "pip", "maven", "go", "nuget"}

// packages are invented names in the style of each ecosystem.
var packages = map[string][]string{
	"npm": {
		"@lantern/router", "quickmerge", "@lantern/template", "cookie-jar-lite", "@weave/json", "stream-shovel", "markdown-press", "@weave/image",
		"yaml-pocket", "query-stitch", "ws-relay", "deep-assign-all",
	},
	"pip": {
		"flaskette", "pillowcase", "yamlette", "requests-plus", "jinjalike", "numfast", "sqlweaver", "tornade", "paramikado", "pickle-jar",
	},
	"maven": {
		"org.brightbean:bean-binder", "io.quickjson:quickjson-databind", "org.loghouse:loghouse-core", "net.xmlpath:xmlpath",
		"org.springboard:springboard-web", "io.reactorium:netpipe", "org.snakeparse:snakeparse", "com.zipline:zipline-io",
	},
	"go": {
		"example.org/x/httpmux", "example.org/x/protowire", "example.org/cryptobox/ssh", "example.org/yamlfast", "example.org/jwtkit",
		"example.org/grpcish", "example.org/archive/tarball", "example.org/templates",
	},
	"nuget": {
		"Bright.Json", "Quick.Xml", "Pipe.Server", "Sharp.Templates", "Net.Archive", "Data.Weave", "Token.Kit", "Image.Fast",
	},
}

var packageWeaknesses = []struct {
	cwe  int
	text string
}{
	{79, "Cross-site scripting"}, {400, "Uncontrolled resource consumption"}, {22, "Path traversal"}, {1333, "Inefficient regular expression"},
	{502, "Deserialization of untrusted data"}, {1321, "Prototype pollution"}, {918, "Server-side request forgery"}, {287, "Improper authentication"},
	{20, "Improper input validation"}, {89, "SQL injection"}, {295, "Improper certificate validation"}, {611, "XML external entity"},
}

// published lists what an ecosystem published in a week. The caller holds mu.
func (w *World) published(ecosystem string, n int64) []*Advisory {
	key := advisoryKey{ecosystem, n}
	if list, ok := w.advisories[key]; ok {
		return list
	}
	r := w.random("advisory", ecosystem, n)
	list := make([]*Advisory, len(advisoriesPerWeek))
	for i, severity := range advisoriesPerWeek {
		weakness := packageWeaknesses[r.IntN(len(packageWeaknesses))]
		name := packages[ecosystem][r.IntN(len(packages[ecosystem]))]
		published := startOf(n).Add(between(r, 0, day))
		major, minor := r.IntN(6), r.IntN(30)
		a := &Advisory{
			GHSA: ghsa(r), CVE: cve(ecosystem, n, i),
			Ecosystem: ecosystem, Package: name, Severity: severity, Score: scoreOf(r, severity), CWE: weakness.cwe,
			Summary: weakness.text + " in " + name, Published: published,
			Affected: fmt.Sprintf("%d.%d.%d", major, minor, r.IntN(9)), EPSS: r.Float64() * r.Float64() * r.Float64() * r.Float64(),
		}
		if r.Float64() < 0.9 {
			a.Patched = fmt.Sprintf("%d.%d.0", major, minor+1)
		}
		list[i] = a
	}
	w.advisories[key] = list
	return list
}

// cve makes an identifier with seven digits, of which none have been given away.
func cve(ecosystem string, n int64, i int) string {
	monday := startOf(n)
	sequence := (monday.YearDay()/7*len(ecosystems)+slices.Index(ecosystems, ecosystem))*len(advisoriesPerWeek) + i
	return fmt.Sprintf("CVE-%d-%d", monday.Year(), 9_000_000+sequence)
}

// ghsa makes an identifier in GitHub's alphabet.
func ghsa(r *rand.Rand) string {
	const alphabet = "23456789cfghjmpqrvwx"
	id := []byte("GHSA-xxxx-xxxx-xxxx")
	for i := 5; i < len(id); i++ {
		if id[i] != '-' {
			id[i] = alphabet[r.IntN(len(alphabet))]
		}
	}
	return string(id)
}

func scoreOf(r *rand.Rand, severity record.Severity) float64 {
	low := map[record.Severity]float64{
		record.SeverityCritical: 9, record.SeverityHigh: 7, record.SeverityMedium: 4, record.SeverityLow: 1,
	}[severity]
	width := map[record.Severity]int{record.SeverityCritical: 10, record.SeverityHigh: 19, record.SeverityMedium: 29, record.SeverityLow: 29}[severity]
	return low + float64(r.IntN(width))/10
}
