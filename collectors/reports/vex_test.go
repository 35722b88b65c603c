package reports

import (
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

func TestMalformedMarkup(t *testing.T) {
	const bom = `<bom xmlns="http://cyclonedx.org/schema/bom/1.4">`
	for report, want := range map[string]string{
		"<html><body/></html>":                 `root element "html"`,
		"<bom/>":                               "CycloneDX is the only format",
		bom + "\n<components><component>":      "ends early",
		bom + "\n<vulnerabilities>":            "ends early",
		bom + "\n<other><a></a>":               "ends early",
		bom + "\n</wrong>":                     "line 2",
		bom + "</bom>\n<bom/>":                 "another report",
		"<!-- nothing -->":                     "no root element",
		"<?xml version='1.0' encoding='EBC'?>": "EBC",
	} {
		if r, err := readText(t, report); r != nil || err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "byte") {
			t.Errorf("%q: got %v, %v; want an error with %q and a place", report, r, err, want)
		}
	}
}

// vulnerable is a Trivy report on an image with a Go package in it.
const vulnerable = `{"SchemaVersion": 2, "ArtifactName": "registry:5000/acme/api:1.2", "ArtifactType": "container_image", "Results": [
 {"Target": "registry:5000/acme/api:1.2 (debian 12)", "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": [{"VulnerabilityID": "CVE-2026-1111", "PkgName": "bash", "InstalledVersion": "5"}]},
 {"Target": "app/go.sum", "Class": "lang-pkgs", "Type": "gomod", "Vulnerabilities": [{"VulnerabilityID": "CVE-2026-2222", "PkgName": "github.com/x/y", "InstalledVersion": "v1.0.0", "VendorIDs": ["GHSA-aaaa-bbbb-cccc"]}]}]}`

// TestVEX applies one statement to the report above in every form that names a product.
func TestVEX(t *testing.T) {
	for name, tt := range map[string]struct {
		statements string
		bash, y    record.Closure
	}{
		"affected":            {`{"vulnerability": {"name": "CVE-2026-1111"}, "products": [{"@id": "pkg:deb/debian/bash"}], "status": "affected"}`, "", ""},
		"package":             {`{"vulnerability": {"name": "CVE-2026-1111"}, "products": [{"@id": "pkg:deb/debian/bash"}], "status": "not_affected"}`, "false_positive", ""},
		"version":             {`{"vulnerability": {"name": "CVE-2026-1111"}, "products": [{"@id": "pkg:deb/debian/bash@5?arch=amd64"}], "status": "fixed"}`, "fixed", ""},
		"other version":       {`{"vulnerability": {"name": "CVE-2026-1111"}, "products": [{"@id": "pkg:deb/debian/bash@6"}], "status": "fixed"}`, "", ""},
		"other package":       {`{"vulnerability": {"name": "CVE-2026-1111"}, "products": [{"@id": "pkg:deb/debian/dash"}], "status": "fixed"}`, "", ""},
		"alias, identifier":   {`{"vulnerability": {"name": "X-1", "aliases": ["GHSA-aaaa-bbbb-cccc"]}, "products": [{"@id": "y", "identifiers": {"purl": "pkg:golang/github.com/x/y@v1.0.0"}}], "status": "not_affected"}`, "", "false_positive"},
		"before 0.2":          {`{"vulnerability": "CVE-2026-2222", "products": ["pkg:golang/github.com/x/y@v1.0.0"], "status": "not_affected", "justification": "inline_mitigations_already_exist"}`, "", "mitigated"},
		"image":               {`{"vulnerability": {"name": "CVE-2026-2222"}, "products": [{"@id": "pkg:oci/api@sha256%3Aaa?repository_url=registry:5000/acme"}], "status": "not_affected"}`, "", "false_positive"},
		"image by name":       {`{"vulnerability": {"name": "CVE-2026-1111"}, "products": [{"@id": "pkg:oci/api"}], "status": "not_affected"}`, "false_positive", ""},
		"another image":       {`{"vulnerability": {"name": "CVE-2026-2222"}, "products": [{"@id": "pkg:oci/api?repository_url=elsewhere.example/acme"}], "status": "not_affected"}`, "", ""},
		"part of image":       {`{"vulnerability": {"name": "CVE-2026-2222"}, "products": [{"@id": "pkg:oci/api", "subcomponents": [{"@id": "pkg:golang/github.com/x/y"}]}], "status": "not_affected"}`, "", "false_positive"},
		"another part":        {`{"vulnerability": {"name": "CVE-2026-2222"}, "products": [{"@id": "pkg:oci/api", "subcomponents": [{"@id": "pkg:golang/github.com/x/z"}]}], "status": "not_affected"}`, "", ""},
		"repository":          {`{"vulnerability": {"name": "CVE-2026-2222"}, "products": [{"@id": "pkg:github/acme/api@main"}], "status": "not_affected"}`, "", "false_positive"},
		"another repository":  {`{"vulnerability": {"name": "CVE-2026-2222"}, "products": [{"@id": "https://github.com/acme/web"}], "status": "not_affected"}`, "", ""},
		"part before 0.2":     {`{"vulnerability": "CVE-2026-2222", "products": ["https://github.com/acme/api"], "subcomponents": ["pkg:golang/github.com/x/z"], "status": "fixed"}`, "", ""},
		"no product":          {`{"vulnerability": {"name": "CVE-2026-1111"}, "status": "not_affected"}`, "false_positive", ""},
		"unknown":             {`{"vulnerability": {"name": "CVE-2026-1111"}, "products": [{"@id": "pkg:oci/api"}], "status": "pondered"}`, "", ""},
		"the later counts":    {`{"vulnerability": "CVE-2026-1111", "products": ["pkg:oci/api"], "status": "not_affected", "timestamp": "2026-01-01T00:00:00Z"}, {"vulnerability": "CVE-2026-1111", "products": ["pkg:oci/api"], "status": "affected", "timestamp": "2026-01-02T00:00:00Z"}`, "", ""},
		"a doubt counts":      {`{"vulnerability": "CVE-2026-1111", "products": ["pkg:oci/api"], "status": "not_affected"}, {"vulnerability": "CVE-2026-1111", "products": ["pkg:oci/api"], "status": "under_investigation"}`, "", ""},
		"another advisory":    {`{"vulnerability": "CVE-2026-9999", "products": ["pkg:oci/api"], "status": "not_affected"}`, "", ""},
		"nonsense beside one": {`7, {"products": ["x"]}, {"vulnerability": "CVE-2026-1111", "products": ["pkg:oci/api", {}], "status": "fixed"}`, "fixed", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "a.json", vulnerable)
			write(t, dir, "z.openvex.json", `{"@context": "https://openvex.dev/ns/v0.2.0", "@id": "x", "timestamp": "2026-01-03T00:00:00Z", "statements": [`+tt.statements+`]}`)
			batches := collect(t, Config{Paths: []string{dir}, Repository: RepositoryConfig{Default: "acme/api"}})
			findings := append(batches["report:a.json#trivy/container"].Findings, batches["report:a.json#trivy/sca"].Findings...)
			if len(findings) != 2 || findings[0].Closure != tt.bash || findings[1].Closure != tt.y {
				t.Fatalf("got %+v, want bash %q and y %q", findings, tt.bash, tt.y)
			}
			for _, f := range findings {
				if (f.Closure == record.ClosureNone) != f.ClosedAt.IsZero() {
					t.Errorf("%s: closure %q since %s", f.Rule, f.Closure, f.ClosedAt)
				}
			}
			if b := batches["report:z.openvex.json"]; b.Err != nil || b.Findings == nil || len(b.Findings)+len(b.Scans) > 0 {
				t.Errorf("the document itself: got %+v, want a scope without findings and scans", b)
			}
		})
	}
}

// TestVEXThatBreaksReopensNothing damages a document after it was read once, and then deletes it.
func TestVEXThatBreaksReopensNothing(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.json", vulnerable)
	vex := write(t, dir, "vex.json", `{"@context": "https://openvex.dev/ns", "timestamp": "2026-01-03T00:00:00Z", "statements": [{"vulnerability": "CVE-2026-1111", "products": ["pkg:oci/api"], "status": "fixed"}]}`)
	c, err := New(Config{Paths: []string{dir}}, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	closedAt := func() time.Time {
		t.Helper()
		var at time.Time
		err := c.Collect(t.Context(), nil, func(b record.Batch) error {
			if b.Scope == "report:a.json#trivy/container" {
				at = b.Findings[0].ClosedAt
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	want := time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)
	if at := closedAt(); !at.Equal(want) {
		t.Fatalf("closed at %s, want %s", at, want)
	}
	write(t, dir, "vex.json", `{"@context": "https://openvex.dev/ns", "statements": [{"vulner`)
	if at := closedAt(); !at.Equal(want) {
		t.Errorf("a damaged document reopened the finding (closed at %s)", at)
	}
	if err := os.Remove(vex); err != nil {
		t.Fatal(err)
	}
	if at := closedAt(); !at.IsZero() {
		t.Errorf("without the document the finding is open, got closed at %s", at)
	}
}

// TestVEXInCycloneDX applies a CycloneDX document to the report above: one that lists no components speaks for all that it names, a bill of materials for its
// own product alone.
func TestVEXInCycloneDX(t *testing.T) {
	const components = `"components": [{"bom-ref": "y", "name": "y", "purl": "pkg:golang/github.com/x/y@v1.0.0"}],`
	const image, other = `"metadata": {"component": {"type": "container", "name": "registry:5000/acme/api:1.2"}},`, `"metadata": {"component": {"type": "container", "name": "acme/other"}},`
	judged := func(id, ref, analysis string) string {
		return `"vulnerabilities": [{"id": "` + id + `", "affects": [{"ref": "` + ref + `"}], ` + analysis + `}]`
	}
	const notAffected = `"analysis": {"state": "not_affected", "lastUpdated": "2026-01-05T00:00:00Z", "firstIssued": "2026-01-01T00:00:00Z"}`
	for name, tt := range map[string]struct {
		document string
		bash, y  record.Closure
	}{
		"package":              {judged("CVE-2026-2222", "pkg:golang/github.com/x/y@v1.0.0", notAffected), "", "false_positive"},
		"link to a document":   {judged("CVE-2026-2222", "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#pkg:golang/github.com/x/y@v1.0.0", notAffected), "", "false_positive"},
		"alias":                {judged("GHSA-aaaa-bbbb-cccc", "pkg:golang/github.com/x/y", notAffected), "", "false_positive"},
		"other version":        {judged("CVE-2026-2222", "pkg:golang/github.com/x/y@v2.0.0", notAffected), "", ""},
		"exploitable":          {judged("CVE-2026-2222", "pkg:golang/github.com/x/y", `"analysis": {"state": "exploitable"}`), "", ""},
		"in triage":            {judged("CVE-2026-2222", "pkg:golang/github.com/x/y", `"analysis": {"state": "in_triage"}`), "", ""},
		"resolved":             {judged("CVE-2026-1111", "pkg:deb/debian/bash@5", `"analysis": {"state": "resolved"}`), "fixed", ""},
		"the whole repository": {judged("CVE-2026-1111", "f3b0c442-98fc", notAffected), "false_positive", ""},
		"image":                {image + judged("CVE-2026-2222", "pkg:golang/github.com/x/y", notAffected), "", "false_positive"},
		"another image":        {other + judged("CVE-2026-2222", "pkg:golang/github.com/x/y", notAffected), "", ""},
		"bill of the image":    {image + components + judged("CVE-2026-2222", "y", notAffected), "", "false_positive"},
		"bill of another":      {other + components + judged("CVE-2026-2222", "y", notAffected), "", ""},
		"rejected":             {image + components + judged("CVE-2026-2222", "y", `"rejected": "2026-01-05T00:00:00Z"`), "", "false_positive"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "a.json", vulnerable)
			write(t, dir, "z.cdx.json", `{"bomFormat": "CycloneDX", `+tt.document+`}`)
			batches := collect(t, Config{Paths: []string{dir}, Repository: RepositoryConfig{Default: "acme/api"}})
			bash, y := batches["report:a.json#trivy/container"].Findings[0], batches["report:a.json#trivy/sca"].Findings[0]
			if bash.Closure != tt.bash || y.Closure != tt.y {
				t.Errorf("got bash %q and y %q, want %q and %q", bash.Closure, y.Closure, tt.bash, tt.y)
			}
			if day := y.ClosedAt.Format("2006-01-02"); tt.y == record.ClosureFalsePositive && day != "2026-01-05" {
				t.Errorf("closed on %s, want the day of the judgement", day)
			}
			if b, plain := batches["report:z.cdx.json"]; strings.Contains(tt.document, "components") == plain || len(b.Findings)+len(b.Scans) > 0 {
				t.Errorf("the document itself: got %+v; a VEX is no scan", b)
			}
		})
	}
}
