package record

import "time"

// Mode says how a batch is to be applied.
type Mode string

// The modes.
const (
	// Full replaces the scope: of every kind the batch covers, what is absent is gone.
	Full Mode = "full"
	// Delta only inserts and updates; it never removes anything.
	Delta Mode = "delta"
)

// Cursor is where the next Delta of a scope starts; opaque outside of the collector that made it.
type Cursor string

// CursorAt is the cursor of a scope that is read by time: the instant in whole seconds, rounded down, so that a delta from it misses nothing.
func CursorAt(t time.Time) Cursor { return Cursor(t.UTC().Format(time.RFC3339)) }

// Time is the instant of a cursor that CursorAt made. ok is false for an empty cursor and for one that is no instant, after which a scope is read whole.
func (c Cursor) Time() (t time.Time, ok bool) {
	t, err := time.Parse(time.RFC3339, string(c))
	return t, err == nil
}

// Batch is what a collector learned about one scope, the smallest unit that can be read whole or fail alone.
type Batch struct {
	// Scope is a stable name, unique within the collector instance, e.g. "dependabot:acme". The text before the
	// first colon is the scope's kind and must come from a small fixed set.
	Scope string
	Mode  Mode

	// Records by kind. A nil slice: this batch does not cover that kind. An empty one: there are none.
	Services        []Service
	Repositories    []Repository
	Findings        []Finding
	Exceptions      []Exception
	Reviews         []Review
	Followups       []Followup
	Incidents       []Incident
	Deployments     []Deployment
	Releases        []Release
	Escalations     []Escalation
	Evidence        []Evidence
	Scans           []Scan
	Pipelines       []Pipeline
	Runners         []Runner
	CloudIdentities []CloudIdentity
	Bypasses        []Bypass
	Exploitations   []Exploitation

	// Classes are the classes of finding that the scope covers even when it holds none, so that clean and never
	// scanned differ; those of the findings themselves need not be listed.
	Classes []Class
	// Absence says what it means when a Full batch lacks a finding that the scope had: ClosureFixed for a report
	// that lists what is there now; ClosureNone lets the ledger record ClosureVanished.
	Absence Closure
	// Unread are places (Finding.Place) that the source says it did not look at: what a Full batch lacks there stays. Read, if not nil, are the only places
	// that it looked at: what a Full batch lacks elsewhere stays.
	Unread, Read []string
	// AsOf is when the source produced what was read (a report's own date); zero means now.
	AsOf time.Time
	// Cursor is stored in the same transaction as the records; empty keeps the previous one.
	Cursor Cursor
	// Rejected counts items that were left out because they could not be understood or are about no weakness, by reason. A Full batch that left
	// out more than the scope's last whole one removes nothing: what it lacks may be what it could not understand.
	Rejected map[RejectReason]int
	// Retired says that the scope is gone at its source: a project that was deleted or made inactive, an organisation that left. The batch holds nothing
	// else but Absence, the reason for which what the scope held is closed; the scope is then forgotten, until another batch names it.
	Retired bool
	// Err says why the scope could not be read whole. With Err set nothing else but Scope, Classes and the kinds of record that it covers is looked at: the
	// scope keeps its previous records. It wraps an *Error where the cause was classified.
	Err error
}

// RejectReason says why a single item was left out of a batch.
type RejectReason string

// The reasons.
const (
	RejectDecode     RejectReason = "decode"
	RejectNoID       RejectReason = "no_id"
	RejectNoTarget   RejectReason = "no_target"
	RejectTimestamp  RejectReason = "timestamp"
	RejectOutOfRange RejectReason = "out_of_range"
	// RejectNotSecurity: the item was understood and is about no weakness (a rule of code quality or style, a licence).
	RejectNotSecurity RejectReason = "not_security"
	// RejectExcluded: the item was understood, and the configuration leaves it out.
	RejectExcluded RejectReason = "excluded"
)

// Size is the number of records in the batch.
func (b *Batch) Size() int {
	return len(b.Services) + len(b.Repositories) + len(b.Findings) + len(b.Exceptions) + len(b.Reviews) +
		len(b.Followups) + len(b.Incidents) + len(b.Deployments) + len(b.Releases) + len(b.Escalations) +
		len(b.Evidence) + len(b.Scans) + len(b.Pipelines) + len(b.Runners) + len(b.CloudIdentities) + len(b.Bypasses) +
		len(b.Exploitations)
}

// LeftOut is the number of items that could not be understood. What is about no weakness, and what the configuration leaves out, was.
func (b *Batch) LeftOut() int {
	sum := 0
	for reason, n := range b.Rejected {
		if reason != RejectNotSecurity && reason != RejectExcluded {
			sum += n
		}
	}
	return sum
}

// Kinds lists the kinds of record that the batch covers, including those of which it has none.
func (b *Batch) Kinds() []Kind {
	var kinds []Kind
	for _, k := range [...]struct {
		kind    Kind
		covered bool
	}{
		{KindService, b.Services != nil}, {KindRepository, b.Repositories != nil}, {KindFinding, b.Findings != nil},
		{KindException, b.Exceptions != nil}, {KindReview, b.Reviews != nil}, {KindFollowup, b.Followups != nil},
		{KindIncident, b.Incidents != nil}, {KindDeployment, b.Deployments != nil}, {KindRelease, b.Releases != nil},
		{KindEscalation, b.Escalations != nil}, {KindEvidence, b.Evidence != nil}, {KindScan, b.Scans != nil},
		{KindPipeline, b.Pipelines != nil}, {KindRunner, b.Runners != nil}, {KindCloudIdentity, b.CloudIdentities != nil},
		{KindBypass, b.Bypasses != nil}, {KindExploitation, b.Exploitations != nil},
	} {
		if k.covered {
			kinds = append(kinds, k.kind)
		}
	}
	return kinds
}
