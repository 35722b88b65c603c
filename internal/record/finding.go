package record

import "time"

// Severity of a finding after a collector's written rule has been applied to what the tool said.
type Severity string

// The severities, most severe first. Unknown is used when a source gives none.
const (
	SeverityCritical Severity = "critical"
	SeverityHigh     Severity = "high"
	SeverityMedium   Severity = "medium"
	SeverityLow      Severity = "low"
	SeverityUnknown  Severity = "unknown"
)

// Severities lists the severities, most severe first.
func Severities() []Severity {
	return []Severity{SeverityCritical, SeverityHigh, SeverityMedium, SeverityLow, SeverityUnknown}
}

// Class says which discipline found a weakness.
type Class string

// The classes of finding.
const (
	ClassSAST      Class = "sast"
	ClassSCA       Class = "sca"
	ClassSecret    Class = "secret"
	ClassContainer Class = "container"
	ClassIaC       Class = "iac"
	ClassDAST      Class = "dast"
	ClassOther     Class = "other"
)

// Classes lists the classes in the order of the documentation.
func Classes() []Class {
	return []Class{ClassSAST, ClassSCA, ClassSecret, ClassContainer, ClassIaC, ClassDAST, ClassOther}
}

// Closure says why a finding is closed; ClosureNone means that it is open.
type Closure string

// The closures. Only ClosureFixed is remediation; policy decides what each of the others means for an SLA.
const (
	ClosureNone          Closure = ""
	ClosureFixed         Closure = "fixed"
	ClosureFalsePositive Closure = "false_positive"
	// ClosureWontFix and ClosureRiskAccepted leave the weakness in place by somebody's choice.
	ClosureWontFix      Closure = "wont_fix"
	ClosureRiskAccepted Closure = "risk_accepted"
	ClosureUsedInTests  Closure = "used_in_tests"
	// ClosureMitigated: dismissed with the claim that something else stops the attack.
	ClosureMitigated  Closure = "mitigated"
	ClosureDuplicate  Closure = "duplicate"
	ClosureOutOfScope Closure = "out_of_scope"
	// ClosureAutoDismissed: closed by a rule of the tool.
	ClosureAutoDismissed Closure = "auto_dismissed"
	// ClosureOther: dismissed for a reason that maps to none of the above.
	ClosureOther Closure = "other"
	// ClosureRepositoryArchived, ClosureRepositoryDeleted and ClosureManifestDeleted: what the finding was about is
	// gone, which is not a fix.
	ClosureRepositoryArchived Closure = "repository_archived"
	ClosureRepositoryDeleted  Closure = "repository_deleted"
	ClosureManifestDeleted    Closure = "manifest_deleted"
	// ClosureVanished: the source no longer reports it and does not say why. The ledger sets it when a full batch
	// lacks a finding and the batch's Absence does not say better.
	ClosureVanished Closure = "vanished"
)

// Closures lists every closure but ClosureNone.
func Closures() []Closure {
	return []Closure{
		ClosureFixed, ClosureFalsePositive, ClosureWontFix, ClosureRiskAccepted, ClosureUsedInTests, ClosureMitigated,
		ClosureDuplicate, ClosureOutOfScope, ClosureAutoDismissed, ClosureOther, ClosureRepositoryArchived,
		ClosureRepositoryDeleted, ClosureManifestDeleted, ClosureVanished,
	}
}

// Finding is one report of one weakness by one tool.
type Finding struct {
	// ID is unique and stable within the collector instance, e.g. "dependabot:acme/api#12".
	ID string
	// Tool is the scanner's name in lower case, e.g. "codeql", "trivy", "dependabot".
	Tool  string
	Class Class
	// Repository holds the weak code; empty when the source does not say.
	Repository RepositoryName
	// Service is set only where the source itself names the service (e.g. a DefectDojo product mapped by
	// configuration); otherwise the catalog decides by repository and path.
	Service string
	// Title and URL are for people; they are never labels.
	Title string
	URL   string

	Severity Severity
	// Category is what recurs: a CWE ("CWE-79"), else a rule family, else an ecosystem. Empty if unknown.
	Category string
	// Rule is the tool's rule or check id.
	Rule string
	// Aliases are the advisory's ids in upper case (CVE-…, GHSA-…, OSV…), in any order.
	Aliases []string
	// Package is the affected package as "ecosystem/name" without version, empty when there is none.
	Package string
	// Version is the affected version, for people.
	Version string
	// Place is where it is: a file path or manifest path inside the repository, or an image name without tag.
	Place string
	// Line is the first line in Place, 0 if unknown.
	Line int
	// Classifications are what the source says of the code there, in its words, e.g. "test", "generated", "library"; nil where it says nothing.
	Classifications []string `json:",omitempty"`

	// Closure is ClosureNone while the finding is open.
	Closure Closure
	// FirstSeen is when the source first saw it; zero when the source gives no date (the ledger then uses the time
	// of observation and keeps it).
	FirstSeen time.Time
	// ClosedAt is when the source says it was closed; zero while open or when the source does not say.
	ClosedAt time.Time
	// UpdatedAt is the source's last change; it orders two reports of the same finding.
	UpdatedAt time.Time
	// FixAvailable says whether a fixed version exists.
	FixAvailable Answer
	// KnownExploited says whether the source lists it as exploited (KEV). EPSS is the exploit prediction in 0–1, 0
	// when unknown. ActiveSecret says whether a leaked secret was verified to work.
	KnownExploited Answer
	EPSS           float64
	ActiveSecret   Answer
}
