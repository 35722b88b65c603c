package record

import (
	"errors"
	"time"
)

// ErrorReason classifies why a scope could not be read. It is the label "reason" of
// prodsec_collection_errors_total.
type ErrorReason string

// The reasons.
const (
	// ReasonUnauthorized: the credential is wrong or expired (401).
	ReasonUnauthorized ErrorReason = "unauthorized"
	// ReasonPermission: the credential is valid but may not read this (403, or a 404 that hides a 403).
	ReasonPermission ErrorReason = "permission"
	// ReasonFeatureOff: the feature is switched off at the source.
	ReasonFeatureOff ErrorReason = "feature_off"
	// ReasonNotFound: what the configuration names does not exist.
	ReasonNotFound ErrorReason = "not_found"
	// ReasonRateLimited: the budget is spent and does not return within this collection.
	ReasonRateLimited ErrorReason = "rate_limited"
	// ReasonTruncated: the source ended early: a cut body, a repeated cursor, more pages than the bound.
	ReasonTruncated ErrorReason = "truncated"
	// ReasonDecode: the answer is not in the form the source promises.
	ReasonDecode ErrorReason = "decode"
	// ReasonTransport: no answer (connection, TLS, time-out, refused redirect).
	ReasonTransport ErrorReason = "transport"
	// ReasonServer: the source failed (5xx).
	ReasonServer ErrorReason = "server"
	// ReasonRejected: the source refused the request as malformed (4xx other than the above).
	ReasonRejected ErrorReason = "rejected"
	// ReasonCanceled: the exporter stopped or the time budget of the collection ended.
	ReasonCanceled ErrorReason = "canceled"
	// ReasonOther: none of the above.
	ReasonOther ErrorReason = "other"
)

// ErrorReasons lists every reason.
func ErrorReasons() []ErrorReason {
	return []ErrorReason{
		ReasonUnauthorized, ReasonPermission, ReasonFeatureOff, ReasonNotFound, ReasonRateLimited, ReasonTruncated,
		ReasonDecode, ReasonTransport, ReasonServer, ReasonRejected, ReasonCanceled, ReasonOther,
	}
}

// Error is a classified failure to read something. It never holds a credential.
type Error struct {
	Reason ErrorReason
	// Permission names what the credential lacks, in the vendor's words, when the source said so.
	Permission string
	// RetryAfter is how long the source asked to be left alone; zero when it did not say.
	RetryAfter time.Duration
	Err        error
}

// Error says what failed and, if known, which permission is missing.
func (e *Error) Error() string {
	s := string(e.Reason)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Permission != "" {
		s += " (missing permission: " + e.Permission + ")"
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ReasonOf is the reason of the first *Error in err's chain, ReasonOther if there is none.
func ReasonOf(err error) ErrorReason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return ReasonOther
}
