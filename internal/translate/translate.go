// Package translate holds what collectors of scanner APIs share when they turn a vendor's words into records: tables of
// words whose unknown ones are noticed (Vocabulary), values that APIs spell in several ways, and the way from a vendor's project to a
// repository or service (Projects).
//
// Everything here is about form. What a vendor's word means is decided in the vendor's collector. The package knows records and requests and no collector.
//
// To add a form that a second vendor needs, too: a type with its UnmarshalJSON or a function here, with a table of spellings in its test. What one vendor needs stays in its
// collector; how lists are read page by page is in package platform.
package translate

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"prodsec_exporter/internal/record"
)

// Errors that say why an item of a page is left out. Reason tells them apart.
var (
	ErrNoID      = errors.New("the item has no id")
	ErrNoTarget  = errors.New("the item does not say what it is about")
	ErrTimestamp = errors.New("the item has a date that cannot be read")
)

// Reason is the reason under which an item is counted that was left out because of err.
func Reason(err error) record.RejectReason {
	switch {
	case errors.Is(err, ErrNoID):
		return record.RejectNoID
	case errors.Is(err, ErrNoTarget):
		return record.RejectNoTarget
	case errors.Is(err, ErrTimestamp):
		return record.RejectTimestamp
	default:
		return record.RejectDecode
	}
}

// Decode reads one item of a page.
func Decode[T any](raw json.RawMessage) (*T, error) {
	var item *T
	if err := json.Unmarshal(raw, &item); err != nil {
		return nil, fmt.Errorf("decode an item: %w", err)
	}
	if item == nil {
		return nil, fmt.Errorf("decode an item: %w", ErrNoID)
	}
	return item, nil
}

// ID is an identifier that an API writes as text or as a number.
type ID string

// UnmarshalJSON reads text, a number or null, which is empty.
func (id *ID) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, (*string)(id))
	}
	var number json.Number
	if err := json.Unmarshal(data, &number); err != nil {
		return fmt.Errorf("read an identifier: %w", err)
	}
	*id = ID(number.String())
	return nil
}

// Number is a number that an API writes as such or as text. Whatever else it writes is 0, which means unknown: a score that
// cannot be read is no reason to lose the finding.
type Number float64

// UnmarshalJSON reads a number, text with a number, or anything else as 0.
func (n *Number) UnmarshalJSON(data []byte) error {
	var value json.Number
	*n = 0
	if err := json.Unmarshal(data, &value); err != nil {
		return nil //nolint:nilerr // See the type: what is not a number is unknown.
	}
	if f, err := value.Float64(); err == nil {
		*n = Number(f)
	}
	return nil
}

// Probability is the number if it lies in 0–1, else 0 (unknown).
func (n Number) Probability() float64 {
	if n < 0 || n > 1 {
		return 0
	}
	return float64(n)
}

// SeverityOfScore rates a CVSS base score as CVSS 3 and 4 do: from 9.0 critical, from 7.0 high, from 4.0 medium, above 0 low.
func SeverityOfScore(score float64) record.Severity {
	switch {
	case score > 10 || score != score: //nolint:staticcheck // NaN differs from itself.
		return record.SeverityUnknown
	case score >= 9:
		return record.SeverityCritical
	case score >= 7:
		return record.SeverityHigh
	case score >= 4:
		return record.SeverityMedium
	case score > 0:
		return record.SeverityLow
	default:
		return record.SeverityUnknown
	}
}

var cwe = regexp.MustCompile(`(?i)\bcwe[-_ :]?0*([1-9][0-9]{0,4})\b`)

// CWE finds the first weakness id in texts such as "CWE-79", "cwe-079" or "CWE-79: Cross-site Scripting".
func CWE(texts ...string) string {
	for _, text := range texts {
		if m := cwe.FindStringSubmatch(text); m != nil {
			return "CWE-" + m[1]
		}
	}
	return ""
}

var advisory = regexp.MustCompile(`(?i)\b(CVE-[0-9]{4}-[0-9]{4,}|GHSA(-[0-9a-z]{4}){3}|(PYSEC|RUSTSEC|GO|OSV|MAL)-[0-9]{4}-[0-9]+|SNYK-[A-Z0-9-]+-[0-9]+)\b`)

// Aliases finds the advisory ids in texts, in upper case, each once, in the order of their first appearance. An id of a
// distribution (DSA, RHSA...) covers several weaknesses at once and is not an alias of any of them.
func Aliases(texts ...string) []string {
	var found []string
	seen := map[string]bool{}
	for _, text := range texts {
		for _, id := range advisory.FindAllString(text, -1) {
			if id = strings.ToUpper(id); !seen[id] {
				seen[id] = true
				found = append(found, id)
			}
		}
	}
	return found
}
