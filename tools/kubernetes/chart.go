package main

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"sigs.k8s.io/yaml"
)

// chartPath is the chart, from the root of the repository.
const chartPath = "deploy/kubernetes/chart"

// release is a release of the chart that is rendered and not installed.
type release struct {
	name, namespace string
	values          map[string]any
}

// load reads the chart below the root of the repository.
func load(root string) (*chart.Chart, error) {
	c, err := loader.Load(filepath.Join(root, chartPath))
	if err != nil {
		return nil, fmt.Errorf("reading the chart: %w", err)
	}
	return c, nil
}

// readValues reads a values file.
func readValues(file string) (map[string]any, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	values := map[string]any{}
	if err := yaml.Unmarshal(data, &values); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return values, nil
}

// render makes the manifests of a release, by the name of the template. Values are checked against the chart's schema.
func render(c *chart.Chart, r release) (map[string]string, error) {
	options := common.ReleaseOptions{Name: r.name, Namespace: r.namespace, Revision: 1, IsInstall: true}
	values, err := util.ToRenderValues(c, r.values, options, common.DefaultCapabilities)
	if err != nil {
		return nil, fmt.Errorf("values of %s: %w", r.name, err)
	}
	rendered, err := engine.Engine{Strict: true}.Render(c, values)
	if err != nil {
		return nil, fmt.Errorf("rendering %s: %w", r.name, err)
	}
	manifests := map[string]string{}
	for name, text := range rendered {
		if strings.HasSuffix(name, ".yaml") && strings.TrimSpace(text) != "" {
			manifests[path.Base(name)] = text
		}
	}
	return manifests, nil
}

// objects splits manifests into the objects they hold, in the order of file names.
func objects(manifests map[string]string) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(manifests)) {
		for document := range strings.SplitSeq("\n"+manifests[name], "\n---\n") {
			if strings.TrimSpace(document) != "" {
				list = append(list, strings.TrimSpace(document)+"\n")
			}
		}
	}
	return list
}
