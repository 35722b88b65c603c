package github

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

func answers(provenance, sbom, signature, approval record.Answer) map[record.EvidenceKind]record.Answer {
	return map[record.EvidenceKind]record.Answer{
		record.EvidenceProvenance: provenance, record.EvidenceSBOM: sbom, record.EvidenceSignature: signature, record.EvidenceApproval: approval,
	}
}

func TestReleases(t *testing.T) {
	batches, _, s, _ := released(t, nil, nil)
	b := batches["releases:acme"]
	if b.Err != nil || len(b.Releases) != 2 {
		t.Fatalf("batch %+v, want the two releases that are neither drafts nor old", b)
	}
	type fact struct {
		ID, Version, Permission string
		Evidence                map[record.EvidenceKind]record.Answer
	}
	var got []fact
	for _, r := range b.Releases {
		got = append(got, fact{r.ID, r.Version, r.MissingPermission, r.Evidence})
	}
	want := []fact{
		{"acme/api#2", "v2.0", "", answers(yes, yes, yes, yes)},
		// Its run is not among those of its commit.
		{"acme/api#1", "v1.0", "", answers(no, no, no, unknown)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("releases (-want +got):\n%s", diff)
	}
	if b.Rejected[record.RejectNoID] != 1 {
		t.Errorf("rejected %v, want the release without number", b.Rejected)
	}
	for _, r := range s.Requests() {
		if r.Path == "/repos/Acme/web/releases" {
			t.Error("releases of a repository whose last one is old were read")
		}
	}
}

// TestAttestationsThatCannotBeSeen: what is not listed is missing only where it would be listed.
func TestAttestationsThatCannotBeSeen(t *testing.T) {
	forbidden := refused(http.StatusForbidden, "Resource not accessible by integration")
	coverage, single := "GET /orgs/acme/attestations/repositories", "GET /repos/Acme/api/attestations/{digest}"
	others := collectorstest.Items(`{"id":2,"name":"other"}`)
	tests := []struct {
		name       string
		alter      func(*collectorstest.Server)
		want       map[record.EvidenceKind]record.Answer // of the release whose artifact is not attested
		permission string
	}{
		{"the repository has attestations", func(*collectorstest.Server) {}, answers(no, no, no, unknown), ""},
		{"the list is forbidden", func(s *collectorstest.Server) { s.Handle(coverage, forbidden) }, answers(unknown, unknown, no, unknown), attestationsPermission},
		{"the list is hidden", func(s *collectorstest.Server) { s.Handle(coverage, refused(404, "Not Found")) }, answers(unknown, unknown, no, unknown), attestationsPermission},
		{"the repository has none", func(s *collectorstest.Server) {
			s.JSON(coverage, others)
			s.Handle(single, refused(http.StatusNotFound, "Not Found"))
		}, answers(no, no, no, unknown), ""},
		{"the repository has none of this artifact", func(s *collectorstest.Server) {
			s.JSON(coverage, others)
			s.JSON(single, `{"attestations":[]}`)
		}, answers(no, no, no, unknown), ""},
		{"the repository is hidden", func(s *collectorstest.Server) {
			s.JSON(coverage, others)
			s.Handle(single, forbidden)
		}, answers(unknown, unknown, no, unknown), attestationsPermission},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			batches, _, _, _ := released(t, nil, tt.alter)
			b := batches["releases:acme"]
			if b.Err != nil || len(b.Releases) != 2 {
				t.Fatalf("batch %+v", b)
			}
			if diff := cmp.Diff(tt.want, b.Releases[1].Evidence); diff != "" || b.Releases[1].MissingPermission != tt.permission {
				t.Errorf("permission %q, want %q; evidence (-want +got):\n%s", b.Releases[1].MissingPermission, tt.permission, diff)
			}
		})
	}
}

func TestEnterpriseServerHasNoAttestations(t *testing.T) {
	s := collectorstest.NewServer(t)
	cfg := trustOn(config(s.URL()+"/api/v3", collectorstest.Secret(t, "token-of-ghes")))
	c, err := New(cfg, collectorstest.Env(collectorstest.NewClock(), discard()))
	if err != nil {
		t.Fatal(err)
	}
	digest := digestOf(1)
	p := &published{release: release{Assets: []asset{{"app.zip", &digest}}}, repository: head{name: "acme/api", fullName: "Acme/api"}}
	if err := c.findEvidence(t.Context(), "acme", []*published{p}); err != nil {
		t.Fatal(err)
	}
	want := answers(unknown, unknown, no, unknown)
	if diff := cmp.Diff(want, p.evidence); diff != "" || p.permission != "" {
		t.Errorf("permission %q, want none: the feature is off; evidence (-want +got):\n%s", p.permission, diff)
	}
}

func TestEvidenceOfFiles(t *testing.T) {
	const app = "app.tar.gz"
	d1, d2 := digestOf(1), digestOf(2)
	tests := []struct {
		name   string
		assets []asset
		more   func(*release)
		want   map[record.EvidenceKind]record.Answer
	}{
		{"nothing", nil, nil, answers(unknown, unknown, unknown, unknown)},
		{"an immutable tag", nil, func(r *release) { r.Immutable = true }, answers(unknown, unknown, yes, unknown)},
		{"attested", []asset{{app, &d1}}, nil, answers(yes, no, no, unknown)},
		{"one of two is attested", []asset{{app, &d1}, {"app.zip", &d2}}, nil, answers(no, no, no, unknown)},
		{"one of two has no digest", []asset{{app, &d1}, {"app.zip", nil}}, nil, answers(unknown, unknown, no, unknown)},
		{"none has a digest", []asset{{app, nil}}, nil, answers(unknown, unknown, no, unknown)},
		{"checksums need no attestation", []asset{{app, &d1}, {"checksums.txt", &d2}}, nil, answers(yes, no, no, unknown)},
		{"provenance as a file", []asset{{app, &d2}, {"multiple.intoto.jsonl", nil}}, nil, answers(yes, no, no, unknown)},
		{"an SBOM as a file", []asset{{app, &d2}, {"app.cdx.json", nil}}, nil, answers(no, yes, no, unknown)},
		{"a signed SBOM is signed", []asset{{"sbom.spdx.json.sig", nil}}, nil, answers(unknown, unknown, yes, unknown)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := collectorstest.NewServer(t)
			s.JSON("GET /orgs/acme/attestations/repositories", collectorstest.Items(`{"id":1,"name":"API"}`))
			s.Handle("POST /orgs/acme/attestations/bulk-list", bulk(true, map[string][]int{"provenance": {1}}))
			c, err := New(trustOn(config(s.URL(), collectorstest.Secret(t, "token"))), collectorstest.Env(collectorstest.NewClock(), discard()))
			if err != nil {
				t.Fatal(err)
			}
			p := &published{release: release{Assets: tt.assets}, repository: head{name: "acme/api", fullName: "Acme/api"}}
			if tt.more != nil {
				tt.more(&p.release)
			}
			if err := c.findEvidence(context.Background(), "acme", []*published{p}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, p.evidence); diff != "" {
				t.Errorf("evidence (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRolesOfFiles(t *testing.T) {
	for name, want := range map[string]assetRole{
		"app-1.2.tar.gz": assetArtifact, "app.exe": assetArtifact, "spdx-viewer.tar.gz": assetArtifact, "bomber.json": assetArtifact, "bundle.js": assetArtifact,
		"app.tar.gz.asc": assetSignature, "app.sigstore.json": assetSignature, "cosign.pem": assetSignature, "SBOM.SPDX.JSON.sig": assetSignature, "app.cosign.bundle": assetSignature,
		"sbom.json": assetSBOM, "app-sbom.cyclonedx.xml": assetSBOM, "bom.xml": assetSBOM, "app.spdx": assetSBOM, "app_1.2_linux.sbom.json": assetSBOM, "app.cdx.json": assetSBOM,
		"multiple.intoto.jsonl": assetProvenance, "provenance.json": assetProvenance, "app.zip.provenance": assetProvenance,
		"SHA256SUMS": assetChecksum, "checksums.txt": assetChecksum, "app.zip.sha256": assetChecksum, "app_checksums.txt": assetChecksum, "app.md5": assetChecksum,
	} {
		if got := roleOf(name); got != want {
			t.Errorf("roleOf(%q) = %q, want %q", name, got, want)
		}
	}
}

// TestBulkAttestationsInPages: both forms of the answer, further pages, and more digests than may be asked about at once.
func TestBulkAttestationsInPages(t *testing.T) {
	s := collectorstest.NewServer(t)
	var sizes []int
	s.Handle("POST /orgs/acme/attestations/bulk-list", func(w http.ResponseWriter, r *http.Request) {
		var question struct {
			Digests   []string `json:"subject_digests"`
			Predicate string   `json:"predicate_type"`
		}
		if err := json.NewDecoder(r.Body).Decode(&question); err != nil {
			t.Error(err)
		}
		if question.Predicate != "provenance" {
			collectorstest.WriteJSON(w, `{"attestations_subject_digests":{},"page_info":{}}`)
			return
		}
		if r.URL.Query().Get("after") == "" {
			sizes = append(sizes, len(question.Digests))
			collectorstest.WriteJSON(w, fmt.Sprintf(`{"attestations_subject_digests":[{%q:[{"repository_id":1}]},{%q:null}],"page_info":{"has_next":true,"next":"p2"}}`, digestOf(1), digestOf(2)))
			return
		}
		collectorstest.WriteJSON(w, fmt.Sprintf(`{"attestations_subject_digests":{%q:[{}],%q:[]},"page_info":{"has_next":false}}`, digestOf(3), digestOf(4)))
	})
	c, err := New(config(s.URL(), collectorstest.Secret(t, "token")), collectorstest.Env(collectorstest.NewClock(), discard()))
	if err != nil {
		t.Fatal(err)
	}
	var digests []string
	for i := range 1500 {
		digests = append(digests, digestOf(i))
	}
	found, err := c.attestations(t.Context(), "acme", digests, predicates()...)
	if err != nil {
		t.Fatal(err)
	}
	want := map[predicate]map[string]bool{"provenance": {digestOf(1): true, digestOf(3): true}, "sbom": {}, "release": {}}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("attestations (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{1024, 476}, sizes); diff != "" {
		t.Errorf("digests in a question (-want +got):\n%s", diff)
	}
}

// TestReleasesAreReadOnce: a later reading asks only for what is new, and tells of it as changes.
func TestReleasesAreReadOnce(t *testing.T) {
	batches, c, s, clock := released(t, nil, nil)
	cursors := collectors.Cursors{}
	for scope, b := range batches {
		cursors[scope] = b.Cursor
	}
	later := func(d time.Duration) record.Batch {
		t.Helper()
		s.Forget()
		if err := clock.Sleep(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		batches, err := collectorstest.Gather(t.Context(), c, cursors)
		if err != nil {
			t.Fatal(err)
		}
		cursors["releases:acme"] = batches["releases:acme"].Cursor
		return batches["releases:acme"]
	}
	requests := func() (n int) {
		for _, r := range s.Requests() {
			if strings.HasSuffix(r.Path, "/releases") || strings.HasSuffix(r.Path, "/actions/runs") {
				n++
			}
		}
		return n
	}
	b := later(2 * time.Hour)
	if b.Err != nil || b.Mode != record.Delta || len(b.Releases) != 0 || requests() != 0 {
		t.Errorf("%s batch of %d releases by %d requests two hours later (%v), want a delta of none by none", b.Mode, len(b.Releases), requests(), b.Err)
	}
	s.JSON("GET /repos/Acme/api/releases", collectorstest.Items(
		releaseJSON(4, "v3.0", ago(-3*time.Hour), ""), releaseJSON(2, "v2.0", ago(2*day), "", assetJSON("app.tar.gz", digestOf(1)))))
	s.Handle("POST /graphql", byQueryAnd(graphQLPages(nodeJSON("api", bareRef)), map[string]http.HandlerFunc{
		"query Releases(": graphQLPages(releasingNode("api", releasedAt(4, ago(-3*time.Hour), "c4"), releasedAt(2, ago(2*day), "c2"))),
	}))
	b = later(2 * time.Hour)
	if b.Err != nil || b.Mode != record.Delta || len(b.Releases) != 1 || b.Releases[0].Version != "v3.0" {
		t.Errorf("batch %+v after a release, want a delta of it", b)
	}
	delete(cursors, "releases:acme")
	if b = later(time.Hour); b.Mode != record.Full || len(b.Releases) != 2 {
		t.Errorf("batch %+v of a whole reading, want both releases that are left", b)
	}
}

func TestDependencyGraphCountsWhereConfigured(t *testing.T) {
	for _, tt := range []struct {
		name string
		on   bool
		code int
		body string
		want record.Answer
	}{
		{"off", false, 200, `{"sbom":{"packages":[{}]}}`, no},
		{"on", true, 200, `{"sbom":{"packages":[{}]}}`, yes},
		{"on, nothing in it", true, 200, `{"sbom":{"packages":[]}}`, no},
		{"on, hidden", true, 404, `{"message":"Not Found"}`, unknown},
		{"on, the feature is off", true, 403, `{"message":"Dependency graph is not enabled for this repository"}`, no},
	} {
		t.Run(tt.name, func(t *testing.T) {
			batches, _, _, _ := released(t, func(c *Config) { c.DependencyGraphSBOM = tt.on }, func(s *collectorstest.Server) {
				s.Handle("GET /repos/Acme/api/dependency-graph/sbom", func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(tt.code)
					collectorstest.WriteJSON(w, tt.body)
				})
			})
			b := batches["releases:acme"]
			if b.Err != nil || len(b.Releases) != 2 {
				t.Fatalf("%+v", b)
			}
			if got := b.Releases[1].Evidence[record.EvidenceSBOM]; got != tt.want {
				t.Errorf("SBOM is %q, want %q", got, tt.want)
			}
		})
	}
}

// TestApprovalsAreFoundOnce: a reading that is cut short keeps what it found, and a later one asks for nothing twice.
func TestApprovalsAreFoundOnce(t *testing.T) {
	_, c, s, _ := released(t, nil, nil)
	asked := func() (n int) {
		s.Forget()
		if batches, err := collectorstest.Gather(t.Context(), c, nil); err != nil || batches["releases:acme"].Err != nil {
			t.Fatal(err, batches["releases:acme"].Err)
		}
		for _, r := range s.Requests() {
			if r.Path == "/repos/Acme/api/actions/runs" {
				n++
			}
		}
		return n
	}
	if n := asked(); n != 0 {
		t.Errorf("%d requests for runs of releases whose approval is known, or cannot become known any more", n)
	}
	c.remember("acme", func(o *organisation) { delete(o.approvals, "acme/api#2"); o.approvals["acme/api#99"] = yes })
	if n := asked(); n != 1 {
		t.Errorf("%d requests for runs of the one release that nothing is known about, want 1", n)
	}
	if _, known := c.knownApproval("acme", &published{release: release{ID: 99}, repository: head{name: "acme/api"}}); known {
		t.Error("the approval of a release that is gone is still kept")
	}
}
