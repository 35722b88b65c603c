// Package architecture holds no code: its test enforces the import law of docs/architecture.md over everything that a package
// pulls in, directly or not. depguard in .golangci.yml says the same about direct imports, while one types.
package architecture

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "prodsec_exporter"

// listed is what go list says about a package.
type listed struct {
	ImportPath string
	Standard   bool
	GoFiles    []string
	Imports    []string
	Deps       []string
}

func packages(t *testing.T) map[string]listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,GoFiles,Imports,Deps", "./...")
	cmd.Dir = ".."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	all := map[string]listed{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = p
	}
	return all
}

// law is one sentence of the import law.
type law struct {
	name string
	// who are the packages it binds, as paths below the module; a final "/..." includes those below.
	who []string
	// but are exceptions from who.
	but []string
	// never are packages that must not be among their dependencies: of ours below the module, others by full path.
	never []string
	// only, if set, are the only dependencies of ours and of others that are allowed, besides the standard library.
	only []string
}

// io are the parts of the standard library by which a program reaches outside of itself. "os" itself is not among them, since
// package time and fmt pull it in; depguard forbids importing it.
var inputOutput = []string{"net", "net/http", "os/exec", "database/sql"}

// policyUses is what policy pulls in: durations are written as in Prometheus.
var policyUses = []string{"github.com/prometheus/common/model", "go.yaml.in/yaml/", "google.golang.org/protobuf/", "github.com/prometheus/client_model/"}

// thirdParty are the libraries of others with which reports are read: encodings and CVSS.
var thirdParty = []string{"golang.org/x/text/", "github.com/pandatix/go-cvss/"}

// kinds are the packages of collectors, without what they share.
var kinds = []string{
	"collectors/backstage", "collectors/catalog", "collectors/defectdojo", "collectors/dependencytrack", "collectors/evidence", "collectors/exploited", "collectors/github/...",
	"collectors/gitlab", "collectors/jira", "collectors/reports/...", "collectors/scorecard", "collectors/semgrep", "collectors/snyk", "collectors/sonarqube",
}

// reserved are packages that laws name before they are there.
var reserved = []string{"internal/ledger/store/postgres"}

var laws = []law{
	{name: "records import the standard library alone", who: []string{"internal/record"}, only: []string{}},
	{
		name:  "policy and snapshots know records and reach nothing outside",
		who:   []string{"internal/policy", "internal/snapshot"},
		only:  append([]string{"internal/record", "internal/policy"}, policyUses...),
		never: inputOutput,
	},
	{
		name: "metrics are pure functions of snapshot and policy",
		who:  []string{"internal/metrics/..."}, never: inputOutput,
		only: append([]string{"internal/record", "internal/policy", "internal/snapshot", "internal/metrics/..."}, policyUses...),
	},
	{name: "the frame of metrics knows nothing of what is measured", who: []string{"internal/metrics/frame"}, only: []string{}},
	{name: "tallies know no family", who: []string{"internal/metrics/tallies"}, never: []string{"internal/metrics", "internal/metrics/families"}},
	{name: "families are behind the face of metrics", who: []string{"internal/metrics/families"}, never: []string{"internal/metrics"}},
	{
		name: "evidence judges records as the families do and knows no family",
		who:  []string{"internal/evidence"}, never: []string{"internal/metrics", "internal/metrics/families"},
	},
	{
		name: "collectors know nothing of what becomes of their batches",
		who:  []string{"collectors/..."}, but: []string{"collectors/collectorstest"},
		never: []string{"internal/ledger", "internal/metrics/...", "internal/policy", "internal/snapshot", "internal/schedule", "github.com/prometheus/client_golang/..."},
	},
	{name: "readers of reports know no format", who: []string{"collectors/reports/stream"}, only: append([]string{"internal/record"}, thirdParty...)},
	{
		name: "what formats of reports share knows none of them",
		who:  []string{"collectors/reports/format"}, only: append([]string{"internal/record", "collectors/reports/stream"}, thirdParty...),
	},
	{
		name: "a format of reports knows neither another nor the collector",
		who:  []string{"collectors/reports/..."}, but: []string{"collectors/reports", "collectors/reports/format", "collectors/reports/stream"},
		only: append([]string{"internal/record", "collectors/reports/stream", "collectors/reports/format"}, thirdParty...),
	},
	{
		name: "what stores and what schedules does not know what is measured",
		who:  []string{"internal/ledger/...", "internal/schedule"}, never: []string{"internal/metrics/...", "internal/exposition", "github.com/prometheus/client_golang/..."},
	},
	{
		name: "the demo's fakes know the world and what they share, and no other fake",
		who:  []string{"internal/demo/..."}, but: []string{"internal/demo", "internal/demo/world", "internal/demo/answer"},
		never: []string{"internal/demo", "internal/demo/github", "internal/demo/jira", "internal/demo/defectdojo", "internal/demo/files", "collectors/..."},
	},
	{
		name: "the demo's organisation knows no API that tells of it",
		who:  []string{"internal/demo/world"}, never: []string{"internal/demo", "internal/demo/answer", "collectors/...", "net/http"},
	},
	{
		name: "a store of the ledger stores rows and decides nothing",
		who:  []string{"internal/ledger/store/..."},
		never: []string{
			"internal/ledger", "internal/ledger/catalog", "internal/ledger/derivation", "internal/ledger/identity", "internal/ledger/past",
			"internal/ledger/records", "internal/ledger/undo",
		},
	},
	{
		name: "the parts of a ledger's derivation stand alone",
		who:  []string{"internal/ledger/catalog", "internal/ledger/identity", "internal/ledger/records", "internal/ledger/undo"},
		only: append([]string{"internal/record", "internal/policy", "internal/snapshot", "internal/ledger/store"}, policyUses...), never: inputOutput,
	},
	{
		name: "derivation knows rows and no database", who: []string{"internal/ledger/derivation", "internal/ledger/past"},
		never: append([]string{"internal/ledger", "internal/ledger/store/sqlite", "internal/ledger/store/postgres"}, inputOutput...),
	},
	{
		name: "the clock imports the standard library alone", who: []string{"internal/clock"}, only: []string{},
	},
	{
		name: "the present does not know the past", who: []string{"internal/ledger/derivation"}, never: []string{"internal/ledger/past"},
	},
	{
		name: "what collectors share knows no kind of collector and nothing of what becomes of batches",
		who:  []string{"collectors", "internal/apiclient", "internal/translate", "internal/platform", "internal/filesource", "internal/httpclient"},
		never: append(slices.Clone(kinds),
			"internal/ledger/...", "internal/metrics/...", "internal/policy", "internal/snapshot", "internal/schedule", "internal/config", "internal/web", "internal/exposition"),
	},
	{
		name: "requests know nothing of collectors", who: []string{"internal/apiclient"}, never: []string{"collectors/...", "internal/translate", "internal/platform", "internal/filesource"},
	},
	{
		name: "vocabularies know records and requests", who: []string{"internal/translate"}, never: []string{"collectors/...", "internal/platform", "internal/filesource"},
	},
	{
		name: "configuration is read without what runs by it",
		who:  []string{"internal/config"}, never: append(slices.Clone(kinds), "internal/ledger/...", "internal/metrics/...", "internal/schedule", "internal/web", "internal/exposition"),
	},
	{
		name: "exposition encodes what metrics evaluated and knows no record, source or page",
		who:  []string{"internal/exposition"}, never: []string{"internal/ledger/...", "internal/web", "internal/evidence", "internal/schedule", "internal/apiclient", "collectors/..."},
	},
	{
		name: "pages show what others know", who: []string{"internal/web", "internal/evidence"}, never: []string{"internal/schedule", "internal/exposition", "internal/config", "internal/demo/...", "collectors/..."},
	},
	{
		name: "lists know no page", who: []string{"internal/evidence"}, never: []string{"internal/web", "net/http"},
	},
	{
		name: "pushing boards needs a Grafana and nothing of the exporter", who: []string{"internal/grafana"},
		never: []string{"internal/ledger/...", "internal/metrics/...", "internal/config", "internal/web", "collectors/..."},
	},
	{
		name: "the demo is behind the command", who: []string{"internal/demo"}, never: append(slices.Clone(kinds), "internal/ledger/...", "internal/metrics/...", "internal/config", "internal/web"),
	},
	{
		name: "the answers of fakes know no API", who: []string{"internal/demo/answer"}, never: []string{"internal/demo", "internal/demo/github", "internal/demo/jira", "internal/demo/defectdojo", "internal/demo/files", "collectors/..."},
	},
	{
		name: "what generates documents and rules runs no exporter",
		who:  []string{"internal/monitoring", "internal/monitoring/..."}, never: []string{"internal/ledger/...", "internal/schedule", "internal/web", "internal/apiclient", "internal/config", "collectors/..."},
	},
	{
		name: "the exporter carries nothing that is for tests",
		who:  []string{"cmd/prodsec_exporter"},
		never: []string{
			"collectors/collectorstest", "collectors/github/githubtest", "collectors/reports/formattest", "internal/translate/translatetest", "internal/ledger/ledgertest",
			"internal/exposition/openmetrics",
		},
	},
	{name: "boards are files, and tests with servers start the program", who: []string{"dashboards", "e2e/..."}, only: []string{}},
	{
		name:  "checks for tests know no more than what they check",
		who:   []string{"collectors/collectorstest", "internal/translate/translatetest", "internal/exposition/openmetrics"},
		never: append(slices.Clone(kinds), "internal/ledger/...", "internal/metrics/...", "internal/web", "internal/config"),
	},
	{
		name: "only the generator carries boards and rules",
		who:  []string{"..."}, but: []string{"cmd/generate", "internal/monitoring", "internal/monitoring/..."},
		never: []string{"internal/monitoring/...", "github.com/grafana/grafana-foundation-sdk/..."},
	},
	{
		name: "what rules, alerts and boards share knows none of them",
		who:  []string{"internal/monitoring/names", "internal/monitoring/promql", "internal/monitoring/settings", "internal/monitoring/packrow", "internal/monitoring/rulefile"},
		never: []string{
			"internal/monitoring/rules", "internal/monitoring/alerts", "internal/monitoring/boards/...", "internal/monitoring", "github.com/grafana/grafana-foundation-sdk/...",
		},
	},
	{
		name: "rules, alerts and boards meet in names and nowhere else",
		who:  []string{"internal/monitoring/rules", "internal/monitoring/alerts"},
		never: []string{
			"internal/monitoring/rules", "internal/monitoring/alerts", "internal/monitoring/boards/...", "internal/monitoring", "github.com/grafana/grafana-foundation-sdk/...",
		},
	},
	{
		name: "only panels are Grafana's",
		who:  []string{"internal/monitoring/..."}, but: []string{"internal/monitoring", "internal/monitoring/boards", "internal/monitoring/boards/panel"},
		never: []string{"github.com/grafana/grafana-foundation-sdk/..."},
	},
	{
		name: "boards know neither rules nor alerts, and a panel knows no board",
		who:  []string{"internal/monitoring/boards/..."}, never: []string{"internal/monitoring/rules", "internal/monitoring/alerts", "internal/monitoring/boards", "internal/monitoring"},
	},
	{
		name: "queries of boards are text and know no look",
		who:  []string{"internal/monitoring/boards/query"}, never: []string{"internal/monitoring/boards/panel", "github.com/grafana/grafana-foundation-sdk/..."},
	},
}

// binds reports whether a law is about a package.
func (l law) binds(path string) bool {
	return ours(path) && anyMatch(path, l.who) && !anyMatch(path, l.but)
}

// forbids reports whether a package that a law binds must not depend on another one.
func (l law) forbids(dependency listed) bool {
	return anyMatch(dependency.ImportPath, l.never) || l.only != nil && !dependency.Standard && !anyMatch(dependency.ImportPath, l.only)
}

func TestImportLaw(t *testing.T) {
	all := packages(t)
	for _, l := range laws {
		t.Run(l.name, func(t *testing.T) {
			bound := 0
			for path, p := range all {
				if !l.binds(path) {
					continue
				}
				bound++
				for _, dependency := range p.Deps {
					if l.forbids(all[dependency]) {
						t.Errorf("%s depends on %s, against the law: %s", path, dependency, l.name)
					}
				}
			}
			if bound == 0 {
				t.Errorf("no package matches %v: the law binds nobody", l.who)
			}
			// A law that names what is not there forbids nothing: the package was moved, and may be imported now.
			for _, pattern := range slices.Concat(l.who, l.but, l.never, l.only) {
				named := func(path string) bool { return anyMatch(path, []string{pattern}) }
				if !slices.ContainsFunc(slices.Collect(maps.Keys(all)), named) && !strings.Contains(pattern, ".") && !slices.Contains(reserved, pattern) {
					t.Errorf("%s is no package", pattern)
				}
			}
		})
	}
}

// TestEveryPackageIsBound by a law of its own, beside the one that is about all packages: a folder that nobody thought of would be free to import anything.
func TestEveryPackageIsBound(t *testing.T) {
	for path, p := range packages(t) {
		bound := slices.ContainsFunc(laws, func(l law) bool { return !slices.Equal(l.who, []string{"..."}) && l.binds(path) })
		if ours(path) && len(p.GoFiles) > 0 && !bound && path != module+"/cmd/generate" && path != module+"/cmd/notices" {
			t.Errorf("no law binds %s: add it to one in internal/architecture_test.go, and to .golangci.yml", path)
		}
	}
}

// TestBrokenLawsAreFound gives to a package that a law binds a dependency that the law forbids, for every law.
func TestBrokenLawsAreFound(t *testing.T) {
	all := packages(t)
	for _, l := range laws {
		forbidden := 0
		for _, pattern := range l.never {
			for _, dependency := range all {
				if anyMatch(dependency.ImportPath, []string{pattern}) {
					forbidden++
					if !l.forbids(dependency) {
						t.Errorf("%s: %s may be imported", l.name, dependency.ImportPath)
					}
				}
			}
		}
		if l.only != nil {
			forbidden++
			if !l.forbids(listed{ImportPath: module + "/internal/web"}) || !l.forbids(listed{ImportPath: "example.com/library"}) {
				t.Errorf("%s: anything may be imported", l.name)
			}
		}
		if forbidden == 0 {
			t.Errorf("%s: nothing is forbidden", l.name)
		}
	}
}

func TestNoCollectorImportsAnother(t *testing.T) {
	all := packages(t)
	var kinds []string
	for path := range all {
		if rest, ok := strings.CutPrefix(path, module+"/collectors/"); ok && rest != "collectorstest" && !strings.Contains(rest, "/") {
			kinds = append(kinds, path)
		}
	}
	if len(kinds) < 2 {
		t.Fatalf("found %v, want several collectors", kinds)
	}
	for _, kind := range kinds {
		for _, other := range kinds {
			if kind != other && slices.Contains(all[kind].Deps, other) {
				t.Errorf("%s depends on %s", kind, other)
			}
		}
	}
}

func TestEveryCollectorIsListed(t *testing.T) {
	all := packages(t)
	for path := range all {
		rest, ok := strings.CutPrefix(path, module+"/collectors/")
		if ok && rest != "collectorstest" && !anyMatch(path, kinds) {
			t.Errorf("%s is not among the kinds that laws name", path)
		}
		if ok && rest != "collectorstest" && !strings.Contains(rest, "/") && !slices.Contains(all[module+"/cmd/prodsec_exporter"].Imports, path) {
			t.Errorf("%s is not in cmd/prodsec_exporter/kinds.go", path)
		}
	}
}

// layers of the collector of GitHub: what each package below it may import of it. Whatever is not named is a part.
var githubLayers = map[string][]string{
	"api": {}, "part": {"api"}, "inventory": {"api", "part"},
	// What the tests of all parts share.
	"githubtest": {"", "api", "part", "inventory", "alerts", "protection", "trust", "delivery"},
}

// TestPartsOfGitHubShareNothingElse: the API knows nothing, the contract of parts the API, the inventory both, and a part these three and no other part.
func TestPartsOfGitHubShareNothingElse(t *testing.T) {
	const face = module + "/collectors/github"
	all, parts := packages(t), 0
	for path, p := range all {
		name, below := strings.CutPrefix(path, face+"/")
		if !below {
			if path != face && !strings.HasPrefix(path, face+"/") && ours(path) && slices.ContainsFunc(p.Imports, func(i string) bool { return strings.HasPrefix(i, face+"/") }) {
				t.Errorf("%s imports a part of %s: only the face may be imported", path, face)
			}
			continue
		}
		allowed, named := githubLayers[name]
		if !named {
			allowed = []string{"api", "part", "inventory"}
			parts++
		}
		for _, imported := range p.Imports {
			rest, ok := strings.CutPrefix(imported, face)
			if ok && !slices.Contains(allowed, strings.TrimPrefix(rest, "/")) {
				t.Errorf("%s imports %s, which is not among %q", path, imported, allowed)
			}
		}
		if name != "githubtest" && slices.Contains(p.Deps, face+"/githubtest") {
			t.Errorf("%s depends on githubtest, which is for tests", path)
		}
	}
	if parts < 4 {
		t.Errorf("found %d parts, want at least alerts, protection, trust and delivery", parts)
	}
}

// TestOneMajorOfEachModule: two majors of a library in one binary are two sets of its mistakes. What third_party stands for is code of ours.
func TestOneMajorOfEachModule(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{if not (and .Replace (not .Replace.Version))}}{{.Path}}{{end}}{{end}}{{end}}", "./cmd/prodsec_exporter")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	major := regexp.MustCompile(`(/v|\.v)[0-9]+$`)
	paths := map[string]string{}
	for path := range strings.FieldsSeq(string(out)) {
		name := major.ReplaceAllString(path, "")
		if other, found := paths[name]; found && other != path {
			t.Errorf("both %s and %s are linked", other, path)
		}
		paths[name] = path
	}
	if len(paths) < 20 {
		t.Errorf("found only %v", paths)
	}
}

func ours(path string) bool { return path == module || strings.HasPrefix(path, module+"/") }

// anyMatch reports whether a package is among patterns: ours by the path below the module, others by their full path.
func anyMatch(path string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		name, local := strings.CutPrefix(path, module+"/")
		prefix, below := strings.CutSuffix(pattern, "...")
		switch {
		case pattern == "...":
			return local
		case strings.HasSuffix(pattern, "/"):
			return strings.HasPrefix(path, pattern)
		case below:
			return name+"/" == prefix || strings.HasPrefix(name, prefix)
		default:
			return name == pattern
		}
	})
}
