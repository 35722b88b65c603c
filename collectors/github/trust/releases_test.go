package trust_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/collectors/github/trust"
	"prodsec_exporter/internal/record"
)

// alone makes the part before an address, with all that it reads.
func alone(t *testing.T, address string) *trust.Collector {
	env := githubtest.EnvAt(t, address)
	config := trust.Default()
	config.RepositoryRunners = true
	return trust.New(config, env, inventory.New(inventory.Default(), env))
}

func answers(provenance, sbom, signature, approval record.Answer) map[record.EvidenceKind]record.Answer {
	return map[record.EvidenceKind]record.Answer{
		record.EvidenceProvenance: provenance, record.EvidenceSBOM: sbom, record.EvidenceSignature: signature, record.EvidenceApproval: approval,
	}
}

func TestReleases(t *testing.T) {
	batches, _, s, _ := githubtest.Released(t, nil, nil)
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
		{"acme/api#2", "v2.0", "", answers(githubtest.Yes, githubtest.Yes, githubtest.Yes, githubtest.Yes)},
		// Its run is not among those of its commit.
		{"acme/api#1", "v1.0", "", answers(githubtest.No, githubtest.No, githubtest.No, githubtest.Unknown)},
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
	forbidden := githubtest.Refused(http.StatusForbidden, "Resource not accessible by integration")
	coverage, single := "GET /orgs/acme/attestations/repositories", "GET /repos/Acme/api/attestations/{digest}"
	others := collectorstest.Items(`{"id":2,"name":"other"}`)
	tests := []struct {
		name       string
		alter      func(*collectorstest.Server)
		want       map[record.EvidenceKind]record.Answer // of the release whose artifact is not attested
		permission string
	}{
		{"the repository has attestations", func(*collectorstest.Server) {}, answers(githubtest.No, githubtest.No, githubtest.No, githubtest.Unknown), ""},
		{"the list is forbidden", func(s *collectorstest.Server) { s.Handle(coverage, forbidden) }, answers(githubtest.Unknown, githubtest.Unknown, githubtest.No, githubtest.Unknown), "attestations=read"},
		{"the list is hidden", func(s *collectorstest.Server) { s.Handle(coverage, githubtest.Refused(404, "Not Found")) }, answers(githubtest.Unknown, githubtest.Unknown, githubtest.No, githubtest.Unknown), "attestations=read"},
		{"the repository has none", func(s *collectorstest.Server) {
			s.JSON(coverage, others)
			s.Handle(single, githubtest.Refused(http.StatusNotFound, "Not Found"))
		}, answers(githubtest.No, githubtest.No, githubtest.No, githubtest.Unknown), ""},
		{"the repository has none of this artifact", func(s *collectorstest.Server) {
			s.JSON(coverage, others)
			s.JSON(single, `{"attestations":[]}`)
		}, answers(githubtest.No, githubtest.No, githubtest.No, githubtest.Unknown), ""},
		{"the repository is hidden", func(s *collectorstest.Server) {
			s.JSON(coverage, others)
			s.Handle(single, forbidden)
		}, answers(githubtest.Unknown, githubtest.Unknown, githubtest.No, githubtest.Unknown), "attestations=read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			batches, _, _, _ := githubtest.Released(t, nil, tt.alter)
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
	digest := githubtest.DigestOf(1)
	got, permission, err := alone(t, s.URL()+"/api/v3").EvidenceOf(t.Context(), []trust.File{{Name: "app.zip", Digest: &digest}}, false)
	if err != nil {
		t.Fatal(err)
	}
	want := answers(githubtest.Unknown, githubtest.Unknown, githubtest.No, githubtest.Unknown)
	if diff := cmp.Diff(want, got); diff != "" || permission != "" {
		t.Errorf("permission %q, want none: the feature is off; evidence (-want +got):\n%s", permission, diff)
	}
}

func TestEvidenceOfFiles(t *testing.T) {
	const app = "app.tar.gz"
	d1, d2 := githubtest.DigestOf(1), githubtest.DigestOf(2)
	tests := []struct {
		name      string
		assets    []trust.File
		immutable bool
		want      map[record.EvidenceKind]record.Answer
	}{
		{"nothing", nil, false, answers(githubtest.Unknown, githubtest.Unknown, githubtest.Unknown, githubtest.Unknown)},
		{"an immutable tag", nil, true, answers(githubtest.Unknown, githubtest.Unknown, githubtest.Yes, githubtest.Unknown)},
		{"attested", []trust.File{{Name: app, Digest: &d1}}, false, answers(githubtest.Yes, githubtest.No, githubtest.No, githubtest.Unknown)},
		{"one of two is attested", []trust.File{{Name: app, Digest: &d1}, {Name: "app.zip", Digest: &d2}}, false, answers(githubtest.No, githubtest.No, githubtest.No, githubtest.Unknown)},
		{"one of two has no digest", []trust.File{{Name: app, Digest: &d1}, {Name: "app.zip", Digest: nil}}, false, answers(githubtest.Unknown, githubtest.Unknown, githubtest.No, githubtest.Unknown)},
		{"none has a digest", []trust.File{{Name: app, Digest: nil}}, false, answers(githubtest.Unknown, githubtest.Unknown, githubtest.No, githubtest.Unknown)},
		{"checksums need no attestation", []trust.File{{Name: app, Digest: &d1}, {Name: "checksums.txt", Digest: &d2}}, false, answers(githubtest.Yes, githubtest.No, githubtest.No, githubtest.Unknown)},
		{"provenance as a file", []trust.File{{Name: app, Digest: &d2}, {Name: "multiple.intoto.jsonl", Digest: nil}}, false, answers(githubtest.Yes, githubtest.No, githubtest.No, githubtest.Unknown)},
		{"an SBOM as a file", []trust.File{{Name: app, Digest: &d2}, {Name: "app.cdx.json", Digest: nil}}, false, answers(githubtest.No, githubtest.Yes, githubtest.No, githubtest.Unknown)},
		{"a signed SBOM is signed", []trust.File{{Name: "sbom.spdx.json.sig", Digest: nil}}, false, answers(githubtest.Unknown, githubtest.Unknown, githubtest.Yes, githubtest.Unknown)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := collectorstest.NewServer(t)
			s.JSON("GET /orgs/acme/attestations/repositories", collectorstest.Items(`{"id":1,"name":"API"}`))
			s.Handle("POST /orgs/acme/attestations/bulk-list", githubtest.Bulk(true, map[string][]int{"provenance": {1}}))
			got, _, err := alone(t, s.URL()).EvidenceOf(t.Context(), tt.assets, tt.immutable)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("evidence (-want +got):\n%s", diff)
			}
		})
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
			collectorstest.WriteJSON(w, fmt.Sprintf(`{"attestations_subject_digests":[{%q:[{"repository_id":1}]},{%q:null}],"page_info":{"has_next":true,"next":"p2"}}`, githubtest.DigestOf(1), githubtest.DigestOf(2)))
			return
		}
		collectorstest.WriteJSON(w, fmt.Sprintf(`{"attestations_subject_digests":{%q:[{}],%q:[]},"page_info":{"has_next":false}}`, githubtest.DigestOf(3), githubtest.DigestOf(4)))
	})
	var digests []string
	for i := range 1500 {
		digests = append(digests, githubtest.DigestOf(i))
	}
	found, err := alone(t, s.URL()).Attestations(t.Context(), digests)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]bool{"provenance": {githubtest.DigestOf(1): true, githubtest.DigestOf(3): true}, "sbom": {}, "release": {}}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("attestations (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{1024, 476}, sizes); diff != "" {
		t.Errorf("digests in a question (-want +got):\n%s", diff)
	}
}

// TestReleasesAreReadOnce: a later reading asks only for what is new, and tells of it as changes.
func TestReleasesAreReadOnce(t *testing.T) {
	batches, c, s, clock := githubtest.Released(t, nil, nil)
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
		githubtest.ReleaseJSON(4, "v3.0", githubtest.Ago(-3*time.Hour), ""), githubtest.ReleaseJSON(2, "v2.0", githubtest.Ago(2*githubtest.Day), "", githubtest.AssetJSON("app.tar.gz", githubtest.DigestOf(1)))))
	s.Handle("POST /graphql", githubtest.ByQueryAnd(githubtest.Pages(githubtest.ProtectionNode("api", githubtest.BareRef)), map[string]http.HandlerFunc{
		"query Releases(": githubtest.Pages(githubtest.ReleasingNode("api", githubtest.ReleasedAt(4, githubtest.Ago(-3*time.Hour), "c4"), githubtest.ReleasedAt(2, githubtest.Ago(2*githubtest.Day), "c2"))),
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
		{"off", false, 200, `{"sbom":{"packages":[{}]}}`, githubtest.No},
		{"on", true, 200, `{"sbom":{"packages":[{}]}}`, githubtest.Yes},
		{"on, nothing in it", true, 200, `{"sbom":{"packages":[]}}`, githubtest.No},
		{"on, hidden", true, 404, `{"message":"Not Found"}`, githubtest.Unknown},
		{"on, the feature is off", true, 403, `{"message":"Dependency graph is not enabled for this repository"}`, githubtest.No},
	} {
		t.Run(tt.name, func(t *testing.T) {
			batches, _, _, _ := githubtest.Released(t, func(c *github.Config) { c.Trust.DependencyGraphSBOM = tt.on }, func(s *collectorstest.Server) {
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
	s := collectorstest.NewServer(t)
	githubtest.ServePosture(s)
	githubtest.ServeTrust(s)
	c := alone(t, s.URL())
	release := func(number string) string { return "acme/api#" + number }
	asked := func() (n int) {
		s.Forget()
		if b := c.ReadReleases(t.Context()); b.Err != nil {
			t.Fatal(b.Err)
		}
		for _, r := range s.Requests() {
			if r.Path == "/repos/Acme/api/actions/runs" {
				n++
			}
		}
		return n
	}
	asked()
	if n := asked(); n != 0 {
		t.Errorf("%d requests for runs of releases whose approval is known, or cannot become known any more", n)
	}
	c.ReplaceApproval(release("2"), release("99"))
	if n := asked(); n != 1 {
		t.Errorf("%d requests for runs of the one release that nothing is known about, want 1", n)
	}
	if c.KnowsApproval(release("99")) {
		t.Error("the approval of a release that is gone is still kept")
	}
}
