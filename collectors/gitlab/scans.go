package gitlab

import (
	"context"
	"maps"
	"slices"
	"strings"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// scannersQuery asks which scanners a project has, and what the last successful pipeline of its default branch scanned.
const scannersQuery = `query($project:ID!,$ref:String!){project(fullPath:$project){securityScanners{available enabled}
 pipelines(first:1,ref:$ref,status:SUCCESS){nodes{finishedAt securityReportSummary{
  sast{scans{nodes{status}}} dependencyScanning{scans{nodes{status}}} containerScanning{scans{nodes{status}}} secretDetection{scans{nodes{status}}} dast{scans{nodes{status}}}}}}}}`

// section is one class of scan in a pipeline; nil where the pipeline has none.
type section struct {
	Scans struct {
		Nodes []struct {
			Status string `json:"status"`
		} `json:"nodes"`
	} `json:"scans"`
}

// succeeded reports whether every scan of the section succeeded.
func (s *section) succeeded() bool {
	for _, n := range s.Scans.Nodes {
		if !strings.EqualFold(n.Status, "succeeded") {
			return false
		}
	}
	return len(s.Scans.Nodes) > 0
}

type scannersAnswer struct {
	Project *struct {
		Scanners *struct {
			Enabled []string `json:"enabled"`
		} `json:"securityScanners"`
		Pipelines struct {
			Nodes []struct {
				FinishedAt translate.Time      `json:"finishedAt"`
				Summary    map[string]*section `json:"securityReportSummary"`
			} `json:"nodes"`
		} `json:"pipelines"`
	} `json:"project"`
}

// scanKinds are GitLab's scanners by the name of their section; the words of securityScanners are the same in capitals.
var scanKinds = map[string]struct {
	scanner string
	class   record.Class
}{
	"sast": {"SAST", record.ClassSAST}, "dependencyScanning": {"DEPENDENCY_SCANNING", record.ClassSCA}, "containerScanning": {"CONTAINER_SCANNING", record.ClassContainer},
	"secretDetection": {"SECRET_DETECTION", record.ClassSecret}, "dast": {"DAST", record.ClassDAST},
}

// readScans reads when GitLab's own scanners last looked at the default branch.
func (c *Collector) readScans(ctx context.Context, p *posture) error {
	if p.DefaultBranch == "" {
		return nil
	}
	var answer scannersAnswer
	err := c.api.query(ctx, scannersQuery, map[string]any{"project": p.Path, "ref": p.DefaultBranch}, &answer)
	switch {
	case unread(err) || missingField(err) != "":
		return nil // nothing is said of scans
	case err != nil:
		return err
	case answer.Project == nil || answer.Project.Scanners == nil:
		return nil
	}
	p.repository.Scanners = map[record.Class]record.Answer{}
	for _, name := range slices.Sorted(maps.Keys(scanKinds)) {
		kind := scanKinds[name]
		enabled := record.AnswerOf(slices.Contains(answer.Project.Scanners.Enabled, kind.scanner))
		p.repository.Scanners[kind.class] = enabled
		s := record.Scan{Tool: "gitlab-" + strings.ReplaceAll(strings.ToLower(kind.scanner), "_", "-"), Class: kind.class, Repository: p.name, Enabled: enabled}
		for _, run := range answer.Project.Pipelines.Nodes {
			if section := run.Summary[name]; section != nil {
				s.AttemptedAt = run.FinishedAt.Time
				if section.succeeded() {
					s.SucceededAt = run.FinishedAt.Time
				}
			}
		}
		p.batch.Scans = append(p.batch.Scans, s)
	}
	return nil
}
