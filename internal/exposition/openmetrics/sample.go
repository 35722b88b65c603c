package openmetrics

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	nameOfLabel = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	// number is a value as OpenMetrics writes it: no hexadecimal, no underscores, no spaces.
	number = regexp.MustCompile(`^([-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?|[-+]?Inf|NaN)$`)
)

// histogram is one metric of a histogram.
type histogram struct {
	bounds, counts   []float64
	count            float64
	hasCount, hasSum bool
}

// sample takes a line with a sample.
func (c *checker) sample(line string) {
	name, rest := line, ""
	if i := strings.IndexAny(line, "{ "); i >= 0 {
		name, rest = line[:i], line[i:]
	}
	var labels [][2]string
	if strings.HasPrefix(rest, "{") {
		var ok bool
		if labels, rest, ok = c.labels(rest[1:]); !ok {
			return
		}
	}
	rest, exemplar, hasExemplar := strings.Cut(rest, " # ")
	fields := strings.Split(strings.TrimPrefix(rest, " "), " ")
	if !strings.HasPrefix(rest, " ") || len(fields) > 2 || slices.ContainsFunc(fields, func(f string) bool { return !number.MatchString(f) }) {
		c.fail("%q has no value, or one that is no number", line)
		return
	}
	value, err := strconv.ParseFloat(fields[0], 64)
	if err != nil {
		c.fail("%q: %v", line, err)
		return
	}
	f := c.current
	if f == nil || !belongs(f, name) {
		c.begin(name)
		f = c.current
	}
	f.samples++
	suffix := strings.TrimPrefix(name, f.name)
	if hasExemplar && (suffix != "_total" && suffix != "_bucket" || !strings.HasPrefix(exemplar, "{")) {
		c.fail("%s may not have an exemplar, or not that one", name)
	}
	c.unique(f, name, labels)
	c.value(f, suffix, labels, value)
}

// belongs reports whether a sample is one of the family's.
func belongs(f *family, name string) bool {
	return slices.ContainsFunc(suffixes[f.kind], func(suffix string) bool { return name == f.name+suffix })
}

// labels takes labels up to the closing brace.
func (c *checker) labels(text string) (labels [][2]string, rest string, ok bool) {
	for !strings.HasPrefix(text, "}") {
		name, after, found := strings.Cut(text, `="`)
		if !found || !nameOfLabel.MatchString(name) {
			c.fail("%q does not begin with the name of a label", text)
			return nil, "", false
		}
		stop := closingQuote(after)
		if stop < 0 {
			c.fail("the value of label %s does not end", name)
			return nil, "", false
		}
		c.escapes(after[:stop])
		if slices.ContainsFunc(labels, func(l [2]string) bool { return l[0] == name }) {
			c.fail("label %s is there twice", name)
		}
		labels = append(labels, [2]string{name, after[:stop]})
		text = after[stop+1:]
		if next, more := strings.CutPrefix(text, ","); more && !strings.HasPrefix(next, "}") {
			text = next
		} else if !strings.HasPrefix(text, "}") {
			c.fail("labels go on with %q", text)
			return nil, "", false
		}
	}
	return labels, text[1:], true
}

// closingQuote is the offset of the first quote that is not escaped, -1 if there is none.
func closingQuote(text string) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// unique refuses a sample that was there, and one of a metric whose samples were interrupted by those of another.
func (c *checker) unique(f *family, name string, labels [][2]string) {
	var one, group []string
	for _, l := range labels {
		one = append(one, l[0]+"="+l[1])
		if l[0] != within(f) {
			group = append(group, l[0]+"="+l[1])
		}
	}
	slices.Sort(one)
	slices.Sort(group)
	id := name + "{" + strings.Join(one, ",") + "}"
	if f.seen[id] {
		c.fail("%s is there twice", id)
	}
	f.seen[id] = true
	metric := strings.Join(group, ",")
	if f.samples > 1 && metric != f.group && f.groups[metric] {
		c.fail("the samples of %s{%s} are interrupted by those of another metric", f.name, metric)
	}
	f.group, f.groups[metric] = metric, true
}

// within is the label that tells apart the samples of one metric.
func within(f *family) string {
	switch f.kind {
	case "histogram", "gaugehistogram":
		return "le"
	case "summary":
		return "quantile"
	case "stateset":
		return f.name
	default:
		return ""
	}
}

// value checks what the type of a family says about a sample.
func (c *checker) value(f *family, suffix string, labels [][2]string, value float64) {
	label := func(name string) (string, bool) {
		i := slices.IndexFunc(labels, func(l [2]string) bool { return l[0] == name })
		if i < 0 {
			return "", false
		}
		return labels[i][1], true
	}
	counts := slices.Contains([]string{"_total", "_count", "_bucket", "_gcount"}, suffix)
	if counts && (math.IsNaN(value) || value < 0) {
		c.fail("%s%s counts, and is %v", f.name, suffix, value)
	}
	switch f.kind {
	case "info":
		if value != 1 {
			c.fail("info %s is %v, not 1", f.name, value)
		}
	case "stateset":
		if _, ok := label(f.name); !ok || value != 0 && value != 1 {
			c.fail("state %s has no label of its name, or is neither 0 nor 1", f.name)
		}
	case "summary":
		if q, ok := label("quantile"); suffix == "" && (!ok || !number.MatchString(q)) {
			c.fail("summary %s has no quantile", f.name)
		}
	case "histogram":
		h := f.histograms[f.group]
		if h == nil {
			h = &histogram{}
			f.histograms[f.group] = h
		}
		h.add(c, f.name, suffix, label, value)
	}
}

func (h *histogram) add(c *checker, name, suffix string, label func(string) (string, bool), value float64) {
	switch suffix {
	case "_count":
		h.count, h.hasCount = value, true
	case "_sum":
		h.hasSum = true
	case "_bucket":
		le, ok := label("le")
		bound, err := strconv.ParseFloat(le, 64)
		if !ok || err != nil || math.IsNaN(bound) || le != canonical(bound) {
			c.fail("the bound %q of %s is not a number in canonical form", le, name)
			return
		}
		h.bounds, h.counts = append(h.bounds, bound), append(h.counts, value)
	}
}

// canonical is how OpenMetrics writes a bound, so that it is the same text everywhere.
func canonical(bound float64) string {
	if math.IsInf(bound, 1) {
		return "+Inf"
	}
	text := strconv.FormatFloat(bound, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}

func (h *histogram) check(c *checker, name string) {
	n := len(h.bounds)
	switch {
	case n == 0 || !math.IsInf(h.bounds[n-1], 1):
		c.fail("histogram %s has no bucket +Inf at its end", name)
	case !slices.IsSorted(h.bounds) || !slices.IsSorted(h.counts):
		c.fail("the buckets of histogram %s do not increase", name)
	case h.hasCount && h.count != h.counts[n-1]:
		c.fail("histogram %s counts %v and its last bucket %v", name, h.count, h.counts[n-1])
	case h.hasCount != h.hasSum:
		c.fail("histogram %s has one of count and sum", name)
	case h.hasSum && h.bounds[0] < 0:
		c.fail("histogram %s has negative buckets and a sum", name)
	}
}
