// Command kubernetes renders the plain manifests in deploy/kubernetes/manifests from the Helm chart beside them, by Helm's own
// engine:
//
//	go run . -root ../..          write them
//	go run . -root ../.. -check   fail when one differs
//
// Its tests lint the chart, render it for several values files and decode every object strictly. It is a module of its own, so that
// the dependencies of Helm and Kubernetes stay out of the exporter's.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	root := flag.String("root", "../..", "root of the repository")
	check := flag.Bool("check", false, "write nothing; fail when a file differs")
	flag.Parse()
	if err := run(*root, *check); err != nil {
		fmt.Fprintln(os.Stderr, "kubernetes:", err)
		os.Exit(1)
	}
}

// manifestsPath is where the plain manifests and the values they are rendered from are.
const manifestsPath = "deploy/kubernetes/manifests"

// kinds are the files of plain manifests and the templates whose objects each holds.
var files = []struct {
	name      string
	templates []string
}{
	{"exporter.yaml", []string{"serviceaccount.yaml", "configmap.yaml", "networkpolicy.yaml", "service.yaml", "statefulset.yaml"}},
	{"monitoring.yaml", []string{"servicemonitor.yaml", "prometheusrule.yaml"}},
	{"dashboards.yaml", []string{"dashboards.yaml"}},
}

func run(root string, check bool) error {
	made, err := manifests(root)
	if err != nil {
		return err
	}
	var differ []string
	for name, content := range made {
		file := filepath.Join(root, manifestsPath, name)
		have, err := os.ReadFile(file)
		switch {
		case err == nil && bytes.Equal(have, content):
		case check:
			differ = append(differ, name)
		default:
			if err := os.WriteFile(file, content, 0o644); err != nil {
				return err
			}
		}
	}
	if len(differ) > 0 {
		slices.Sort(differ)
		return fmt.Errorf("%s is out of date in %s: run `make manifests`", strings.Join(differ, ", "), manifestsPath)
	}
	return nil
}

// manifests are the plain manifests by file name.
func manifests(root string) (map[string][]byte, error) {
	c, err := load(root)
	if err != nil {
		return nil, err
	}
	values, err := readValues(filepath.Join(root, manifestsPath, "values.yaml"))
	if err != nil {
		return nil, err
	}
	rendered, err := render(c, release{name: "prodsec-exporter", namespace: "prodsec", values: values})
	if err != nil {
		return nil, err
	}
	made := map[string][]byte{}
	for _, f := range files {
		var out bytes.Buffer
		out.WriteString("# Rendered from the chart in deploy/kubernetes/chart with values.yaml beside this file: change those and run `make manifests`.\n")
		for _, template := range f.templates {
			for _, object := range objects(map[string]string{template: rendered[template]}) {
				out.WriteString("---\n" + plain(object))
			}
		}
		made[f.name] = out.Bytes()
	}
	return made, nil
}

// plain leaves out what only Helm looks at.
func plain(object string) string {
	var kept strings.Builder
	for line := range strings.Lines(object) {
		if !strings.Contains(line, "helm.sh/chart:") && !strings.Contains(line, "app.kubernetes.io/managed-by:") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}
