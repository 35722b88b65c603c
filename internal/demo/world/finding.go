package world

import (
	"time"

	"prodsec_exporter/internal/record"
)

// Source is the system that reports a finding.
type Source string

// The sources.
const (
	SourceDependabot     Source = "dependabot"
	SourceCodeScanning   Source = "code_scanning"
	SourceSecretScanning Source = "secret_scanning"
	SourceDefectDojo     Source = "defectdojo"
	// SourceReports are files that a pipeline leaves behind; they list what is there at the last nightly scan.
	SourceReports Source = "reports"
)

// Tool is the scanner behind a finding.
type Tool string

// The tools.
const (
	ToolDependabot Tool = "Dependabot"
	ToolSecrets    Tool = "secret-scanning"
	ToolCodeQL     Tool = "CodeQL"
	ToolCheckov    Tool = "checkov"
	ToolSemgrep    Tool = "Semgrep"
	ToolTrivy      Tool = "Trivy"
	ToolZAP        Tool = "ZAP"
	ToolDrift      Tool = "Checkov drift"
)

// Rule is a check of a tool.
type Rule struct {
	ID       string
	Name     string
	CWE      int
	Severity record.Severity
}

// Finding is one report of one weakness by one tool, with all that will ever happen to it. It does not change.
type Finding struct {
	Source Source
	Tool   Tool
	Class  record.Class
	// Repository holds the weak code.
	Repository *Repository
	// Number is unique for a source and repository, ID for a source; both grow with time.
	Number, ID int64
	Severity   record.Severity
	// Advisory is set for weak packages, Rule for everything else.
	Advisory *Advisory
	Rule     *Rule
	// Path and Line say where it is.
	Path string
	Line int
	Born time.Time
	// Changes are closures and reopenings, by time.
	Changes []Change
	// TouchedEvery is how often the source changes something of no consequence while it is open; 0 for never.
	TouchedEvery time.Duration
	// KnownExploited says that it is on a list of exploited weaknesses, ActiveSecret that a leaked secret works.
	KnownExploited bool
	ActiveSecret   bool
	// Flap is set for a check that flaps instead of following Changes, until its last change.
	Flap *Flap
}

// Change is a closure, or a reopening if To is record.ClosureNone.
type Change struct {
	At time.Time
	To record.Closure
}

// Flap is the rhythm of a check that opens and closes again and again.
type Flap struct {
	Period time.Duration
	// Open is how long it is open in each period.
	Open time.Duration
}

// State is what a source says about a finding at an instant.
type State struct {
	Closure record.Closure
	// ClosedAt is zero while the finding is open. UpdatedAt is the last change of any kind.
	ClosedAt, UpdatedAt time.Time
}

// At is the state of a finding at an instant not before its birth.
func (f *Finding) At(t time.Time) State {
	s := State{UpdatedAt: f.Born}
	for _, c := range f.Changes {
		if c.At.After(t) {
			break
		}
		s.Closure, s.UpdatedAt, s.ClosedAt = c.To, c.At, c.At
	}
	if s.Closure != record.ClosureNone {
		return s
	}
	s.ClosedAt = time.Time{}
	if f.Flap != nil {
		return f.flapping(t)
	}
	if f.TouchedEvery > 0 {
		touched := f.Born.Add(t.Sub(f.Born).Truncate(f.TouchedEvery))
		if touched.After(s.UpdatedAt) {
			s.UpdatedAt = touched
		}
	}
	return s
}

func (f *Finding) flapping(t time.Time) State {
	opened := f.Born.Add(t.Sub(f.Born).Truncate(f.Flap.Period))
	closed := opened.Add(f.Flap.Open)
	if t.Before(closed) {
		return State{UpdatedAt: opened}
	}
	return State{Closure: record.ClosureFixed, ClosedAt: closed, UpdatedAt: closed}
}

// end is when the finding is closed for good.
func (f *Finding) end() (at time.Time, closed bool) {
	if len(f.Changes) == 0 {
		return time.Time{}, false
	}
	last := f.Changes[len(f.Changes)-1]
	return last.At, last.To != record.ClosureNone
}

// Service is the service that the finding belongs to, nil when no catalog knows.
func (f *Finding) Service() *Service { return f.Repository.Service(f.Path) }

// CWE is the number of the weakness class, 0 for none.
func (f *Finding) CWE() int {
	if f.Advisory != nil {
		return f.Advisory.CWE
	}
	return f.Rule.CWE
}

// Title is one line for people.
func (f *Finding) Title() string {
	if f.Advisory != nil {
		return f.Advisory.Summary
	}
	return f.Rule.Name
}

// Advisory is a published weakness of a package.
type Advisory struct {
	GHSA, CVE string
	Ecosystem string
	Package   string
	Severity  record.Severity
	// Score is a CVSS base score that fits Severity.
	Score     float64
	CWE       int
	Summary   string
	Published time.Time
	// Affected is the newest affected version, Patched the first one without the weakness (empty when there is none).
	Affected, Patched string
	EPSS              float64
}

type advisoryKey struct {
	ecosystem string
	week      int64
}

type birthKey struct {
	repository int
	week       int64
}
