package snapshot

import (
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// Weakness is what families count: one or more reports of the same thing. Times are Unix seconds, 0 for none.
// The struct is kept small on purpose; texts about it are in the ledger.
type Weakness struct {
	// ID is its identity in the ledger.
	ID int64
	// FirstSeen is the earliest first-seen time of its reports.
	FirstSeen int64
	// ClockStart is where its SLA clock starts: FirstSeen, or a reopening when policy restarts the clock.
	ClockStart int64
	// ClosedAt is 0 while any report is open.
	ClosedAt int64
	// Service, Repository, Scope: indexes into the snapshot; Repository is -1 when unknown or gone. Scope is that of the first
	// open report, or of the first report when all are closed; it is -1 when that scope left the configuration, which no open
	// weakness survives.
	Service    int32
	Repository int32
	Scope      int32
	// Category and Tool are indexes into Snapshot.Strings.
	Category int32
	Tool     int32
	// EPSS is the exploit prediction in 1/10000, 0 when unknown.
	EPSS uint16
	// Reports is how many reports are folded into it, closed ones included; OpenReports those still open. Both are 0 for a
	// weakness that turned out to be a part of another one; it is closed as a duplicate and keeps its place.
	Reports     uint16
	OpenReports uint16
	Severity    policy.SeverityIndex
	Class       ClassIndex
	Closure     ClosureIndex
	// Outcome is the SLA outcome frozen for the present clock.
	Outcome Outcome
	Flags   Flags
}

// Open reports whether the weakness is open.
func (w *Weakness) Open() bool { return w.Closure == 0 }

// Withdraw makes it a part of nothing, as if it had never been seen on its own; it keeps its place.
func (w *Weakness) Withdraw() {
	w.Reports, w.OpenReports, w.Outcome = 0, 0, OutcomeNone
	w.Closure, w.ClosedAt = IndexOfClosure(record.ClosureDuplicate), w.FirstSeen
}

// Flags are facts about a weakness.
type Flags uint8

// The flags.
const (
	KnownExploited Flags = 1 << iota
	ActiveSecret
	FixAvailable
	// Orphaned: its repository is archived, or its source host no longer has it. It is unattributed, whatever catalogs state.
	Orphaned
	// RestartedClock: ClockStart is a reopening.
	RestartedClock
	// ImportedHistory: all events of it follow from its dates; none was observed as a change.
	ImportedHistory
	// UncountedOutcome: its outcome is in windows alone, because its history was read after the founding.
	UncountedOutcome
)

// Has reports whether all of the given flags are set.
func (f Flags) Has(flags Flags) bool { return f&flags == flags }

// ClassIndex is the position of a class in record.Classes.
type ClassIndex uint8

// ClosureIndex is one more than the position of a closure in record.Closures; 0 is open.
type ClosureIndex uint8

var (
	classes     = record.Classes()
	closures    = append([]record.Closure{record.ClosureNone}, record.Closures()...)
	classIndex  = indexOf[record.Class, ClassIndex](classes)
	closedIndex = indexOf[record.Closure, ClosureIndex](closures)
)

func indexOf[K comparable, I ~uint8](values []K) map[K]I {
	index := make(map[K]I, len(values))
	for i, v := range values {
		index[v] = I(i)
	}
	return index
}

// IndexOfClass is the index of a class; an unknown one counts as record.ClassOther.
func IndexOfClass(c record.Class) ClassIndex {
	if i, ok := classIndex[c]; ok {
		return i
	}
	return classIndex[record.ClassOther]
}

// Class is the class at the index.
func (i ClassIndex) Class() record.Class { return classes[i] }

// IndexOfClosure is the index of a closure; an unknown one counts as record.ClosureOther.
func IndexOfClosure(c record.Closure) ClosureIndex {
	if i, ok := closedIndex[c]; ok {
		return i
	}
	return closedIndex[record.ClosureOther]
}

// Closure is the closure at the index.
func (i ClosureIndex) Closure() record.Closure { return closures[i] }

// Outcome is how an SLA ended.
type Outcome uint8

// The outcomes. They are stored by name, never by number.
const (
	OutcomeNone Outcome = iota
	OutcomeMet
	OutcomeMissed
	OutcomeVoid
)

// Outcomes lists the outcomes that are counted.
func Outcomes() []Outcome { return []Outcome{OutcomeMet, OutcomeMissed, OutcomeVoid} }

var outcomeNames = [...]string{"", "met", "missed", "void"}

// String is the value of the label "outcome".
func (o Outcome) String() string { return outcomeNames[o] }
