package definitions_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/record"
)

func TestDeduplication(t *testing.T) {
	o := newOrganisation(t)
	var findings []record.Finding
	for _, r := range example(t, "findings") {
		f := record.Finding{
			ID: r["Finding"], Tool: r["Tool"], Class: record.Class(r["Class"]), Repository: "acme/shop", Place: r["Place"],
			Severity: record.Severity(r["Severity"]), FirstSeen: dayOf(t, r["First seen"]), UpdatedAt: dayOf(t, r["First seen"]),
		}
		if f.Class == record.ClassSCA {
			f.Package, f.Aliases = r["Package or category"], strings.Split(r["Advisories or line"], ", ")
		} else {
			line, err := strconv.Atoi(r["Advisories or line"])
			o.must(err)
			f.Category, f.Line = r["Package or category"], line
		}
		findings = append(findings, f)
	}
	now := dayOf(t, "2026-01-12")
	o.findings(now, findings...)
	e := o.evaluate(now)
	weaknesses := example(t, "weaknesses")
	if open := sum(e, "prodsec_findings_open"); open != float64(len(weaknesses)) {
		t.Errorf("%v weaknesses are open, the document has %d", open, len(weaknesses))
	}
	open, folded, oldest := map[[2]string]float64{}, map[string]float64{}, map[string]time.Time{}
	for _, w := range weaknesses {
		open[[2]string{w["Class"], w["Severity"]}]++
		n, err := strconv.ParseFloat(w["Findings folded"], 64)
		o.must(err)
		folded[w["Class"]] += n
		seen := dayOf(t, w["First seen"])
		if before := oldest[w["Severity"]]; before.IsZero() || seen.Before(before) {
			oldest[w["Severity"]] = seen
		}
	}
	for at, want := range open {
		if got := sum(e, "prodsec_findings_open", "class="+at[0], "severity="+at[1]); got != want {
			t.Errorf("open %v: %v, want %v", at, got, want)
		}
	}
	for class, want := range folded {
		if got := sum(e, "prodsec_duplicate_findings", "class="+class); got != want {
			t.Errorf("folded %s: %v, want %v", class, got, want)
		}
	}
	for severity, want := range oldest {
		if got := sum(e, "prodsec_finding_oldest_opened_timestamp_seconds", "severity="+severity); got != float64(want.Unix()) {
			t.Errorf("the oldest %s is of %v, want %v", severity, time.Unix(int64(got), 0).UTC(), want)
		}
	}
}
