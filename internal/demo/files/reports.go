package files

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/demo/world"
	"prodsec_exporter/internal/record"
)

// ReportNames lists the reports: a SARIF and a Trivy file for each repository whose pipeline leaves them.
func ReportNames(w *world.World) []string {
	var names []string
	for _, r := range w.Repositories {
		if world.LeavesReports(r) {
			names = append(names, r.Organisation+"."+r.Name+".semgrep.sarif", r.Organisation+"."+r.Name+".trivy.json")
		}
	}
	return names
}

// scannedAt is when the nightly scan last ran.
func scannedAt(t time.Time) time.Time {
	const hour = 2
	night := t.UTC().Truncate(24 * time.Hour).Add(hour * time.Hour)
	if night.After(t) {
		night = night.Add(-24 * time.Hour)
	}
	return night
}

func (f *files) report(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	if !slices.Contains(ReportNames(f.world), name) {
		http.NotFound(w, r)
		return
	}
	var value any
	for _, repository := range f.world.Repositories {
		at := scannedAt(f.now())
		switch prefix := repository.Organisation + "." + repository.Name; name {
		case prefix + ".semgrep.sarif":
			value = sarif(repository, f.open(repository, at, world.ToolSemgrep))
		case prefix + ".trivy.json":
			value = trivy(repository, f.open(repository, at, world.ToolTrivy), at)
		}
	}
	body, err := answer.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Last-Modified", scannedAt(f.now()).Format(http.TimeFormat))
	answer.WriteTagged(w, r, "application/json", body)
}

// open lists what a tool found in a repository at a scan.
func (f *files) open(r *world.Repository, at time.Time, tool world.Tool) []*world.Finding {
	return answer.Filter(f.world.FindingsAt(at), func(finding *world.Finding) bool {
		return finding.Source == world.SourceReports && finding.Repository == r && finding.Tool == tool && finding.At(at).Closure == record.ClosureNone
	})
}

// sarif is a report of Semgrep in SARIF 2.1.0.
func sarif(r *world.Repository, findings []*world.Finding) any {
	rules, results := []any{}, []any{}
	known := map[string]int{}
	for _, f := range findings {
		index, ok := known[f.Rule.ID]
		if !ok {
			index = len(rules)
			known[f.Rule.ID] = index
			rules = append(rules, sarifRule(f.Rule))
		}
		results = append(results, map[string]any{
			"ruleId": f.Rule.ID, "ruleIndex": index, "level": "warning", "message": map[string]any{"text": f.Rule.Name},
			"locations": []any{map[string]any{"physicalLocation": map[string]any{
				"artifactLocation": map[string]any{"uri": f.Path, "uriBaseId": "%SRCROOT%"}, "region": map[string]any{"startLine": f.Line},
			}}},
			"partialFingerprints": map[string]string{"primaryLocationLineHash": fmt.Sprintf("%016x:1", f.ID)},
		})
	}
	return map[string]any{
		"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
		"runs": []any{map[string]any{
			"tool":                     map[string]any{"driver": map[string]any{"name": "Semgrep OSS", "semanticVersion": "1.120.0", "rules": rules}},
			"versionControlProvenance": []any{map[string]any{"repositoryUri": answer.WebURL + r.FullName(), "branch": "main"}},
			"invocations":              []any{map[string]any{"executionSuccessful": true}},
			"results":                  results,
		}},
	}
}

// sarifRule describes a rule; its severity is a CVSS score as text.
func sarifRule(rule *world.Rule) any {
	score := map[record.Severity]string{
		record.SeverityCritical: "9.5", record.SeverityHigh: "8.0", record.SeverityMedium: "5.5", record.SeverityLow: "2.5",
	}[rule.Severity]
	properties := map[string]any{"tags": []string{"security", fmt.Sprintf("CWE-%d", rule.CWE)}}
	if score != "" {
		properties["security-severity"] = score
	}
	return map[string]any{
		"id": rule.ID, "name": rule.ID, "shortDescription": map[string]any{"text": rule.Name}, "properties": properties,
		"defaultConfiguration": map[string]any{"level": "warning"},
	}
}

// trivy is a report of Trivy on a repository.
func trivy(r *world.Repository, findings []*world.Finding, at time.Time) any {
	vulnerabilities := map[string][]any{}
	var targets []string
	for _, f := range findings {
		a := f.Advisory
		if !slices.Contains(targets, f.Path) {
			targets = append(targets, f.Path)
		}
		vulnerabilities[f.Path] = append(vulnerabilities[f.Path], map[string]any{
			"VulnerabilityID": a.CVE, "VendorIDs": []string{a.GHSA}, "PkgName": a.Package, "InstalledVersion": a.Affected, "FixedVersion": a.Patched,
			"Status": map[bool]string{true: "fixed", false: "affected"}[a.Patched != ""], "Severity": strings.ToUpper(string(a.Severity)), "SeveritySource": "ghsa",
			"Title": a.Summary, "CweIDs": []string{fmt.Sprintf("CWE-%d", a.CWE)}, "CVSS": map[string]any{"ghsa": map[string]any{"V3Score": a.Score}},
			"PublishedDate": answer.Stamp(a.Published), "PrimaryURL": "https://example.org/advisories/" + a.GHSA,
		})
	}
	results := []any{}
	for _, target := range targets {
		results = append(results, map[string]any{
			"Target": target, "Class": "lang-pkgs", "Type": answer.TrivyTypes[r.Ecosystem], "Vulnerabilities": vulnerabilities[target],
		})
	}
	return map[string]any{
		"SchemaVersion": 2, "CreatedAt": answer.Stamp(at), "ArtifactName": answer.WebURL + r.FullName(), "ArtifactType": "repository", "Results": results,
	}
}
