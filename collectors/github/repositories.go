package github

import (
	"context"
	"encoding/json"
	"net/url"

	"prodsec_exporter/internal/record"
)

// repository is a repository in the REST API. Alerts carry a short form of it.
type repository struct {
	FullName      string    `json:"full_name"`
	HTMLURL       string    `json:"html_url"`
	Visibility    string    `json:"visibility"`
	Private       bool      `json:"private"`
	Archived      bool      `json:"archived"`
	Fork          bool      `json:"fork"`
	DefaultBranch string    `json:"default_branch"`
	Topics        []string  `json:"topics"`
	PushedAt      timestamp `json:"pushed_at"`
	// Security is absent where the credential may not see it.
	Security map[string]struct {
		Status string `json:"status"`
	} `json:"security_and_analysis"`
}

// readRepositories reads the list of an organisation's repositories, which is always read whole.
func (c *Collector) readRepositories(ctx context.Context, org string) record.Batch {
	b := record.Batch{Mode: record.Full, Repositories: []record.Repository{}, Scans: []record.Scan{}, Cursor: c.readAt()}
	rejected := map[record.RejectReason]int{}
	archived, heads := map[record.RepositoryName]bool{}, []head{}
	query := url.Values{"type": {"all"}, "sort": {"full_name"}, "direction": {"asc"}, "per_page": {pageSize}}
	_, err := c.api.pages(ctx, "orgs/"+url.PathEscape(org)+"/repos", query, func(items []json.RawMessage) bool {
		for _, item := range items {
			r, fullName, err := c.repositoryRecord(item)
			if err != nil {
				rejected[reasonOf(err)]++
				continue
			}
			// A page may repeat what a new repository pushed down the list.
			if n := len(b.Repositories); n > 0 && b.Repositories[n-1].Name == r.Name {
				continue
			}
			b.Repositories = append(b.Repositories, r)
			if a := r.Scanners[record.ClassSecret]; a.Known() {
				b.Scans = append(b.Scans, record.Scan{
					Tool: secretScanningTool, Class: record.ClassSecret, Repository: r.Name, Continuous: true, Enabled: a,
				})
			}
			archived[r.Name] = r.Archived
			heads = append(heads, head{r.Name, fullName, r.DefaultBranch, r.Archived, r.Visibility})
		}
		return true
	})
	if err != nil {
		return record.Batch{Err: err}
	}
	if len(rejected) > 0 {
		b.Rejected = rejected
	}
	c.remember(org, func(o *organisation) { o.archived, o.heads, o.repositories = archived, heads, len(b.Repositories) })
	return b
}

// repositoryRecord decodes a repository; fullName is what paths of the API call it.
func (c *Collector) repositoryRecord(item json.RawMessage) (result record.Repository, fullName string, err error) {
	var r repository
	if err := json.Unmarshal(item, &r); err != nil {
		return record.Repository{}, "", err
	}
	name, err := c.repositoryName(r.HTMLURL, r.FullName)
	if err != nil {
		return record.Repository{}, "", rejection{record.RejectNoID, err}
	}
	result = record.Repository{
		Name: name, URL: record.Text(r.HTMLURL), Visibility: c.visibility(r.Visibility), Archived: r.Archived, Fork: r.Fork,
		DefaultBranch: record.Text(r.DefaultBranch), PushedAt: r.PushedAt.Time, Topics: []string{},
	}
	if r.Visibility == "" && r.Private {
		result.Visibility = record.VisibilityPrivate
	}
	for _, topic := range r.Topics {
		result.Topics = append(result.Topics, record.Text(topic))
	}
	result.Scanners, result.Settings = r.security(result.Visibility)
	return result, r.FullName, nil
}

func (c *Collector) visibility(v string) record.Visibility {
	switch v {
	case "public", "PUBLIC":
		return record.VisibilityPublic
	case "internal", "INTERNAL":
		return record.VisibilityInternal
	case "private", "PRIVATE":
		return record.VisibilityPrivate
	case "":
	default:
		c.unknownValue("repository visibility", v)
	}
	return record.VisibilityUnknown
}

// security reads security_and_analysis. That says nothing about which scans run, only what is switched on; where code security is off and the code is not
// public, GitHub's own code scanning cannot run.
func (r *repository) security(visibility record.Visibility) (map[record.Class]record.Answer, map[string]record.Answer) {
	if r.Security == nil {
		return nil, nil
	}
	scanners, settings := map[record.Class]record.Answer{}, map[string]record.Answer{}
	if a := r.status("secret_scanning"); a.Known() {
		scanners[record.ClassSecret] = a
	}
	if code := r.status("code_security").Or(r.status("advanced_security")); code == record.AnswerNo ||
		r.status("advanced_security") == record.AnswerNo && !r.status("code_security").Known() {
		if visibility == record.VisibilityPrivate || visibility == record.VisibilityInternal {
			scanners[record.ClassSAST] = record.AnswerNo
		}
	}
	for setting, key := range map[string]string{
		settingPushProtection: "secret_scanning_push_protection", "dependabot_security_updates": "dependabot_security_updates",
		"secret_validity_checks": "secret_scanning_validity_checks",
	} {
		if a := r.status(key); a.Known() {
			settings[setting] = a
		}
	}
	return scanners, settings
}

func (r *repository) status(feature string) record.Answer {
	return switchedOn(r.Security[feature].Status)
}
