package world

import (
	"fmt"
	"time"

	"prodsec_exporter/internal/record"
)

// dependency adds a Dependabot alert, and now and then what another tool says about the same package.
func (b *birth) dependency(severity record.Severity) *Finding {
	a := b.advisory(severity)
	if a == nil {
		return nil
	}
	f := b.add(&Finding{
		Source: SourceDependabot, Tool: ToolDependabot, Class: record.ClassSCA, Advisory: a, Severity: a.Severity,
		Path: b.folder() + manifest[a.Ecosystem],
	})
	if b.repository.Purpose == PurposeApplication && b.random.Float64() < 0.1 {
		b.twin(f)
	}
	return f
}

// twin adds the report of another tool about the same weak package.
func (b *birth) twin(f *Finding) {
	twin := *f
	twin.Source, twin.Tool = SourceDefectDojo, ToolTrivy
	if LeavesReports(b.repository) {
		twin.Source = SourceReports
	}
	b.number(&twin)
	twin.TouchedEvery, twin.Changes = 0, retold(f.Changes)
	twin.Born = f.Born.Add(between(b.random, time.Hour, day))
	if len(f.Changes) > 0 && !f.Changes[0].At.After(twin.Born) {
		return // closed before the other tool looked
	}
	b.list = append(b.list, &twin)
}

// LeavesReports reports whether the pipelines of a repository leave files behind.
func LeavesReports(r *Repository) bool {
	return r.Index%8 == 0 && r.Purpose == PurposeApplication && !r.Archived
}

func (b *birth) code() {
	if b.repository.Purpose == PurposeInfrastructure {
		b.add(&Finding{
			Source: SourceCodeScanning, Tool: ToolCheckov, Class: record.ClassIaC, Rule: b.rule(infrastructureRules), Path: "deploy/main.tf",
			Line: 1 + b.random.IntN(400),
		})
		return
	}
	if b.repository.Purpose == PurposeApplication && b.random.Float64() < 0.15 {
		b.add(&Finding{
			Source: SourceCodeScanning, Tool: ToolTrivy, Class: record.ClassContainer, Rule: b.rule(imageRules), Path: b.folder() + "Dockerfile", Line: 1,
		})
		return
	}
	rules := codeRules
	if team := b.team(); team != nil && team.Services[0].ProductArea == "storefront" && b.random.Float64() < 0.6 {
		rules = scriptingRules
	}
	f := b.add(&Finding{
		Source: SourceCodeScanning, Tool: ToolCodeQL, Class: record.ClassSAST, Rule: b.rule(rules), Path: b.path(), Line: 1 + b.random.IntN(600),
	})
	if b.repository.Purpose == PurposeApplication && b.random.Float64() < 0.03 {
		twin := *f
		twin.Source, twin.Tool = SourceDefectDojo, ToolSemgrep
		b.number(&twin)
		twin.TouchedEvery, twin.Changes = 0, retold(f.Changes)
		b.list = append(b.list, &twin)
	}
}

// imported adds what a pipeline uploads to DefectDojo.
func (b *birth) imported() {
	x := b.random.Float64()
	switch {
	case b.repository.Purpose == PurposeInfrastructure:
		b.add(&Finding{
			Source: SourceDefectDojo, Tool: ToolCheckov, Class: record.ClassIaC, Rule: b.rule(infrastructureRules), Path: "deploy/values.yaml",
			Line: 1 + b.random.IntN(200),
		})
	case x < 0.2 && len(b.repository.Hosts) == 1 && b.repository.Hosts[0].InternetFacing:
		b.add(&Finding{Source: SourceDefectDojo, Tool: ToolZAP, Class: record.ClassDAST, Rule: b.rule(dynamicRules)})
	case x < 0.45:
		b.add(&Finding{
			Source: SourceDefectDojo, Tool: ToolSemgrep, Class: record.ClassSAST, Rule: b.rule(codeRules), Path: b.path(), Line: 1 + b.random.IntN(600),
		})
	default:
		b.image(SourceDefectDojo)
	}
}

// reported adds what a pipeline leaves in a file.
func (b *birth) reported() {
	if !LeavesReports(b.repository) {
		return
	}
	if b.random.Float64() < 0.4 {
		b.add(&Finding{
			Source: SourceReports, Tool: ToolSemgrep, Class: record.ClassSAST, Rule: b.rule(codeRules), Path: b.path(), Line: 1 + b.random.IntN(600),
		})
		return
	}
	b.image(SourceReports)
}

// image adds a weak package in an image.
func (b *birth) image(source Source) {
	a := b.advisory(draw(b.random, []choice[record.Severity]{
		{record.SeverityCritical, 4}, {record.SeverityHigh, 20}, {record.SeverityMedium, 46}, {record.SeverityLow, 30},
	}))
	if a != nil {
		b.add(&Finding{
			Source: source, Tool: ToolTrivy, Class: record.ClassContainer, Advisory: a, Severity: a.Severity, Path: b.folder() + manifest[a.Ecosystem],
		})
	}
}

// advisory picks one of this week's with the given severity that was not picked before, nil if there is none.
func (b *birth) advisory(severity record.Severity) *Advisory {
	if b.repository.Ecosystem == "" {
		return nil
	}
	var left []*Advisory
	for _, a := range b.world.published(b.repository.Ecosystem, b.week) {
		if a.Severity == severity && !b.taken[a] {
			left = append(left, a)
		}
	}
	if len(left) == 0 {
		return nil
	}
	a := left[b.random.IntN(len(left))]
	b.taken[a] = true
	return a
}

func (b *birth) rule(rules []choice[Rule]) *Rule {
	rule := draw(b.random, rules)
	return &rule
}

var manifest = map[string]string{
	"npm": "package-lock.json", "pip": "requirements.txt", "maven": "pom.xml", "go": "go.mod", "nuget": "packages.lock.json",
}

var extension = map[string]string{"npm": "ts", "pip": "py", "maven": "java", "go": "go", "nuget": "cs", "": "sh"}

// folder is a service's folder in a monorepo, with a final slash, and empty elsewhere.
func (b *birth) folder() string {
	var folders []string
	for _, s := range b.repository.Hosts {
		for _, h := range s.Repositories {
			if h.Repository == b.repository {
				folders = append(folders, h.Paths...)
			}
		}
	}
	if len(folders) == 0 {
		return ""
	}
	return folders[b.random.IntN(len(folders))] + "/"
}

func (b *birth) path() string {
	stems := []string{"handlers", "render", "session", "query", "upload", "client", "export", "webhook", "search", "profile"}
	return fmt.Sprintf("%ssrc/%s/%s.%s", b.folder(), stems[b.random.IntN(len(stems))], stems[b.random.IntN(len(stems))],
		extension[b.repository.Ecosystem])
}

// add gives a finding its number, its birth and its fate.
func (b *birth) add(f *Finding) *Finding {
	f.Repository = b.repository
	if f.Rule != nil && f.Severity == "" {
		f.Severity = f.Rule.Severity
	}
	b.number(f)
	f.Born = startOf(b.week).Add(between(b.random, 0, week-time.Second))
	if f.Advisory != nil && f.Born.Before(f.Advisory.Published) {
		f.Born = f.Advisory.Published.Add(between(b.random, time.Minute, day))
	}
	if f.Source != SourceReports && f.Source != SourceDefectDojo { // those date changes of state alone
		f.TouchedEvery = between(b.random, 2*day, 4*day)
	}
	f.ActiveSecret = f.Class == record.ClassSecret && b.random.Float64() < 0.25
	f.Changes = b.fate(f)
	b.list = append(b.list, f)
	return f
}

// number gives a finding the next free number of this week.
func (b *birth) number(f *Finding) {
	if b.count == nil {
		b.count = map[Source]int64{}
	}
	n := b.count[f.Source]
	b.count[f.Source]++
	f.Number = b.week*numbersFor + n + 1
	f.ID = (b.week*256+int64(b.repository.Index))*numbersFor + n + 1
}

// maxBirths bounds what a source finds in a repository in a week beside what the story demands, so that numbers stay unique.
const (
	maxBirths  = 12
	numbersFor = 32
)
