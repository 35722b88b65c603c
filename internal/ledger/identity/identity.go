// Package identity decides which findings are one weakness, and makes what they say of it comparable. It holds no state. A Report is a finding as the ledger holds it, with where
// and when it was reported.
//
// A finding is (instance, id). A weakness is one finding, or several that say the same thing:
//
//   - class sca and container: same repository, class and package, and advisory ids that connect them (A shares one with B,
//     B another with C: all three). Of these, findings at different known places stay apart: the directory of the manifest,
//     or the image. Findings that name no place join the lexicographically smallest. A package without an ecosystem is the
//     one of the same name that its advisories are about; where they are about several, it is none of them.
//   - any other class: same repository, class, category (rule where there is none), place and line. Two findings of one tool
//     in one instance stay apart: the tool itself tells them apart.
//
// Without repository, package, advisory id, place or line, a finding is folded into nothing. The result depends
// on the members alone, not on the order in which they came.
//
// To change which findings are one weakness: Key, which says what is compared at all, and Cluster, which joins; with a worked example in docs/definitions.md.
package identity

import (
	"hash/fnv"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"prodsec_exporter/internal/record"
)

// Key is what reports of one weakness have in common, or "" for a report that is never folded.
func Key(f *record.Finding) string {
	if f.Repository == "" {
		return ""
	}
	if ByAdvisory(f.Class) {
		if f.Package == "" || len(f.Aliases) == 0 {
			return ""
		}
		return string(f.Repository) + "\x00" + string(f.Class) + "\x00" + bareName(f.Package)
	}
	what := f.Category
	if what == "" {
		what = f.Rule
	}
	if what == "" || f.Place == "" || f.Line <= 0 {
		return ""
	}
	return string(f.Repository) + "\x00" + string(f.Class) + "\x00" + what + "\x00" + f.Place + "\x00" + strconv.Itoa(f.Line)
}

// bareName is a package's name without its ecosystem, in one spelling for the ecosystems' different ones.
func bareName(pkg string) string {
	_, name, found := strings.Cut(pkg, "/")
	if !found {
		name = pkg
	}
	return spelling.Replace(strings.ToLower(name))
}

var spelling = strings.NewReplacer("_", "-", ".", "-", "/", ":")

// Hash is the hash of a group key; 0 means no group.
func Hash(key string) uint32 {
	if key == "" {
		return 0
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(key)) // a hash never fails
	return max(1, h.Sum32())
}

// ByAdvisory reports whether weaknesses of a class are told apart by advisory and package rather than by line.
func ByAdvisory(c record.Class) bool { return c == record.ClassSCA || c == record.ClassContainer }

// Cluster splits the members of one group into weaknesses. Each is ordered, its primary first, and so is the list.
func Cluster(members []*Report) [][]*Report {
	byKey := map[string][]*Report{}
	var result [][]*Report
	for _, m := range members {
		if key := Key(&m.Finding); key != "" {
			byKey[key] = append(byKey[key], m)
		} else {
			result = append(result, []*Report{m})
		}
	}
	for _, same := range byKey {
		if ByAdvisory(same[0].Finding.Class) {
			for _, onePackage := range apartByPackage(same) {
				for _, component := range connected(onePackage) {
					result = append(result, apartByPlace(component)...)
				}
			}
		} else {
			result = append(result, apartByTool(same)...)
		}
	}
	for _, c := range result {
		slices.SortFunc(c, Earlier)
	}
	slices.SortFunc(result, func(a, b []*Report) int { return Earlier(a[0], b[0]) })
	return result
}

// apartByPackage splits reports of packages of one name by ecosystem. Reports that name no ecosystem and share advisory ids with those of
// exactly one package are about that one.
func apartByPackage(same []*Report) [][]*Report {
	byPackage := map[string][]*Report{}
	about := map[string]map[string]bool{} // the packages that an advisory is about
	var unnamed []*Report
	for _, m := range same {
		name := m.Finding.Package
		if strings.HasPrefix(name, record.GenericEcosystem+"/") {
			unnamed = append(unnamed, m)
			continue
		}
		byPackage[name] = append(byPackage[name], m)
		for _, alias := range m.Finding.Aliases {
			if about[alias] == nil {
				about[alias] = map[string]bool{}
			}
			about[alias][name] = true
		}
	}
	byName := map[string][]*Report{} // two spellings without an ecosystem may be two packages
	for _, m := range unnamed {
		byName[m.Finding.Package] = append(byName[m.Finding.Package], m)
	}
	for name, alike := range byName {
		for _, component := range connected(alike) {
			target := name
			if meant := packagesOf(component, about); len(meant) == 1 {
				target = meant[0]
			}
			byPackage[target] = append(byPackage[target], component...)
		}
	}
	return slices.Collect(maps.Values(byPackage))
}

// packagesOf are the packages that the advisories of reports are about.
func packagesOf(reports []*Report, about map[string]map[string]bool) []string {
	meant := map[string]bool{}
	for _, m := range reports {
		for _, alias := range m.Finding.Aliases {
			maps.Copy(meant, about[alias])
		}
	}
	return slices.Collect(maps.Keys(meant))
}

// connected are the components of reports that share advisory ids.
func connected(members []*Report) [][]*Report {
	parent := make([]int, len(members))
	for i := range parent {
		parent[i] = i
	}
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	first := map[string]int{}
	for i, m := range members {
		for _, alias := range m.Finding.Aliases {
			if j, ok := first[alias]; ok {
				parent[root(i)] = root(j)
			} else {
				first[alias] = i
			}
		}
	}
	byRoot := map[int][]*Report{}
	for i, m := range members {
		byRoot[root(i)] = append(byRoot[root(i)], m)
	}
	result := make([][]*Report, 0, len(byRoot))
	for _, component := range byRoot {
		result = append(result, component)
	}
	return result
}

// placeOf is where an advisory applies: the directory of a manifest, or an image; "" if unknown.
func placeOf(f *record.Finding) string {
	if f.Class == record.ClassSCA && f.Place != "" {
		return path.Dir(path.Clean("/" + f.Place))
	}
	return f.Place
}

// apartByPlace splits a component by place.
func apartByPlace(component []*Report) [][]*Report {
	byPlace := map[string][]*Report{}
	for _, m := range component {
		byPlace[placeOf(&m.Finding)] = append(byPlace[placeOf(&m.Finding)], m)
	}
	nowhere := byPlace[""]
	delete(byPlace, "")
	if len(byPlace) == 0 {
		return [][]*Report{nowhere}
	}
	smallest, result := "", make([][]*Report, 0, len(byPlace))
	for place := range byPlace {
		if smallest == "" || place < smallest {
			smallest = place
		}
	}
	byPlace[smallest] = append(byPlace[smallest], nowhere...)
	for _, members := range byPlace {
		result = append(result, members)
	}
	return result
}

// apartByTool splits reports of one place so that no tool of one instance appears twice: the n-th reports of every tool,
// in the order of first seen and id, are one weakness.
func apartByTool(same []*Report) [][]*Report {
	slices.SortFunc(same, Earlier)
	seen := map[[3]string]int{}
	var result [][]*Report
	for _, m := range same {
		tool := [3]string{m.Source.Collector, m.Source.Instance, m.Finding.Tool}
		n := seen[tool]
		seen[tool]++
		if n == len(result) {
			result = append(result, nil)
		}
		result[n] = append(result[n], m)
	}
	return result
}
