package world

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// releasesShown is how far back releases are shown.
	releasesShown = 200 * day
	// runsShown is how many runs of a workflow are shown.
	runsShown = 40
)

// Release is a version that was published, and how it was made.
type Release struct {
	ID          int64
	Repository  *Repository
	Tag         string
	Commit      string
	PublishedAt time.Time
	Immutable   bool
	Assets      []Artifact
	// Run made it; nil where somebody did by hand.
	Run *Run
}

// Artifact is a file, and which statements about it were attested.
type Artifact struct {
	Name string
	// Digest is empty where nobody computed it.
	Digest           string
	Provenance, SBOM bool
}

// Run is a run of a workflow.
type Run struct {
	ID         int64
	Workflow   Workflow
	Repository *Repository
	Commit     string
	StartedAt  time.Time
	EndedAt    time.Time
	Succeeded  bool
	// Approved says that somebody let it go on.
	Approved bool
	// Deployment is what it brought to production, nil where that is not known.
	Deployment *Deployment
	// Artifact is what it kept; nil for nothing.
	Artifact *Artifact
}

// ReleasesAt lists the releases of a repository that are shown at an instant, the newest first.
func (w *World) ReleasesAt(r *Repository, t time.Time) []*Release {
	if !r.Releases() {
		return nil
	}
	var list []*Release
	for n := weekOf(t.Add(-releasesShown)); n <= weekOf(t); n++ {
		random := w.random("release", r.FullName(), n)
		for i := range poisson(random, 0.3) {
			at := startOf(n).Add(between(random, 8*time.Hour, 6*day))
			if at.Before(r.CreatedAt) {
				continue
			}
			list = append(list, w.release(r, n, i, at))
		}
	}
	list = slices.DeleteFunc(list, func(x *Release) bool { return x.PublishedAt.After(t) })
	slices.SortFunc(list, func(a, b *Release) int { return b.PublishedAt.Compare(a.PublishedAt) })
	return list
}

// release is the i-th of a week. What comes with it follows from what the repository had taken up by then.
func (w *World) release(r *Repository, n int64, i int, at time.Time) *Release {
	practised := func(practice string) bool { return n >= w.adopted(r, practice) }
	x := &Release{
		ID: r.ID + n*10 + int64(i), Repository: r, Tag: at.Format("v2006.1.2"), Commit: hashOf(r, "commit", n, i)[:40],
		PublishedAt: at.Truncate(time.Second), Immutable: practised("immutable"),
	}
	if i > 0 {
		x.Tag += fmt.Sprintf(".%d", i)
	}
	x.Run = &Run{
		ID: r.ID*1_000_000 + n*10 + int64(i), Workflow: Workflow{File: "release.yml", Name: "Release", Releases: true}, Repository: r, Commit: x.Commit,
		StartedAt: x.PublishedAt.Add(-9 * time.Minute), EndedAt: x.PublishedAt.Add(2 * time.Minute), Succeeded: true, Approved: practised("approval"),
	}
	random := w.random("assets", r.FullName(), n*10+int64(i))
	if r.Name == "terraform-modules" || random.Float64() < 0.08 {
		x.Run = nil // by hand, and nothing but a tag
		return x
	}
	add := func(name string) {
		a := Artifact{Name: name, Provenance: practised("provenance") && random.Float64() < 0.97}
		if !x.PublishedAt.Before(digestsSince) {
			a.Digest = "sha256:" + hashOf(r, name, n, i)
		}
		a.SBOM = a.Provenance && r.Index%2 == 0
		x.Assets = append(x.Assets, a)
	}
	for _, platform := range []string{"linux-amd64", "darwin-arm64"} {
		add(r.Name + "-" + strings.TrimPrefix(x.Tag, "v") + "-" + platform + ".tar.gz")
		if r.Purpose == PurposeLibrary {
			break
		}
	}
	side := func(name string) {
		x.Assets = append(x.Assets, Artifact{Name: name, Digest: "sha256:" + hashOf(r, name, n, i)})
	}
	side("checksums.txt")
	if practised("sbom") {
		side(r.Name + ".spdx.json")
	}
	if practised("signature") {
		side("checksums.txt.sig")
	}
	return x
}

func hashOf(r *Repository, what string, n int64, i int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%s/%d/%d", r.FullName(), what, n, i))
	return hex.EncodeToString(sum[:])
}

// RunsAt lists the runs of a workflow that are over at an instant, the newest first: those that made releases, or those that deployed.
func (w *World) RunsAt(r *Repository, workflow Workflow, t time.Time) []*Run {
	var list []*Run
	switch {
	case workflow.Releases:
		for _, x := range w.ReleasesAt(r, t) {
			if x.Run != nil && !x.Run.EndedAt.After(t) {
				list = append(list, x.Run)
			}
		}
	case workflow.Deploys && r.deploysItself():
		for _, d := range slices.Backward(w.DeploymentsAt(r, t)) {
			if run := w.RunOf(d, workflow); d.Environment == "production" && !run.EndedAt.IsZero() && len(list) < runsShown {
				list = append(list, run)
			}
		}
	case workflow.Deploys:
		rhythm := time.Duration(12+r.Index%60) * time.Hour
		for n := int64(t.Sub(epoch) / rhythm); n >= 0 && len(list) < runsShown; n-- {
			if run := w.deployRun(r, workflow, n, rhythm); !run.EndedAt.After(t) {
				list = append(list, run)
			}
		}
	}
	return list[:min(len(list), runsShown)]
}

// deployRun is the n-th run of the workflow that deploys a repository. Every eleventh fails, and in some repositories all do for weeks, until somebody looks.
func (w *World) deployRun(r *Repository, workflow Workflow, n int64, rhythm time.Duration) *Run {
	started := epoch.Add(time.Duration(n) * rhythm).Add(time.Duration(r.Index) * time.Minute)
	run := &Run{
		ID: r.ID*1_000_000 + 500_000 + n, Workflow: workflow, Repository: r, Commit: hashOf(r, "deployed", n, 0)[:40],
		StartedAt: started, EndedAt: started.Add(11 * time.Minute), Succeeded: n%11 != 4 && (r.Index%17 != 5 || weekOf(started)%13 > 3),
	}
	for _, e := range r.Environments {
		run.Approved = run.Approved || e.Reviewers > 0
	}
	run.Artifact = w.image(r, hashOf(r, "image", n, 0), started)
	return run
}

// RunOf is the run of a workflow that made a deployment; it ends when that does.
func (w *World) RunOf(d *Deployment, workflow Workflow) *Run {
	return &Run{
		ID: d.Run, Workflow: workflow, Repository: d.Repository, Commit: d.Commit, StartedAt: d.CreatedAt, EndedAt: d.EndedAt(), Succeeded: d.Succeeded(),
		Approved: d.Approver != "", Deployment: d, Artifact: w.image(d.Repository, hashOf(d.Repository, "image of "+d.Commit, 0, 0), d.CreatedAt),
	}
}

// image is what a run that deploys keeps; nil where nothing is built.
func (w *World) image(r *Repository, digest string, at time.Time) *Artifact {
	if r.Purpose != PurposeApplication {
		return nil
	}
	image := &Artifact{Name: "image.tar", Digest: "sha256:" + digest, Provenance: weekOf(at) >= w.adopted(r, "provenance")}
	image.SBOM = image.Provenance && weekOf(at) >= w.adopted(r, "sbom")
	return image
}
