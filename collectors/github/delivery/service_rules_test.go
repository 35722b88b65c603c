package delivery

import (
	"slices"
	"strings"
	"testing"
)

func TestServiceRules(t *testing.T) {
	rules := newServiceRules([]ServiceRule{
		{Repository: "acme/mono", Environment: "production-{service}"}, {Repository: "acme/*", Task: "deploy:cart?", Service: "cart"},
		{Repository: "acme/mono", Environment: "production", Task: "{service}/*"},
	})
	for _, tt := range []struct{ repository, environment, task, want string }{
		{"Acme/Mono", "production-shop", "deploy", "shop"}, {"acme/mono", "PRODUCTION-shop", "deploy", "shop"}, {"acme/mono", "production-", "deploy", ""},
		{"acme/other", "production-shop", "deploy", ""}, {"acme/other", "x", "deploy:cart2", "cart"}, {"acme/other", "x", "deploy:cart", ""},
		{"acme/mono", "production", "search/all", "search"}, {"acme/mono", "staging", "search/all", ""}, {"acme/a/b", "x", "deploy:cart2", ""},
	} {
		if got, _ := rules.of(tt.repository, tt.environment, tt.task); got != tt.want {
			t.Errorf("%s to %s by %s is %q, want %q", tt.repository, tt.environment, tt.task, got, tt.want)
		}
	}
	for pattern, paths := range map[string][2][]string{
		"services/api/**": {{"services/api/a.go", "services/api/b/c.go"}, {"services/api2/a.go", "old/services/api/a.go"}},
		"services/api/":   {{"services/api/a.go"}, {"services/api.go"}}, "*.go": {{"a.go", "b/a.go"}, {"a.gop", "a.rs"}}, "docs/*": {{"docs/a.md", "docs/a/b.md"}, {"docs2/a.md"}},
		"/a.go": {{"a.go"}, {"b/a.go"}}, "**/test/**": {{"test/a", "x/test/a"}, {"tests/a"}}, "a?c": {{"abc", "x/abc/d"}, {"a/c"}},
	} {
		compiled := []pathPattern{newPathPattern(pattern)}
		for _, path := range paths[0] {
			if !touch(compiled, []string{path}) {
				t.Errorf("%s does not match %s", pattern, path)
			}
		}
		if path := paths[1]; slices.ContainsFunc(path, func(p string) bool { return touch(compiled, []string{p}) }) {
			t.Errorf("%s matches one of %v", pattern, path)
		}
	}
}

func FuzzServicePatterns(f *testing.F) {
	f.Add("production-{service}", "services/**/x", "production-shop")
	f.Add("\xe0\x8b", "\xa3/\xa3", "\xa3")
	f.Fuzz(func(t *testing.T, pattern, paths, text string) {
		if p := namePattern(pattern); p != nil && strings.Trim(pattern, "*?{}") == pattern && !p.MatchString(pattern) && !strings.Contains(pattern, serviceMark) {
			t.Errorf("%q does not match itself", pattern)
		}
		newPathPattern(paths).expression.MatchString(text)
	})
}
