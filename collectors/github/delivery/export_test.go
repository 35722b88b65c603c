package delivery

import (
	"encoding/json"

	"prodsec_exporter/internal/record"
)

// CodeScanningApp is what reports the results of code scanning as checks.
const CodeScanningApp = codeScanningApp

// Change translates a pull request of which some fields are hidden; missing is the permission that would show what is unknown.
func (c *Collector) Change(text string, hidden []string) (change record.Change, missing string, err error) {
	node := &pullNode{}
	if err := json.Unmarshal([]byte(text), node); err != nil {
		return record.Change{}, "", err
	}
	p := c.change(node, hidden)
	return p.Change, p.missing, nil
}

// NumberOf is the number of a pull request by the identity of its change.
func NumberOf(id string) int { return numberOf(id) }

// RunOf is the number of the workflow run that a log belongs to.
func RunOf(logURL string) int64 { return runOf(logURL) }

// EvidenceOf says whether an approval is evidence of one.
func EvidenceOf(a record.Approval) record.Answer { return evidenceOf(a) }
