package architecture

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// depguardRules are the rules of .golangci.yml by which the import law is enforced while one types.
func depguardRules(t *testing.T) map[string]depguardRule {
	t.Helper()
	var config struct {
		Linters struct {
			Settings struct {
				Depguard struct {
					Rules map[string]depguardRule `yaml:"rules"`
				} `yaml:"depguard"`
			} `yaml:"settings"`
		} `yaml:"linters"`
	}
	if err := yaml.Unmarshal([]byte(read(t, ".golangci.yml")), &config); err != nil {
		t.Fatal(err)
	}
	return config.Linters.Settings.Depguard.Rules
}

type depguardRule struct {
	Files []string `yaml:"files"`
	Allow []string `yaml:"allow"`
	Deny  []struct {
		Package string `yaml:"pkg"`
	} `yaml:"deny"`
}

// TestLinterRulesApply: every rule of depguard is about files that are there and names packages that are there. A folder that was moved would otherwise be free.
func TestLinterRulesApply(t *testing.T) {
	sources := files(t, production)
	var folders []string
	for _, name := range sources {
		if folder := module + "/" + path.Dir(name); !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
	}
	rules := depguardRules(t)
	if len(rules) < 20 {
		t.Fatalf("found only %d rules", len(rules))
	}
	for name, rule := range rules {
		for _, pattern := range rule.Files {
			if strings.Contains(pattern, "$") {
				continue
			}
			matches := globOf(strings.TrimPrefix(pattern, "!"))
			if !slices.ContainsFunc(sources, func(source string) bool { return matches.MatchString("/" + source) }) {
				t.Errorf("%s: no file matches %s", name, pattern)
			}
		}
		named := slices.Clone(rule.Allow)
		for _, denied := range rule.Deny {
			named = append(named, denied.Package)
		}
		for _, pkg := range named {
			prefix, exactly := strings.CutSuffix(pkg, "$")
			if !strings.HasPrefix(pkg, module) {
				continue
			}
			if !slices.ContainsFunc(folders, func(folder string) bool {
				return folder == prefix || !exactly && strings.HasPrefix(folder+"/", strings.TrimSuffix(prefix, "/")+"/")
			}) {
				t.Errorf("%s: %s is no package", name, pkg)
			}
		}
	}
}

// TestEveryFolderHasALinterRule: what a folder may import is decided when it is made.
func TestEveryFolderHasALinterRule(t *testing.T) {
	// These may import anything but boards and rules, and are bound by the law over all dependencies alone.
	free := []string{"dashboards", "e2e", "e2e/contract", "internal/exposition/openmetrics", "internal/monitoring", "internal/translate/translatetest", "third_party/jwt"}
	folders := map[string]bool{}
	for _, name := range files(t, production) {
		folders[path.Dir(name)] = true
	}
	var patterns []*regexp.Regexp
	for _, rule := range depguardRules(t) {
		for _, pattern := range rule.Files {
			if !strings.HasPrefix(pattern, "!") && !strings.Contains(pattern, "$") {
				patterns = append(patterns, globOf(pattern))
			}
		}
	}
	for folder := range folders {
		bound := slices.ContainsFunc(patterns, func(pattern *regexp.Regexp) bool { return pattern.MatchString("/" + folder + "/file.go") })
		switch {
		case !bound && !slices.Contains(free, folder) && !strings.HasPrefix(folder, "tools"):
			t.Errorf("no rule of depguard in .golangci.yml is about %s", folder)
		case bound && slices.Contains(free, folder):
			t.Errorf("%s has a rule: take it from the list", folder)
		}
	}
}

// globOf is a pattern of depguard: ** are any folders, * is anything within one.
func globOf(pattern string) *regexp.Regexp {
	quoted := regexp.QuoteMeta(pattern)
	quoted = strings.ReplaceAll(quoted, `\*\*/`, `(?:.*/)?`)
	quoted = strings.ReplaceAll(quoted, `\*\*`, `.*`)
	quoted = strings.ReplaceAll(quoted, `\*`, `[^/]*`)
	return regexp.MustCompile(`^/?` + quoted + `$`)
}
