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

// ScopeError says what a failure means for a scope that needs a permission. It names the permission only where GitHub refuses without another reason.
func ScopeError(err error, permission string) error {
	e, ok := errors.AsType[*record.Error](err)
	if !ok {
		return err
	}
	if e.Reason != record.ReasonPermission && e.Reason != record.ReasonNotFound {
		return err
	}
	if _, ok := errors.AsType[explained](err); ok {
		return err
	}
	result := *e
	message := strings.ToLower(e.Error())
	switch {
	case paidPlan(message):
		result.Reason, result.Permission, result.Err = record.ReasonFeatureOff, "", explain("needs a paid plan of GitHub, or a public repository: %w", e.Err)
	case FeatureOff(message):
		result.Reason, result.Permission = record.ReasonFeatureOff, ""
	case singleSignOn(message):
		result.Permission, result.Err = "", explain("the credential is not authorised for the organisation's single sign-on (SSO): authorise it in GitHub's settings of tokens: %w", e.Err)
	case notAllowedAddress(message):
		result.Permission, result.Err = "", explain("the organisation's IP allow list does not hold this host's address: %w", e.Err)
	case blocked(message):
		result.Permission, result.Err = "", explain("GitHub blocks the repository: %w", e.Err)
	default:
		// GitHub answers 404, too, where a credential may not look.
		result.Reason = record.ReasonPermission
		if result.Permission == "" {
			result.Permission = permission
		}
	}
	return &result
}

// explained is a failure whose reason is another than a missing permission, and is said.
type explained struct{ error }

func (e explained) Unwrap() error { return e.error }

func explain(format string, cause error) error { return explained{fmt.Errorf(format, cause)} }

// notSelected says what a refusal by one repository means where others answer: no permission is missing.
func notSelected(err error) error {
	e, ok := errors.AsType[*record.Error](ScopeError(err, ""))
	if !ok || e.Reason != record.ReasonPermission {
		return ScopeError(err, "")
	}
	result := *e
	result.Permission = ""
	if _, ok := errors.AsType[explained](result.Err); !ok {
		result.Err = explain("this repository refuses what others of the organisation answer: is it among those selected for the credential, and does its plan include it: %w", e.Err)
	}
	return &result
}

// FeatureOff recognises the ways in which GitHub says that a feature is switched off.
func FeatureOff(message string) bool {
	return containsAny(strings.ToLower(message), "not enabled", "must be enabled", "is disabled", "are disabled", "not available for this", "no analysis found")
}

// paidPlan recognises the ways in which GitHub says that a feature is not part of the plan.
func paidPlan(message string) bool {
	return containsAny(message, "upgrade to github", "upgrade your plan", "upgrade to a paid plan", "requires a paid plan", "requires github enterprise", "is not available on your plan")
}

// singleSignOn recognises that a token is valid and not authorised for an organisation with single sign-on.
func singleSignOn(message string) bool {
	return containsAny(message, "saml enforcement", "saml sso", "single sign-on", "saml_forbidden")
}

func notAllowedAddress(message string) bool {
	return containsAny(message, "ip allow list")
}

func blocked(message string) bool {
	return containsAny(message, "access blocked", "unavailable due to dmca", "repository has been disabled", "repository was archived so is read-only")
}

func containsAny(message string, phrases ...string) bool {
	for _, phrase := range phrases {
		if strings.Contains(message, phrase) {
			return true
		}
	}
	return false
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
