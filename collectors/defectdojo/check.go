package defectdojo

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// The roles of DefectDojo that may see something.
const (
	roleReader = "role Reader on the products"
	// roleAcceptances is the least role with the permission "Risk Acceptance", without which the list of acceptances is empty and no error.
	roleAcceptances = "role Writer, Maintainer or Owner on the products (a Reader sees no risk acceptance)"
)

const acceptancesPath = "api/v2/risk_acceptance/"

// Check proves the credential for each sort of thing that is read.
func (c *Collector) Check(ctx context.Context) ([]collectors.CheckResult, error) {
	var results []collectors.CheckResult
	count := func(path string, values url.Values) (int, error) {
		values.Set("limit", "1")
		var p page
		if _, err := c.Source.Get(ctx, path, values, &p); err != nil {
			return 0, translate.Needs(err, roleReader)
		}
		if p.Count == nil {
			return 0, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("the answer of %s has no count", path)}
		}
		return *p.Count, nil
	}
	counts := map[string]int{}
	for _, try := range []struct{ subject, path, unknown string }{
		{"products", "api/v2/products/", "everything read from DefectDojo"},
		{"findings", findingsPath, "the findings of all products"},
		{"tests", "api/v2/tests/", "when repositories were last scanned"},
		{"risk acceptances", acceptancesPath, "accepted risks; findings with one count as closed without an exception"},
	} {
		n, err := count(try.path, url.Values{})
		if try.path == "api/v2/products/" && err == nil && n == 0 {
			err = &record.Error{Reason: record.ReasonPermission, Permission: roleReader, Err: errors.New("the user sees no product")}
		}
		counts[try.path] = n
		results = append(results, collectors.CheckResult{Subject: "defectdojo: " + try.subject, Err: err, Unknown: try.unknown})
	}
	if last := &results[len(results)-1]; last.Err == nil && counts[acceptancesPath] == 0 {
		// Simple acceptances make no entry in the list, so that this is likely, and not certain.
		if n, err := count(findingsPath, url.Values{"risk_accepted": {"true"}}); err == nil && n > 0 {
			last.Optional, last.Unknown = true, "until when risks are accepted; findings with an accepted risk count as closed without an exception"
			last.Err = &record.Error{Reason: record.ReasonPermission, Permission: roleAcceptances, Err: fmt.Errorf(
				"the risk of %d findings is accepted, and the user sees no risk acceptance", n)}
		}
	}
	return results, ctx.Err()
}
