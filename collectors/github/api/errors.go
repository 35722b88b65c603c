package api

import (
	"errors"
	"fmt"
	"strings"

	"prodsec_exporter/internal/record"
)

// Permissions that several parts need: ContentsPermission to read files, commits and releases, RunsPermission to read workflow runs and their approvals.
const (
	ContentsPermission = "contents=read"
	RunsPermission     = "actions=read"
)

// ScopeError says what a failure means for a scope that needs a permission.
func ScopeError(err error, permission string) error {
	e, ok := errors.AsType[*record.Error](err)
	if !ok {
		return err
	}
	if e.Reason != record.ReasonPermission && e.Reason != record.ReasonNotFound {
		return err
	}
	result := *e
	if FeatureOff(e.Error()) {
		result.Reason, result.Permission = record.ReasonFeatureOff, ""
		return &result
	}
	// GitHub answers 404, too, where a credential may not look.
	result.Reason = record.ReasonPermission
	if result.Permission == "" {
		result.Permission = permission
	}
	return &result
}

// FeatureOff recognises the ways in which GitHub says that a feature is switched off.
func FeatureOff(message string) bool {
	message = strings.ToLower(message)
	for _, phrase := range []string{"not enabled", "must be enabled", "is disabled", "are disabled", "not available for this", "no analysis found"} {
		if strings.Contains(message, phrase) {
			return true
		}
	}
	return false
}

// LackedPermission is the permission that GitHub named in a failure, else the one given.
func LackedPermission(err error, permission string) string {
	if e, ok := errors.AsType[*record.Error](err); ok && e.Permission != "" {
		return e.Permission
	}
	return permission
}

// MissingField is the error of an answer without the field that GitHub always sends.
func MissingField(path, field string) error {
	return &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("decode the answer to GET %s: it lacks %s", path, field)}
}

// TooHeavy reports whether a smaller query may succeed: GitHub answers 502 or 504 to a query that takes more than ten seconds,
// or drops the connection.
func TooHeavy(err error) bool {
	switch record.ReasonOf(err) {
	case record.ReasonServer, record.ReasonTransport, record.ReasonTruncated:
		return true
	default:
		return false
	}
}

// rejection leaves one item of an answer out.
type rejection struct {
	reason record.RejectReason
	err    error
}

func (r rejection) Error() string { return fmt.Sprintf("%s: %v", r.reason, r.err) }

func (r rejection) Unwrap() error { return r.err }

// Reject is the error that leaves one item out of a batch for a reason.
func Reject(reason record.RejectReason, err error) error { return rejection{reason, err} }

// RejectReasonOf is why an item is left out: the reason of Reject, else that of a value that could not be decoded.
func RejectReasonOf(err error) record.RejectReason {
	if r, ok := errors.AsType[rejection](err); ok {
		return r.reason
	}
	if errors.Is(err, ErrTimestamp) {
		return record.RejectTimestamp
	}
	return record.RejectDecode
}

// Answered is a probe's error, nil where the feature is off: that is an answer, too.
func Answered(err error) error {
	if record.ReasonOf(err) == record.ReasonFeatureOff {
		return nil
	}
	return err
}
