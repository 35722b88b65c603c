package sonarqube

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/platform"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// dependenciesPath lists dependency risks: vulnerable packages and prohibited licences. Server has them from 2025.4 on with Advanced Security.
const dependenciesPath = "api/v2/sca/issues-releases"

// dependencyStatuses are the statuses of dependency risks. A status that we do not know is open.
var dependencyStatuses = translate.Vocabulary[record.Closure]{
	Name: "sonarqube dependency risk status",
	Words: map[string]record.Closure{
		"open": record.ClosureNone, "confirm": record.ClosureNone, "confirmed": record.ClosureNone, "reopened": record.ClosureNone, "": record.ClosureNone,
		"accept": record.ClosureRiskAccepted, "accepted": record.ClosureRiskAccepted, "safe": record.ClosureFalsePositive, "false_positive": record.ClosureFalsePositive,
		"fixed": record.ClosureFixed,
	},
	Other: record.ClosureNone,
}

// dependencyClasses are the types of dependency risk.
var dependencyClasses = translate.Vocabulary[record.Class]{
	Name:  "sonarqube dependency risk type",
	Words: map[string]record.Class{"vulnerability": record.ClassSCA, "malware": record.ClassSCA, "prohibited_license": record.ClassOther, "": record.ClassSCA},
	Other: record.ClassOther,
}

// dependencySeverities are the severities of dependency risks.
var dependencySeverities = translate.Vocabulary[record.Severity]{
	Name: "sonarqube dependency risk severity",
	Words: map[string]record.Severity{
		"blocker": record.SeverityCritical, "critical": record.SeverityCritical, "high": record.SeverityHigh, "medium": record.SeverityMedium, "low": record.SeverityLow,
		"info": record.SeverityLow, "": record.SeverityUnknown,
	},
	Other: record.SeverityUnknown,
}

type wireDependency struct {
	Key           string           `json:"key"`
	Type          string           `json:"type"`
	Severity      string           `json:"severity"`
	Status        string           `json:"status"`
	Vulnerability string           `json:"vulnerabilityId"`
	CVSS          translate.Number `json:"cvssScore"`
	CWEs          []string         `json:"cweIds"`
	CreatedAt     translate.Time   `json:"createdAt"`
	Release       struct {
		URL     string   `json:"packageUrl"`
		Manager string   `json:"packageManager"`
		Name    string   `json:"packageName"`
		Version string   `json:"version"`
		License string   `json:"licenseExpression"`
		Files   []string `json:"dependencyFilePaths"`
	} `json:"release"`
}

// dependency translates one dependency risk.
func (c *Collector) dependency(raw json.RawMessage, p project) (record.Finding, error) {
	w, err := translate.Decode[wireDependency](raw)
	if err != nil {
		return record.Finding{}, err
	}
	if w.Key == "" {
		return record.Finding{}, fmt.Errorf("dependency risk: %w", translate.ErrNoID)
	}
	f := record.Finding{
		ID: "dependency:" + record.Text(w.Key), Tool: tool, Class: dependencyClasses.Of(c.Words, w.Type), Repository: p.owner.Repository, Service: p.owner.Service,
		URL: c.address("/dependency-risks", p.key, "key", w.Key), Severity: dependencySeverities.Of(c.Words, w.Severity), Rule: record.Text(w.Vulnerability),
		Category: translate.CWE(w.CWEs...), Aliases: translate.Aliases(w.Vulnerability), Version: record.Text(w.Release.Version), FirstSeen: w.CreatedAt.Time,
		Closure: dependencyStatuses.Of(c.Words, w.Status), Package: record.Package(w.Release.Manager, w.Release.Name),
	}
	if f.Severity == record.SeverityUnknown {
		f.Severity = translate.SeverityOfScore(float64(w.CVSS))
	}
	if purl, ok := translate.ParsePURL(w.Release.URL); ok {
		f.Package = purl.Package()
		if f.Version == "" {
			f.Version = record.Text(purl.Version)
		}
	}
	if len(w.Release.Files) > 0 {
		f.Place = record.Text(w.Release.Files[0])
	}
	what := w.Vulnerability
	if what == "" {
		what = strings.TrimSpace(w.Type + " " + w.Release.License)
	}
	f.Title = record.Text(what + " in " + w.Release.Name)
	if f.Category == "" {
		f.Category = record.CategoryOfPackage(f.Package)
	}
	return f, nil
}

// dependencyQuery asks for the dependency risks of a project, or of a branch of it.
func dependencyQuery(p project) url.Values {
	query := url.Values{"projectKey": {p.key}}
	if p.branch != "" {
		query.Set("branchKey", p.branch)
	}
	return query
}

// readDependencies reads the dependency risks of a project.
func (c *Collector) readDependencies(ctx context.Context, p project) record.Batch {
	scope := p.scope(scopeDependencies)
	var found *translate.FindingSet
	err := platform.Again(func() error {
		found = translate.NewFindingSet()
		read := 0
		return platform.List{
			Name: dependenciesPath, ID: func(raw json.RawMessage) string { return platform.Key(raw, "key") },
			Take: func(raw json.RawMessage) { found.Take(c.dependency(raw, p)) },
			Page: platform.Numbered(1, func(ctx context.Context, number int) (platform.Page, bool, error) {
				query := dependencyQuery(p)
				query.Set("pageIndex", strconv.Itoa(number))
				query.Set("pageSize", strconv.Itoa(c.PageSize))
				var page struct {
					Items *[]json.RawMessage `json:"issuesReleases"`
					Page  struct {
						Total *int `json:"total"`
					} `json:"page"`
				}
				if _, err := c.Source.Get(ctx, dependenciesPath, query, &page); err != nil {
					return platform.Page{}, false, translate.Needs(err, browse)
				}
				if page.Items == nil {
					return platform.Page{}, false, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("%s: the answer has no list", dependenciesPath)}
				}
				read += len(*page.Items)
				return platform.Page{Items: *page.Items, Total: page.Page.Total}, page.Page.Total != nil && read >= *page.Page.Total, nil
			}),
		}.Read(ctx)
	})
	if err != nil {
		return translate.Failed(scope, fmt.Errorf("read the dependency risks of project %s: %w", p.key, err))
	}
	b := found.Batch(scope)
	b.Classes = []record.Class{record.ClassSCA}
	return b
}

// hasDependencies reports whether the server knows dependency risks. They are no part of Cloud's address, and older servers and editions do not have them. Where that cannot be
// found out, they are read, so that each scope fails for what it is.
func (c *Collector) hasDependencies(ctx context.Context, projects []string) bool {
	if c.config.WithoutDependencyRisks || c.config.Organization != "" || len(projects) == 0 {
		return false
	}
	var feature struct {
		Enabled *bool `json:"enabled"`
	}
	if _, err := c.Source.Get(ctx, "api/v2/sca/feature-enabled", nil, &feature); err == nil && feature.Enabled != nil {
		return *feature.Enabled
	}
	query := dependencyQuery(project{key: projects[0]})
	query.Set("pageIndex", "1")
	query.Set("pageSize", "1")
	_, err := c.Source.Get(ctx, dependenciesPath, query, nil)
	switch record.ReasonOf(err) {
	case record.ReasonNotFound, record.ReasonPermission, record.ReasonRejected:
		return false
	default:
		return true
	}
}

// withoutDependencies fails the scopes of dependency risks that are known while the server does not say anything about them.
func (c *Collector) withoutDependencies(known collectors.Cursors, emit func(record.Batch) error) error {
	for _, scope := range known.Gone(scopeDependencies, func(string) bool { return false }) {
		err := &record.Error{Reason: record.ReasonFeatureOff, Err: fmt.Errorf("the server has no dependency risks (any more); leave them out with without_dependency_risks")}
		if err := emit(translate.Failed(scope, err)); err != nil {
			return err
		}
	}
	return nil
}
