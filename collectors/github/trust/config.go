package trust

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"prodsec_exporter/collectors"
)

// Config is the part of the configuration about building and releasing.
type Config struct {
	// Releases switches releases and their evidence, ReleaseHistory is how far back they are read, Attestations whether GitHub is asked for attestations of their files, and
	// DependencyGraphSBOM whether the SBOM that GitHub makes of a repository as it is now counts as that of its releases.
	Releases            bool                `yaml:"releases"`
	ReleaseHistory      collectors.Duration `yaml:"release_history,omitempty"`
	Attestations        bool                `yaml:"attestations"`
	DependencyGraphSBOM bool                `yaml:"dependency_graph_sbom"`
	// Pipelines switches the runs of workflows that publish or deploy. PipelinePatterns are glob patterns of their names and paths; workflows of which a job deploys to an
	// environment are looked at in any case.
	Pipelines        bool     `yaml:"pipelines"`
	PipelinePatterns []string `yaml:"pipeline_patterns,omitempty"`
	// Actions switches which actions may run and what their token may do; it needs the list of repositories.
	Actions bool `yaml:"actions"`
	// CloudIdentity switches how pipelines prove who they are to a cloud.
	CloudIdentity bool `yaml:"cloud_identity"`
	// Runners are the self-hosted runners of organisations, RepositoryRunners those of single repositories, which are asked of each repository and are off
	// by default: few are registered there, and most organisations forbid it.
	Runners           bool `yaml:"runners"`
	RepositoryRunners bool `yaml:"repository_runners"`
}

// Default reads everything but the SBOMs of dependency graphs and the runners of single repositories.
func Default() Config {
	const day = 24 * time.Hour
	return Config{
		Releases: true, ReleaseHistory: collectors.Duration(90 * day), Attestations: true, Pipelines: true, CloudIdentity: true, Runners: true, Actions: true,
		PipelinePatterns: []string{"*release*", "*deploy*", "*publish*"},
	}
}

// Validate returns an error that names the key that is wrong.
func (t *Config) Validate() error {
	if t.ReleaseHistory <= 0 && t.Releases {
		return errors.New("release_history must be positive")
	}
	for i, pattern := range t.PipelinePatterns {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			return fmt.Errorf("pipeline_patterns[%d]: %q is not the name or path of a workflow in which * and ? may stand for a part", i, pattern)
		}
		if slices.Contains(t.PipelinePatterns[:i], pattern) {
			return fmt.Errorf("pipeline_patterns[%d]: %s is there twice", i, pattern)
		}
	}
	return nil
}
