package github

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/demo/world"
)

// releaseRoutes serves releases, and what was attested of their files. In the organisation that was bought the credential may not read attestations.
func (g *gitHub) releaseRoutes() {
	g.repositoryRoute("/releases", g.releases)
	g.organisationRoute("/attestations/repositories", g.attestedRepositories)
	g.mux.HandleFunc("POST /orgs/{org}/attestations/bulk-list", g.attestations)
	g.repositoryRoute("/attestations/{digest}", g.attestation)
}

func (g *gitHub) releases(w http.ResponseWriter, r *http.Request, repository *world.Repository) {
	list := g.world.ReleasesAt(repository, g.now())
	from, to := g.numbered(w, r, repositoryBase(repository), len(list))
	items := make([]any, 0, to-from)
	for _, x := range list[from:to] {
		assets := make([]any, 0, len(x.Assets))
		for i, a := range x.Assets {
			var digest *string
			if a.Digest != "" {
				digest = &a.Digest
			}
			assets = append(assets, map[string]any{
				"id": x.ID*10 + int64(i), "name": a.Name, "label": nil, "state": "uploaded", "content_type": "application/octet-stream", "size": 1 << 20,
				"digest": digest, "created_at": answer.Stamp(x.PublishedAt), "updated_at": answer.Stamp(x.PublishedAt),
			})
		}
		items = append(items, map[string]any{
			"id": x.ID, "tag_name": x.Tag, "name": x.Tag, "target_commitish": "main", "draft": false, "prerelease": false, "immutable": x.Immutable,
			"created_at": answer.Stamp(x.PublishedAt.Add(-time.Hour)), "published_at": answer.Stamp(x.PublishedAt), "updated_at": answer.Stamp(x.PublishedAt), "assets": assets,
			"html_url": answer.WebURL + repository.FullName() + "/releases/tag/" + x.Tag, "url": fmt.Sprintf("%s/repos/%s/releases/%d", g.url, repository.FullName(), x.ID),
		})
	}
	g.answer(w, r, items)
}

// attestedBy lists the artifacts of a repository that have an attestation.
func (g *gitHub) attestedBy(repository *world.Repository) []world.Artifact {
	at := g.now().Truncate(time.Second)
	a := &g.attested
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.list == nil || !a.at.Equal(at) {
		a.at, a.list = at, map[*world.Repository][]world.Artifact{}
		for _, r := range g.world.Repositories {
			a.list[r] = g.attest(r, at)
		}
	}
	return a.list[repository]
}

// attest lists what a repository has attested at an instant.
func (g *gitHub) attest(repository *world.Repository, at time.Time) []world.Artifact {
	var list []world.Artifact
	for _, x := range g.world.ReleasesAt(repository, at) {
		list = append(list, x.Assets...)
		if x.Immutable { // GitHub attests the release itself
			list = append(list, world.Artifact{Name: x.Tag, Provenance: true})
		}
	}
	for _, workflow := range g.world.WorkflowsOf(repository) {
		for _, run := range g.world.RunsAt(repository, workflow, at) {
			if run.Artifact != nil {
				list = append(list, *run.Artifact)
			}
		}
	}
	return answer.Filter(list, func(a world.Artifact) bool { return a.Provenance || a.SBOM })
}

func (g *gitHub) attestedRepositories(w http.ResponseWriter, r *http.Request, org string) {
	if org == world.OrgLabs {
		g.forbidden("attestations=read")(w, r, org)
		return
	}
	items := []any{}
	for _, repository := range g.in(org) {
		if len(g.attestedBy(repository)) > 0 {
			items = append(items, map[string]any{"id": repository.ID, "name": repository.Name})
		}
	}
	g.answer(w, r, items)
}

// attestations answers for many digests at once, in the form of GitHub's description; what the credential may not read it leaves out without a word.
func (g *gitHub) attestations(w http.ResponseWriter, r *http.Request) {
	const limit, most = 1 << 20, 1024
	var question struct {
		Digests   []string `json:"subject_digests"`
		Predicate string   `json:"predicate_type"`
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err == nil {
		err = json.Unmarshal(body, &question)
	}
	org := strings.ToLower(r.PathValue("org"))
	switch {
	case err != nil:
		g.refuse(w, http.StatusBadRequest, "Problems parsing JSON")
		return
	case organisationIDs[org] == 0:
		g.refuse(w, http.StatusNotFound, "Not Found")
		return
	case len(question.Digests) == 0 || len(question.Digests) > most:
		g.refuse(w, http.StatusUnprocessableEntity, "Validation Failed")
		return
	}
	found := map[string]any{}
	for _, digest := range question.Digests {
		found[digest] = nil
	}
	for _, repository := range g.in(org) {
		for _, a := range g.attestedBy(repository) {
			fits := question.Predicate == "" || question.Predicate == "provenance" && a.Provenance || question.Predicate == "sbom" && a.SBOM
			if _, asked := found[a.Digest]; asked && fits && org != world.OrgLabs {
				found[a.Digest] = []any{bundleOf(repository)}
			}
		}
	}
	g.state(w, "core", 1)
	answer.WriteJSON(w, http.StatusOK, map[string]any{
		"attestations_subject_digests": found, "page_info": map[string]any{"has_next": false, "has_previous": false, "next": "", "previous": ""},
	})
}

func bundleOf(r *world.Repository) any {
	return map[string]any{"repository_id": r.ID, "bundle_url": "https://attestations.example/" + strconv.FormatInt(r.ID, 10) + ".json.sn", "initiator": "user"}
}

// attestation answers 404 where there is none, as GitHub does.
func (g *gitHub) attestation(w http.ResponseWriter, r *http.Request, repository *world.Repository) {
	switch {
	case repository.Organisation == world.OrgLabs:
		g.forbidden("attestations=read")(w, r, repository.Organisation)
	case slices.ContainsFunc(g.attestedBy(repository), func(a world.Artifact) bool { return a.Digest == r.PathValue("digest") }):
		g.answer(w, r, map[string]any{"attestations": []any{bundleOf(repository)}})
	default:
		g.refuse(w, http.StatusNotFound, "Not Found")
	}
}
