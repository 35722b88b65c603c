package reports

import (
	"io"
	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/internal/record"
	"strings"
	"testing"
)

// readReport reads a report as a collector without further configuration does.
func readReport(open func() (io.ReadCloser, error)) (*format.Report, error) {
	return (&Collector{formats: formats(false)}).read(open)
}

func readText(t *testing.T, content string) (*format.Report, error) {
	t.Helper()
	return readReport(func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil })
}

func mustRead(t *testing.T, content string) *format.Report {
	t.Helper()
	r, err := readText(t, content)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestMalformedReports(t *testing.T) {
	for name, tt := range map[string]struct {
		report string
		reason record.ErrorReason
		want   []string
	}{
		"empty file":      {"", record.ReasonTruncated, []string{"empty"}},
		"cut off":         {"{\"version\": \"2.1.0\",\n \"runs\": [{\"results\": [{\"ruleId\"", record.ReasonTruncated, []string{"line 2", "SARIF", "ends early"}},
		"syntax":          {"{\"version\": \"2.1.0\",\n\n \"runs\": [}", record.ReasonDecode, []string{"line 3", "byte"}},
		"half of UTF-16":  {"\xff\xfe{\x00\"\x00}", record.ReasonTruncated, []string{"ends early"}},
		"an old encoding": {`<?xml version="1.0" encoding="klingon"?><bom/>`, record.ReasonDecode, []string{"klingon"}},
		"blanks, HTML":    {"\n\n <html>", record.ReasonDecode, []string{"XML or HTML", "JSON"}},
		"Semgrep's API":   {`{"findings": []}`, record.ReasonDecode, []string{`let the collector "semgrep" read it`}},
		"DefectDojo's":    {`{"count": 0, "next": null, "previous": null, "results": []}`, record.ReasonDecode, []string{`let the collector "defectdojo" read it`}},
		"GitHub's alerts": {`[{"number": 1, "state": "open", "secret_type": "x"}]`, record.ReasonDecode, []string{`let the collector "github" read it`}},
		"HTML":            {"<html>", record.ReasonDecode, []string{"XML or HTML", "JSON"}},
		"unknown format":  {`{"weather": "fine"}`, record.ReasonDecode, []string{"known format", "SARIF", "weather"}},
		"a number":        {"7", record.ReasonDecode, []string{"want an object or a list"}},
		"SARIF 1":         {`{"version": "1.0.0", "runs": []}`, record.ReasonDecode, []string{"1.0.0", "2.1.0"}},
		"no runs":         {`{"$schema": "https://x/sarif-2.1.0.json", "version": "2.1.0"}`, record.ReasonDecode, []string{`"runs" is missing`}},
		"runs no list":    {`{"runs": {}}`, record.ReasonDecode, []string{"want a list, got an object"}},
		"two reports":     {"[]\n[]", record.ReasonDecode, []string{"another report"}},
		"damaged gzip":    {"\x1f\x8bxxxxxxxxxxxxxxxxx", record.ReasonDecode, []string{"gzip"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := readText(t, tt.report)
			if r != nil || record.ReasonOf(err) != tt.reason {
				t.Fatalf("got %v, %v; want reason %s", r, err, tt.reason)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not contain %q", err, part)
				}
			}
		})
	}
}
