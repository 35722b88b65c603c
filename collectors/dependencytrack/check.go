package dependencytrack

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// The version that brought findings of the whole portfolio in one call.
const portfolioMajor, portfolioMinor = 4, 14

// analysisOverdue is how long ago the server may have last computed its portfolio; it does so every hour by default.
const analysisOverdue = 48 * time.Hour

// predatesPortfolio reports whether the server is known to be too old for the portfolio call. A newer one that answers 404
// hides the call, which is an error and no reason to ask project by project.
func (c *Collector) predatesPortfolio(ctx context.Context) bool {
	var about struct {
		Version string `json:"version"`
	}
	if _, err := c.Source.Get(ctx, "api/version", nil, &about); err != nil {
		return false
	}
	first, rest, _ := strings.Cut(strings.TrimPrefix(about.Version, "v"), ".")
	second, _, _ := strings.Cut(rest, ".")
	major, errMajor := strconv.Atoi(first)
	minor, errMinor := strconv.Atoi(second)
	if errMajor != nil || errMinor != nil {
		return false
	}
	return major < portfolioMajor || major == portfolioMajor && minor < portfolioMinor
}

// Check asks for one item of each list, and how long ago the server analysed its portfolio.
func (c *Collector) Check(ctx context.Context) ([]collectors.CheckResult, error) {
	one := url.Values{"pageNumber": {"1"}, "pageSize": {"1"}}
	try := func(path, permission string) error {
		_, err := c.Source.Get(ctx, path, one, nil)
		return translate.Needs(err, permission)
	}
	findings := try("api/v1/finding", viewVulnerability)
	if record.ReasonOf(findings) == record.ReasonNotFound && c.predatesPortfolio(ctx) {
		findings = nil // Read project by project.
	}
	results := []collectors.CheckResult{
		{Subject: "projects", Err: try("api/v1/project", viewPortfolio), Unknown: "everything this server knows"},
		{Subject: "findings", Err: findings, Unknown: "vulnerable components"},
	}
	if !c.config.WithoutViolations {
		results = append(results, collectors.CheckResult{Subject: "policy violations", Err: try("api/v1/violation", viewViolation), Unknown: "policy violations (class other)"})
	}
	results = append(results, collectors.CheckResult{
		Subject: "age of the portfolio's analysis", Err: c.analysed(ctx), Unknown: "whether the findings are those of today",
	})
	return results, ctx.Err()
}

// analysed fails if the server has not computed its portfolio lately.
func (c *Collector) analysed(ctx context.Context) error {
	var metrics struct {
		Last translate.Time `json:"lastOccurrence"`
	}
	if _, err := c.Source.Get(ctx, "api/v1/metrics/portfolio/current", nil, &metrics); err != nil {
		return translate.Needs(err, viewPortfolio)
	}
	if age := c.Env.Now().Sub(metrics.Last.Time); metrics.Last.IsZero() || age > analysisOverdue {
		return &record.Error{Reason: record.ReasonOther, Err: fmt.Errorf(
			"the server last computed its portfolio at %s: see whether its scheduled tasks run", metrics.Last.Format(time.RFC3339))}
	}
	return nil
}
