package openmetrics

import (
	"strings"
	"testing"
)

func TestGood(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "# EOF\n",
		"all types": `# HELP a_seconds Time.
# TYPE a_seconds gauge
# UNIT a_seconds seconds
a_seconds{x="1",y="a\"\\\n"} 1.5
a_seconds 1e+06
# HELP b Calls.
# TYPE b counter
b_total 3.0
b_created 1.5e+09
# HELP c Sizes.
# TYPE c histogram
c_bucket{x="1",le="0.5"} 1
c_bucket{x="1",le="1.0"} 2 # {trace="x"} 0.7
c_bucket{x="1",le="+Inf"} 2
c_sum{x="1"} 1.2
c_count{x="1"} 2
# TYPE d info
d_info{version="1"} 1
# TYPE e stateset
e{e="on"} 1
e{e="off"} 0
# TYPE f summary
f{quantile="0.5"} 3
f_sum 4
f_count 1
plain 7 1.5e9
# EOF
`,
	} {
		for _, err := range Check(text) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRefused(t *testing.T) {
	const gauge = "# TYPE a gauge\na 1\n"
	for name, c := range map[string]struct{ text, want string }{
		"no end":                {gauge, "does not end"},
		"end twice":             {gauge + "# EOF\n# EOF\n", "before the end"},
		"no line feed":          {gauge + "# EOF", "does not end"},
		"empty line":            {gauge + "\n# TYPE b gauge\n# EOF\n", "empty line"},
		"comment":               {"# hello\n# EOF\n", "comments are not allowed"},
		"type twice":            {"# TYPE a gauge\n# TYPE a gauge\na 1\n# EOF\n", "a second TYPE"},
		"family twice":          {gauge + "# TYPE b gauge\nb 1\n" + gauge + "# EOF\n", "a second family a"},
		"help after samples":    {gauge + "# HELP a A.\n# EOF\n", "after its samples"},
		"gauge and counter":     {"# TYPE a_bytes gauge\na_bytes 1\n# TYPE a_bytes counter\na_bytes_total 1\n# EOF\n", "TYPE of a_bytes after its samples"},
		"gauge named as total":  {"# TYPE a counter\na_total 1\n# TYPE a_total gauge\na_total 1\n# EOF\n", "clashes"},
		"gauge named as count":  {"# TYPE h_count gauge\nh_count 1\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 0\n# EOF\n", "clashes"},
		"gauge named as info":   {"# TYPE v_info gauge\nv_info 1\n# TYPE v info\nv_info 1\n# EOF\n", "clashes"},
		"unknown type":          {"# TYPE a meter\na 1\n# EOF\n", "not a type"},
		"unit":                  {"# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n", "does not end with its unit"},
		"unit of info":          {"# TYPE a_x info\n# UNIT a_x x\na_x_info 1\n# EOF\n", "no unit"},
		"counter without total": {"# TYPE a counter\na 1\n# EOF\n", "a second family"},
		"negative counter":      {"# TYPE a counter\na_total -1\n# EOF\n", "counts"},
		"NaN counter":           {"# TYPE a counter\na_total NaN\n# EOF\n", "counts"},
		"info of 2":             {"# TYPE a info\na_info 2\n# EOF\n", "not 1"},
		"state of 2":            {"# TYPE a stateset\na{a=\"x\"} 2\n# EOF\n", "neither 0 nor 1"},
		"state without label":   {"# TYPE a stateset\na 1\n# EOF\n", "no label of its name"},
		"summary":               {"# TYPE a summary\na 1\n# EOF\n", "no quantile"},
		"sample twice":          {"# TYPE a gauge\na{x=\"1\"} 1\na{x=\"1\"} 2\n# EOF\n", "twice"},
		"label twice":           {"# TYPE a gauge\na{x=\"1\",x=\"2\"} 1\n# EOF\n", "label x is there twice"},
		"label name":            {"# TYPE a gauge\na{1x=\"1\"} 1\n# EOF\n", "name of a label"},
		"label end":             {"# TYPE a gauge\na{x=\"1} 1\n# EOF\n", "does not end"},
		"comma":                 {"# TYPE a gauge\na{x=\"1\",} 1\n# EOF\n", "go on"},
		"escape":                {"# TYPE a gauge\na{x=\"\\t\"} 1\n# EOF\n", "unknown escape"},
		"hexadecimal":           {"# TYPE a gauge\na 0x1p3\n# EOF\n", "no number"},
		"no value":              {"# TYPE a gauge\na\n# EOF\n", "no value"},
		"two spaces":            {"# TYPE a gauge\na  1\n# EOF\n", "no number"},
		"exemplar of a gauge":   {"# TYPE a gauge\na 1 # {x=\"1\"} 1\n# EOF\n", "exemplar"},
		"interrupted":           {"# TYPE h histogram\nh_bucket{x=\"1\",le=\"+Inf\"} 0\nh_bucket{x=\"2\",le=\"+Inf\"} 0\nh_count{x=\"1\"} 0\n# EOF\n", "interrupted"},
		"no infinite bucket":    {"# TYPE h histogram\nh_bucket{le=\"1.0\"} 0\n# EOF\n", "+Inf"},
		"falling buckets":       {"# TYPE h histogram\nh_bucket{le=\"1.0\"} 2\nh_bucket{le=\"+Inf\"} 1\n# EOF\n", "do not increase"},
		"wrong count":           {"# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_count 2\nh_sum 1\n# EOF\n", "last bucket"},
		"count without sum":     {"# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_count 1\n# EOF\n", "one of count and sum"},
		"bound as integer":      {"# TYPE h histogram\nh_bucket{le=\"1\"} 0\nh_bucket{le=\"+Inf\"} 0\n# EOF\n", "canonical"},
		"negative with a sum":   {"# TYPE h histogram\nh_bucket{le=\"-1.0\"} 0\nh_bucket{le=\"+Inf\"} 0\nh_count 0\nh_sum 0\n# EOF\n", "negative buckets"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, err := range Check(c.text) {
				if strings.Contains(err.Error(), c.want) {
					return
				}
			}
			t.Errorf("got %v, want %q", Check(c.text), c.want)
		})
	}
}
