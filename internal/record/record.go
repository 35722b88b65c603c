// Package record holds the facts a product-security programme is measured by, in no vendor's words.
//
// Collectors translate what an API says into these types, the ledger keeps them, and metrics are computed from
// them. A record says only what its source said: decisions (is this late? is this protected enough?) belong to
// package policy. The package imports the standard library alone, and every enumeration is a typed string
// constant whose value is stable: it is stored, exported as a label value and documented.
//
// Conventions: the zero time.Time means "the source does not say"; an Answer is yes, no or unknown and never
// defaults to yes; identifiers are opaque outside of the collector that made them.
//
// To add a kind of record: a file with its type, its constant in Kinds and its field of Batch; package records of the ledger stores it. To add a fact: a field whose zero value means unknown.
package record

import "time"

// Kind names a kind of record. It is the value of the label "kind" of prodsec_records.
type Kind string

// The kinds of record a Batch can carry.
const (
	KindService       Kind = "service"
	KindRepository    Kind = "repository"
	KindFinding       Kind = "finding"
	KindException     Kind = "exception"
	KindReview        Kind = "review"
	KindFollowup      Kind = "followup"
	KindIncident      Kind = "incident"
	KindDeployment    Kind = "deployment"
	KindRelease       Kind = "release"
	KindEscalation    Kind = "escalation"
	KindEvidence      Kind = "evidence"
	KindScan          Kind = "scan"
	KindPipeline      Kind = "pipeline"
	KindRunner        Kind = "runner"
	KindCloudIdentity Kind = "cloud_identity"
	KindBypass        Kind = "bypass"
	KindExploitation  Kind = "exploitation"
)

// Kinds lists every kind in the order of the documentation.
func Kinds() []Kind {
	return []Kind{
		KindService, KindRepository, KindFinding, KindException, KindReview, KindFollowup,
		KindIncident, KindDeployment, KindRelease, KindEscalation, KindEvidence, KindScan,
		KindPipeline, KindRunner, KindCloudIdentity, KindBypass, KindExploitation,
	}
}

// Answer is what is known about a yes-or-no question. The zero value is AnswerUnknown, so that what nobody
// answered can never be counted as good.
type Answer string

// The answers.
const (
	AnswerUnknown Answer = ""
	AnswerYes     Answer = "yes"
	AnswerNo      Answer = "no"
)

// AnswerOf turns a known boolean into an Answer.
func AnswerOf(yes bool) Answer {
	if yes {
		return AnswerYes
	}
	return AnswerNo
}

// Known reports whether the question was answered.
func (a Answer) Known() bool { return a == AnswerYes || a == AnswerNo }

// Or is the answer to "a or b": yes if either is yes, no only if both are no.
func (a Answer) Or(b Answer) Answer {
	switch {
	case a == AnswerYes || b == AnswerYes:
		return AnswerYes
	case a == AnswerNo && b == AnswerNo:
		return AnswerNo
	default:
		return AnswerUnknown
	}
}

// And is the answer to "a and b": no if either is no, yes only if both are yes.
func (a Answer) And(b Answer) Answer {
	switch {
	case a == AnswerNo || b == AnswerNo:
		return AnswerNo
	case a == AnswerYes && b == AnswerYes:
		return AnswerYes
	default:
		return AnswerUnknown
	}
}

// MaxText bounds the bytes of any free text (titles, names, URLs) that a record carries.
const MaxText = 512

// Earliest returns the earlier of two times, ignoring a zero one.
func Earliest(a, b time.Time) time.Time {
	switch {
	case a.IsZero():
		return b
	case b.IsZero() || a.Before(b):
		return a
	default:
		return b
	}
}
