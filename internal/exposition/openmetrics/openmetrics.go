// Package openmetrics holds answers to scrapes against OpenMetrics 1.0 as strictly as the parser of Prometheus' Python client does, for tests: Prometheus' own
// parser takes a good deal that other readers refuse. Source: https://prometheus.io/docs/specs/om/open_metrics_spec/.
//
// It imports the standard library alone. To refuse one more thing: a check in sample.go, with a scrape that breaks it in its test.
package openmetrics

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// suffixes are those that the samples of a type have after the name of the family.
var suffixes = map[string][]string{
	"counter": {"_total", "_created"}, "gauge": {""}, "unknown": {""}, "stateset": {""}, "info": {"_info"},
	"histogram": {"_bucket", "_count", "_sum", "_created"}, "gaugehistogram": {"_bucket", "_gcount", "_gsum"}, "summary": {"", "_count", "_sum", "_created"},
}

var (
	nameOfMetric = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
	metadata     = regexp.MustCompile(`^# (HELP|TYPE|UNIT) (\S+)(?: (.*))?$`)
)

const end = "# EOF"

// Check returns what a strict parser refuses in an answer, each with its line; nothing if it takes the answer.
func Check(text string) []error {
	c := checker{owner: map[string]string{}, families: map[string]bool{}}
	if !strings.HasSuffix(text, "\n"+end+"\n") && text != end+"\n" {
		c.fail("the answer does not end with %q and a line feed", end)
		return c.problems
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, end+"\n"), "\n") {
		c.line++
		switch {
		case line == "" && c.line <= strings.Count(text, "\n")-1:
			c.fail("an empty line")
		case line == end:
			c.fail("%q before the end", end)
		case strings.HasPrefix(line, "#"):
			c.describe(line)
		case line != "":
			c.sample(line)
		}
	}
	c.close()
	return c.problems
}

// checker is the state of a walk over an answer.
type checker struct {
	line     int
	problems []error
	// families are the names of families that were begun, owner the family that each name of a sample belongs to.
	families map[string]bool
	owner    map[string]string
	current  *family
}

// family is the one under way.
type family struct {
	name, kind, unit string
	described        map[string]bool
	samples          int
	// seen are the names and labels of samples, groups those without the labels that tell the samples of one metric apart.
	seen, groups map[string]bool
	group        string
	histograms   map[string]*histogram
}

func (c *checker) fail(format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf("line %d: %s", c.line, fmt.Sprintf(format, args...)))
}

// describe takes a line that begins with #.
func (c *checker) describe(line string) {
	parts := metadata.FindStringSubmatch(line)
	if parts == nil {
		c.fail("%q is neither HELP, TYPE, UNIT nor EOF; comments are not allowed", line)
		return
	}
	what, name, text := parts[1], parts[2], parts[3]
	if c.current == nil || c.current.name != name {
		c.begin(name)
	}
	f := c.current
	switch {
	case f.samples > 0:
		c.fail("%s of %s after its samples", what, name)
	case f.described[what]:
		c.fail("a second %s of %s", what, name)
	}
	f.described[what] = true
	switch what {
	case "HELP":
		c.escapes(text)
	case "TYPE":
		if f.kind = text; suffixes[text] == nil {
			c.fail("%q is not a type", text)
			f.kind = "unknown"
		}
	case "UNIT":
		f.unit = text
	}
}

// begin ends the family under way and starts another.
func (c *checker) begin(name string) {
	c.close()
	if !nameOfMetric.MatchString(name) {
		c.fail("%q is not the name of a metric", name)
	}
	if c.families[name] {
		c.fail("a second family %s, or one in two parts", name)
	}
	c.families[name] = true
	c.current = &family{
		name: name, kind: "unknown", described: map[string]bool{}, seen: map[string]bool{}, groups: map[string]bool{}, histograms: map[string]*histogram{},
	}
}

// close checks the family under way as a whole and claims the names of its samples.
func (c *checker) close() {
	f := c.current
	if f == nil {
		return
	}
	c.current = nil
	switch {
	case f.unit == "":
	case f.kind == "info" || f.kind == "stateset":
		c.fail("%s is of type %s, which has no unit", f.name, f.kind)
	case !strings.HasSuffix(f.name, "_"+f.unit):
		c.fail("the name of %s does not end with its unit %s", f.name, f.unit)
	}
	// The name itself is taken, too: readers index by it.
	names := []string{f.name}
	for _, suffix := range suffixes[f.kind] {
		names = append(names, f.name+suffix)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if other, taken := c.owner[name]; taken {
			c.fail("%s clashes with %s over the name %s", f.name, other, name)
		}
		c.owner[name] = f.name
	}
	for _, h := range f.histograms {
		h.check(c, f.name)
	}
}

// escapes refuses escapes that OpenMetrics does not know.
func (c *checker) escapes(text string) {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		if i++; i == len(text) || !strings.ContainsRune(`\"n`, rune(text[i])) {
			c.fail("an unknown escape in %q", text)
			return
		}
	}
}
