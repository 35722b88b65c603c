package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

const composeDir = "../../deploy/compose"

// composeService is what the test needs of a service.
type composeService struct {
	Image       string   `yaml:"image"`
	ReadOnly    bool     `yaml:"read_only"`
	CapDrop     []string `yaml:"cap_drop"`
	SecurityOpt []string `yaml:"security_opt"`
	Privileged  bool     `yaml:"privileged"`
	Ports       []string `yaml:"ports"`
	Volumes     []string `yaml:"volumes"`
	DependsOn   []string `yaml:"depends_on"`
}

func TestComposeIsHardenedAndComplete(t *testing.T) {
	var compose struct {
		Services map[string]composeService `yaml:"services"`
		Volumes  map[string]any            `yaml:"volumes"`
	}
	if err := yaml.Unmarshal(readFile(t, filepath.Join(composeDir, "docker-compose.yml")), &compose); err != nil {
		t.Fatal(err)
	}
	pinned := regexp.MustCompile(`:(v?\d+\.\d+\.\d+|\$\{\w+:-\w+\})$`)
	for _, name := range []string{"exporter", "prometheus", "alertmanager", "grafana"} {
		s, ok := compose.Services[name]
		if !ok {
			t.Errorf("no service %s", name)
			continue
		}
		if !s.ReadOnly || s.Privileged || strings.Join(s.CapDrop, "") != "ALL" || !strings.Contains(strings.Join(s.SecurityOpt, ""), "no-new-privileges") {
			t.Errorf("%s is not hardened: %+v", name, s)
		}
		if !pinned.MatchString(s.Image) {
			t.Errorf("the image of %s is not pinned: %s", name, s.Image)
		}
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s binds %s beyond loopback", name, port)
			}
		}
		for _, volume := range s.Volumes {
			source, target, _ := strings.Cut(strings.Replace(volume, "${PRODSEC_CONFIG_DIR:-./config}", "./config", 1), ":")
			if _, named := compose.Volumes[source]; named {
				continue
			}
			if _, err := os.Stat(filepath.Join(composeDir, source)); err != nil {
				t.Errorf("%s mounts what is not there: %v", name, err)
			}
			if !strings.HasSuffix(target, ":ro") {
				t.Errorf("%s mounts %s writable", name, source)
			}
		}
		for _, other := range s.DependsOn {
			if _, ok := compose.Services[other]; !ok {
				t.Errorf("%s depends on %s, which is not there", name, other)
			}
		}
	}
}

// TestDeployedArgumentsAreUnderstood parses the arguments that image, compose and .env pass.
func TestDeployedArgumentsAreUnderstood(t *testing.T) {
	command := regexp.MustCompile(`(?m)^CMD (\[.*\])$`).FindSubmatch(readFile(t, "../../Dockerfile"))
	env := regexp.MustCompile(`(?m)^PRODSEC_ARGS=(.*)$`).FindSubmatch(readFile(t, filepath.Join(composeDir, ".env.example")))
	fallback := regexp.MustCompile(`\$\{PRODSEC_ARGS:-(.*)\}`).FindSubmatch(readFile(t, filepath.Join(composeDir, "docker-compose.yml")))
	if command == nil || env == nil || fallback == nil {
		t.Fatalf("arguments not found: image %q, .env %q, compose %q", command, env, fallback)
	}
	var image []string
	if err := json.Unmarshal(command[1], &image); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{image, strings.Fields(string(env[1])), strings.Fields(string(fallback[1]))} {
		// The command "version" parses all flags and does nothing with them.
		if _, _, err := runCommand(append(args, "version")...); err != nil {
			t.Errorf("%q: %v", args, err)
		}
	}
}
