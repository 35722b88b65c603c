package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

const root = "../.."

// decoder refuses unknown and doubled fields.
func decoder(t *testing.T) runtime.Decoder {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{core.AddToScheme, apps.AddToScheme, networking.AddToScheme, monitoring.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	return serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
}

func valuesFiles(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, chartPath, "ci", "*-values.yaml"))
	if err != nil || len(names) < 3 {
		t.Fatalf("%d values files: %v", len(names), err)
	}
	return append(names, filepath.Join(root, manifestsPath, "values.yaml"))
}

// TestChartLintsRendersAndDecodes: no complaint of Helm's, and every object is one of the API's, for each values file.
func TestChartLintsRendersAndDecodes(t *testing.T) {
	c, err := load(root)
	if err != nil {
		t.Fatal(err)
	}
	decode := decoder(t)
	kinds := map[string]int{}
	for _, file := range valuesFiles(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			values, err := readValues(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, message := range lint.RunAll(filepath.Join(root, chartPath), values, "monitoring").Messages {
				if message.Severity > support.InfoSev {
					t.Errorf("lint: %s", message)
				}
			}
			rendered, err := render(c, release{"prodsec", "monitoring", values})
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range objects(rendered) {
				object, kind, err := decode.Decode([]byte(text), nil, nil)
				if err != nil {
					t.Fatalf("%v:\n%s", err, text)
				}
				kinds[kind.Kind]++
				check(t, object)
			}
		})
	}
	for _, kind := range []string{"ServiceAccount", "ConfigMap", "Service", "StatefulSet", "NetworkPolicy", "ServiceMonitor", "PrometheusRule"} {
		if kinds[kind] == 0 {
			t.Errorf("no values file renders a %s", kind)
		}
	}
}

// check holds an object to what its kind promises.
func check(t *testing.T, object runtime.Object) {
	t.Helper()
	switch o := object.(type) {
	case *apps.StatefulSet:
		restricted(t, &o.Spec.Template)
		if len(o.Spec.Selector.MatchLabels) == 0 || *o.Spec.Replicas != 1 {
			t.Errorf("a StatefulSet with selector %v and %d replicas", o.Spec.Selector.MatchLabels, *o.Spec.Replicas)
		}
		mounted(t, &o.Spec)
	case *core.ConfigMap:
		if size := len(strings.Join(values(o.Data), "")); size > 1<<20-4096 {
			t.Errorf("ConfigMap %s holds %d bytes; a mebibyte is the limit", o.Name, size)
		}
	case *monitoring.ServiceMonitor:
		if e := o.Spec.Endpoints[0]; e.HonorLabels || e.Port != "metrics" {
			t.Errorf("the endpoint is %+v", e)
		}
	case *monitoring.PrometheusRule:
		if len(o.Spec.Groups) == 0 || len(o.Spec.Groups[0].Rules) == 0 {
			t.Error("a PrometheusRule without rules")
		}
	}
}

func values(data map[string]string) []string {
	list := make([]string, 0, len(data))
	for _, v := range data {
		list = append(list, v)
	}
	return list
}

// restricted asks Kubernetes' own admission whether the pod passes the restricted Pod Security Standard.
func restricted(t *testing.T, pod *core.PodTemplateSpec) {
	t.Helper()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, result := range evaluator.EvaluatePod(api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}, &pod.ObjectMeta, &pod.Spec) {
		if !result.Allowed {
			t.Errorf("the restricted Pod Security Standard refuses the pod: %s (%s)", result.ForbiddenReason, result.ForbiddenDetail)
		}
	}
	for _, c := range pod.Spec.Containers {
		if c.SecurityContext.ReadOnlyRootFilesystem == nil || !*c.SecurityContext.ReadOnlyRootFilesystem {
			t.Errorf("container %s can write to its image", c.Name)
		}
	}
}

// mounted reports mounts without a volume, volumes without a mount, and anything mounted at the same place twice.
func mounted(t *testing.T, set *apps.StatefulSetSpec) {
	t.Helper()
	volumes := map[string]bool{}
	for _, v := range set.Template.Spec.Volumes {
		volumes[v.Name] = true
	}
	for _, v := range set.VolumeClaimTemplates {
		volumes[v.Name] = true
	}
	paths, used := map[string]bool{}, map[string]bool{}
	for _, m := range set.Template.Spec.Containers[0].VolumeMounts {
		if !volumes[m.Name] || paths[m.MountPath] {
			t.Errorf("mount %s at %s has no volume, or the place is taken", m.Name, m.MountPath)
		}
		paths[m.MountPath], used[m.Name] = true, true
	}
	for v := range volumes {
		if !used[v] {
			t.Errorf("volume %s is mounted nowhere", v)
		}
	}
}

// TestWrongValuesAreRefused: the schema names what is wrong.
func TestWrongValuesAreRefused(t *testing.T) {
	c, err := load(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		values map[string]any
		want   string
	}{
		"nothing configured":       {map[string]any{}, "Nothing is configured"},
		"a misspelt key":           {map[string]any{"demo": map[string]any{"enable": true}}, "enable"},
		"an unknown section":       {map[string]any{"demo": map[string]any{"enabled": true}, "replicaCount": 2}, "replicaCount"},
		"TLS without a Secret":     {map[string]any{"demo": map[string]any{"enabled": true}, "web": map[string]any{"tls": true}}, "existingSecret"},
		"a digest that is none":    {map[string]any{"demo": map[string]any{"enabled": true}, "image": map[string]any{"digest": "latest"}}, "digest"},
		"half a scrape credential": {map[string]any{"demo": map[string]any{"enabled": true}, "serviceMonitor": map[string]any{"basicAuth": map[string]any{"username": map[string]any{"name": "a", "key": "b"}}}}, "basicAuth"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := render(c, release{"prodsec", "monitoring", tt.values}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

// TestManifestsAreRendered: the plain manifests are what the chart makes.
func TestManifestsAreRendered(t *testing.T) {
	if err := run(root, true); err != nil {
		t.Error(err)
	}
}

// TestConfigurationInValuesIsUnderstood starts nothing: the exporter itself checks the configuration that the chart renders.
func TestConfigurationInValuesIsUnderstood(t *testing.T) {
	c, err := load(root)
	if err != nil {
		t.Fatal(err)
	}
	decode := decoder(t)
	checked := 0
	for _, file := range valuesFiles(t) {
		values, err := readValues(file)
		if err != nil {
			t.Fatal(err)
		}
		rendered, err := render(c, release{"prodsec", "monitoring", values})
		if err != nil {
			t.Fatal(err)
		}
		if rendered["configmap.yaml"] == "" {
			continue
		}
		object, _, err := decode.Decode([]byte(rendered["configmap.yaml"]), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		config := filepath.Join(t.TempDir(), "prodsec.yml")
		if err := os.WriteFile(config, []byte(object.(*core.ConfigMap).Data["prodsec.yml"]), 0o600); err != nil {
			t.Fatal(err)
		}
		checked++
		exporter(t, context.Background(), "--config.file="+config, "check")
	}
	if checked == 0 {
		t.Error("no values file holds a configuration")
	}
}
