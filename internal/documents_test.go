package architecture

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// root is the root of the repository.
const root = ".."

// files are the paths of the repository's files that a function wants, below its root and with slashes.
func files(t *testing.T, want func(name string) bool) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		below = filepath.ToSlash(below)
		if entry.IsDir() && slices.Contains([]string{".git", "bin", "dist", "data", "node_modules"}, entry.Name()) {
			return fs.SkipDir
		}
		if !entry.IsDir() && want(below) {
			found = append(found, below)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	markdownLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	// codePath is a path in code marks that stands for itself: without placeholders or patterns.
	codePath = regexp.MustCompile("`((?:cmd|collectors|dashboards|deploy|docs|e2e|internal|tools)/[a-zA-Z0-9_./-]+)`")
	// placeholder is the part of a path that stands for any name.
	placeholder = regexp.MustCompile(`(^|/)[A-Z]+(\.|/|$)`)
)

// TestDocumentsLead to what exists: the relative links of documents, and the paths that they name in code marks.
func TestDocumentsLead(t *testing.T) {
	documents := files(t, func(name string) bool { return strings.HasSuffix(name, ".md") })
	if len(documents) < 20 {
		t.Fatalf("found only %v", documents)
	}
	for _, document := range documents {
		text := read(t, document)
		if strings.Contains(text, "\n<<<<<<< ") {
			t.Errorf("%s holds an unresolved conflict", document)
		}
		for _, m := range markdownLink.FindAllStringSubmatch(text, -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target == "" || strings.Contains(target, "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, path.Dir(document), target)); err != nil {
				t.Errorf("%s links to %s: %v", document, m[1], err)
			}
		}
		// The changelog tells of what was.
		if document == "CHANGELOG.md" {
			continue
		}
		for _, m := range codePath.FindAllStringSubmatch(text, -1) {
			if placeholder.MatchString(m[1]) {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, m[1])); err == nil {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, path.Dir(document), m[1])); err != nil {
				t.Errorf("%s names %s, which is not there", document, m[1])
			}
		}
	}
}

var (
	codeSpan = regexp.MustCompile("`([^`\\s]+)`")
	braces   = regexp.MustCompile(`^(.*)\{([^}]*)\}(.*)$`)
	anything = regexp.MustCompile(`<[^>]*>`)
)

// TestEveryPackageIsDescribed in docs/architecture.md, so that whoever looks for the place of a change finds all of them there.
func TestEveryPackageIsDescribed(t *testing.T) {
	var named []string
	for _, m := range codeSpan.FindAllStringSubmatch(read(t, "docs/architecture.md"), -1) {
		if b := braces.FindStringSubmatch(m[1]); b != nil {
			for one := range strings.SplitSeq(b[2], ",") {
				named = append(named, b[1]+one+b[3])
			}
			continue
		}
		named = append(named, anything.ReplaceAllString(m[1], "*"))
	}
	// The packages below these are in tables that name them below their parent.
	below := []string{"internal/ledger/", "internal/monitoring/", "internal/demo/"}
	folders := map[string]bool{}
	for _, name := range files(t, production) {
		folders[path.Dir(name)] = true
	}
	for folder := range folders {
		described := slices.ContainsFunc(named, func(pattern string) bool {
			ok, err := path.Match(pattern, folder)
			return err == nil && ok || slices.ContainsFunc(below, func(parent string) bool { return parent+pattern == folder })
		})
		if !described && strings.Count(folder, "/") > 0 && !strings.HasPrefix(folder, "tools/") && !strings.HasPrefix(folder, "e2e/") {
			t.Errorf("docs/architecture.md does not describe %s", folder)
		}
	}
}

// TestRepositorySettings parse: GitHub ignores a template or a Dependabot file that it cannot read.
func TestRepositorySettings(t *testing.T) {
	settings := files(t, func(name string) bool { return strings.HasPrefix(name, ".github/") && strings.HasSuffix(name, ".yml") })
	forms := 0
	for _, name := range settings {
		var content map[string]any
		if err := yaml.Unmarshal([]byte(read(t, name)), &content); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if path.Dir(name) != ".github/ISSUE_TEMPLATE" || path.Base(name) == "config.yml" {
			continue
		}
		forms++
		for _, key := range []string{"name", "description", "body"} {
			if content[key] == nil {
				t.Errorf("%s lacks %q, without which GitHub does not offer the form", name, key)
			}
		}
	}
	if forms == 0 {
		t.Error("there is no issue form")
	}
	for _, name := range []string{"LICENSE", "NOTICE", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md", ".github/CODEOWNERS", ".github/dependabot.yml", ".github/pull_request_template.md", ".editorconfig"} {
		if read(t, name) == "" {
			t.Errorf("%s is empty", name)
		}
	}
}
