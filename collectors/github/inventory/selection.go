package inventory

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"prodsec_exporter/internal/record"
)

// Selection says which repositories of an organisation count. What it leaves out is not asked about, and is in no record.
type Selection struct {
	off bool
	// Include and Exclude are glob patterns of NAME or OWNER/NAME, without regard to case; Exclude goes before Include, and an empty Include takes all.
	Include []string `yaml:"include,omitempty"`
	Exclude []string `yaml:"exclude,omitempty"`
	// Topics are glob patterns of topics, of which a repository needs one; none takes all.
	Topics []string `yaml:"topics,omitempty"`
	// Visibility are the visibilities that count; none takes all.
	Visibility []record.Visibility `yaml:"visibility,omitempty"`
	// Forks, Templates and Archived say whether such repositories count; they do by default.
	Forks     bool `yaml:"forks"`
	Templates bool `yaml:"templates"`
	Archived  bool `yaml:"archived"`
}

// Switch is what true and false mean in the place of a selection: all repositories, or that their list is not read.
func (s *Selection) Switch(on bool) { s.off = !on }

// everyRepository is the selection that leaves nothing out.
func everyRepository() Selection { return Selection{Forks: true, Templates: true, Archived: true} }

func (s *Selection) validate() error {
	for key, patterns := range map[string][]string{"include": s.Include, "exclude": s.Exclude, "topics": s.Topics} {
		for i, pattern := range patterns {
			if _, err := path.Match(pattern, ""); err != nil || strings.TrimSpace(pattern) == "" {
				return fmt.Errorf("repositories.%s[%d]: %q is not a name in which * and ? may stand for a part", key, i, pattern)
			}
		}
	}
	for i, v := range s.Visibility {
		if !slices.Contains([]record.Visibility{record.VisibilityPublic, record.VisibilityInternal, record.VisibilityPrivate}, v) {
			return fmt.Errorf("repositories.visibility[%d]: %q is not one of public, internal and private", i, string(v))
		}
	}
	return nil
}

// all reports whether nothing is left out.
func (s *Selection) all() bool { return s.byName() && !s.byProperty() }

// byName reports whether the names alone leave nothing out.
func (s *Selection) byName() bool { return len(s.Include) == 0 && len(s.Exclude) == 0 }

// byProperty reports whether the list of repositories decides.
func (s *Selection) byProperty() bool {
	return len(s.Topics) > 0 || len(s.Visibility) > 0 || !s.Forks || !s.Templates || !s.Archived
}

// Leaving is why a selection leaves a repository out: the key of the configuration that does.
type Leaving string

// leavesName is the key that leaves out a repository of this name, empty if none does.
func (s *Selection) leavesName(fullName string) Leaving {
	switch {
	case matchesName(s.Exclude, fullName):
		return "exclude"
	case len(s.Include) > 0 && !matchesName(s.Include, fullName):
		return "include"
	default:
		return ""
	}
}

// matchesName reports whether a pattern matches OWNER/NAME, or NAME where it has no slash.
func matchesName(patterns []string, fullName string) bool {
	_, name, _ := strings.Cut(fullName, "/")
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		if strings.Contains(pattern, "/") {
			return matches([]string{pattern}, fullName)
		}
		return matches([]string{pattern}, name)
	})
}

func matches(patterns []string, text string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(text))
		return ok && err == nil
	})
}

// errExcluded is the cause of rejections by a selection.
var errExcluded = errors.New("the configuration leaves the repository out")

// leftOut says how many repositories are left out of how many, in words; empty where none is.
func leftOut(counts map[Leaving]int, of int) string {
	if len(counts) == 0 {
		return ""
	}
	total := 0
	parts := make([]string, 0, len(counts))
	for _, why := range slices.Sorted(maps.Keys(counts)) {
		total += counts[why]
		parts = append(parts, fmt.Sprintf("%d by repositories.%s", counts[why], why))
	}
	return fmt.Sprintf("%d of %d are left out (%s)", total, of+total, strings.Join(parts, ", "))
}
