package gitlab

import (
	"context"
	"fmt"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// posture is what is known of one project while it is read.
type posture struct {
	*project
	repository record.Repository
	batch      *record.Batch
	// merged is the pipeline configuration with everything it includes, empty if it could not be read.
	merged string
	around *surroundings
}

// readPosture reads how a project is protected, scanned and built. What the credential may not see, or the tier lacks, is unknown and names the permission; anything else
// that fails leaves the scope as it was.
func (c *Collector) readPosture(ctx context.Context, p *project, around *surroundings) record.Batch {
	b := record.Batch{
		Scope: p.scope(scopeProject), Mode: record.Full, Scans: []record.Scan{}, Pipelines: []record.Pipeline{}, CloudIdentities: []record.CloudIdentity{},
		Cursor: record.CursorAt(c.now()),
	}
	is := &posture{project: p, repository: record.Repository{Name: p.name}, batch: &b, around: around}
	for _, part := range []struct {
		what string
		read func(context.Context, *posture) error
	}{
		{"branches", c.readBranches},
		{"environments", c.readEnvironments},
		{"scanners", c.readScans},
		{"pipeline configuration", c.readConfiguration},
		{"pipelines", c.readPipelines},
		{"variables", c.readVariables},
	} {
		if err := part.read(ctx, is); err != nil {
			return translate.Failed(b.Scope, fmt.Errorf("read the %s of project %s: %w", part.what, p.Path, err))
		}
	}
	b.Repositories = []record.Repository{is.repository}
	return b
}
