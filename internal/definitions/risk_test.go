package definitions_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"prodsec_exporter/internal/record"
)

var answers = map[string]record.Answer{"yes": record.AnswerYes, "no": record.AnswerNo, "": record.AnswerUnknown}

// TestRisk: the product that is written out, the weight beside it, and what the exporter makes of the records are one number.
func TestRisk(t *testing.T) {
	o, at := newOrganisation(t), dayOf(t, "2026-03-31")
	services, scores, total := map[string]record.Service{}, map[string]float64{}, 0.0
	var findings []record.Finding
	for i, r := range example(t, "risk") {
		weight := number(t, r["Weight"])
		if product := productOf(t, r["Severity × exposure × criticality × exploitation"]); product != weight {
			t.Errorf("row %d: %v is not %v", i+1, product, weight)
		}
		repository := record.RepositoryName("acme/" + r["Service"])
		services[r["Service"]] = record.Service{
			Name: r["Service"], BusinessUnit: "retail", Team: r["Team"], TrustTier: r["Tier"], InternetFacing: answers[r["Internet"]],
			CrownJewel: answers[r["Crown jewel"]], Repositories: []record.RepositoryPath{{Repository: repository}},
		}
		scores[r["Service"]] += weight
		total += weight
		f := record.Finding{
			ID: fmt.Sprint(i), Tool: "scanner", Class: record.ClassOther, Repository: repository, Severity: record.Severity(r["Severity"]),
			Category: r["Category"], FirstSeen: at,
		}
		switch r["Evidence"] {
		case "kev":
			f.KnownExploited = record.AnswerYes
		case "epss":
			f.EPSS = 0.5
		case "active_secret":
			f.ActiveSecret = record.AnswerYes
		}
		findings = append(findings, f)
	}
	o.catalog(at, slices.Collect(maps.Values(services))...)
	o.findings(at, findings...)
	e := o.evaluate(at)
	for service, want := range scores {
		if got := sum(e, "prodsec_risk_score", "service_name="+service); got != want {
			t.Errorf("risk of %s: %v, want %v", service, got, want)
		}
	}
	for _, r := range example(t, "concentration") {
		held, want := number(t, r["Score held"]), number(t, r["Ratio"])
		got := sum(e, "prodsec_risk_concentration_ratio", "dimension="+r["Dimension"], "top="+r["Top"])
		if round(got) != want || round(held/total) != want {
			t.Errorf("top %s by %s: exposed %v, %v of %v is %v, want %v", r["Top"], r["Dimension"], got, held, total, held/total, want)
		}
	}
}

// productOf multiplies factors that are written out.
func productOf(t *testing.T, text string) float64 {
	t.Helper()
	if text == "weighs nothing" {
		return 0
	}
	product := 1.0
	for _, factor := range strings.Split(text, " × ") {
		product *= number(t, factor)
	}
	return product
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// round is to the four digits of the document.
func round(ratio float64) float64 { return math.Round(ratio*10_000) / 10_000 }
