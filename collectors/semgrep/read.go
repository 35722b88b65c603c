package semgrep

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"prodsec_exporter/internal/platform"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// readFindings reads the findings of Code or Supply Chain. dedup=true counts a finding once that several branches show, as the
// platform's own pages do.
func (c *Collector) readFindings(ctx context.Context, d deployment, p Product) record.Batch {
	scope := string(p) + ":" + d.Slug
	query := url.Values{"issue_type": {string(p)}, "dedup": {"true"}}
	if c.config.Ref != "" {
		query.Set("ref", c.config.Ref)
	}
	var found *translate.FindingSet
	err := platform.Again(func() error {
		found = translate.NewFindingSet()
		return c.pages(ctx, d.path("findings"), query, "findings", func(raw json.RawMessage) { found.Take(c.finding(raw, p)) })
	})
	if err != nil {
		return translate.Failed(scope, fmt.Errorf("read %s findings of %s: %w", p, d.Slug, translate.Needs(err, webAPI)))
	}
	return found.Batch(scope)
}

// readProjects reads when each project was last scanned.
func (c *Collector) readProjects(ctx context.Context, d deployment) record.Batch {
	scope := scopeProjects + ":" + d.Slug
	var latest map[record.RepositoryName]record.Scan
	var rejected map[record.RejectReason]int
	var archived map[string]bool
	take := func(raw json.RawMessage) {
		w, err := translate.Decode[struct {
			repository
			LatestScan translate.Time `json:"latest_scan_at"`
			Archived   bool           `json:"is_archived"`
			Old        bool           `json:"archived"`
			State      string         `json:"state"`
		}](raw)
		if err != nil {
			rejected[translate.Reason(err)]++
			return
		}
		if w.Archived || w.Old || strings.EqualFold(w.State, "archived") {
			archived[w.Name] = true
			return // Nobody expects it to be scanned.
		}
		owner := c.ownerOf(w.repository)
		if owner.Repository == "" {
			return // A project that scans no repository, such as a folder on somebody's machine.
		}
		if scan, known := latest[owner.Repository]; !known || w.LatestScan.After(scan.SucceededAt) {
			latest[owner.Repository] = record.Scan{
				Tool: tool, Class: record.ClassSAST, Repository: owner.Repository, Enabled: record.AnswerYes,
				SucceededAt: w.LatestScan.Time, AttemptedAt: w.LatestScan.Time,
			}
		}
	}
	err := platform.Again(func() error {
		latest, rejected, archived = map[record.RepositoryName]record.Scan{}, map[record.RejectReason]int{}, map[string]bool{}
		return c.pages(ctx, d.path("projects"), url.Values{}, "projects", take)
	})
	if err != nil {
		return translate.Failed(scope, fmt.Errorf("read projects of %s: %w", d.Slug, translate.Needs(err, webAPI)))
	}
	c.mu.Lock()
	maps.DeleteFunc(c.archived, func(p projectName, _ bool) bool { return p.deployment == d.Slug })
	for name := range archived {
		if c.archived == nil {
			c.archived = map[projectName]bool{}
		}
		c.archived[projectName{d.Slug, name}] = true
	}
	c.mu.Unlock()
	b := record.Batch{Scope: scope, Mode: record.Full, Scans: make([]record.Scan, 0, len(latest)), Rejected: rejected}
	for _, scan := range latest {
		b.Scans = append(b.Scans, scan)
	}
	slices.SortFunc(b.Scans, func(a, b record.Scan) int { return strings.Compare(string(a.Repository), string(b.Repository)) })
	return b
}

// pages reads a list whose pages are counted from 0 and that ends at an empty one.
func (c *Collector) pages(ctx context.Context, path string, query url.Values, key string, each func(json.RawMessage)) error {
	return platform.List{Name: key, ID: idKey, Take: each, Page: platform.Numbered(0, func(ctx context.Context, number int) (platform.Page, bool, error) {
		query.Set("page", strconv.Itoa(number))
		query.Set("page_size", strconv.Itoa(c.PageSize))
		var answer map[string]json.RawMessage
		if _, err := c.Source.Get(ctx, path, query, &answer); err != nil {
			return platform.Page{}, false, err
		}
		items, err := listIn(answer, key)
		return platform.Page{Items: items}, false, err
	})}.Read(ctx)
}

func idKey(raw json.RawMessage) string { return platform.Key(raw, "id") }

// listIn is the list under a key of an answer. An answer without it is not the empty list.
func listIn(answer map[string]json.RawMessage, key string) ([]json.RawMessage, error) {
	var items []json.RawMessage
	raw, ok := answer[key]
	if !ok {
		return nil, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("the answer has no list %q", key)}
	}
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("decode the list %q: %w", key, err)}
	}
	return items, nil
}

// secretsPath is the address of the secrets, which wants the deployment's number and not its slug.
func (d deployment) secretsPath() string {
	name := string(d.ID)
	if name == "" {
		name = d.Slug
	}
	return "api/v1/deployments/" + url.PathEscape(name) + "/secrets"
}

// readSecrets reads the findings of Secrets, whose pages are found by a cursor.
func (c *Collector) readSecrets(ctx context.Context, d deployment) record.Batch {
	scope := "secrets:" + d.Slug
	var found *translate.FindingSet
	err := platform.Again(func() error {
		found = translate.NewFindingSet()
		return platform.List{
			Name: "secrets", ID: idKey, Take: func(raw json.RawMessage) { found.Take(c.secret(raw)) },
			Page: func(ctx context.Context, cursor string) (platform.Page, error) { return c.secretsPage(ctx, d, cursor) },
		}.Read(ctx)
	})
	if err != nil {
		return translate.Failed(scope, fmt.Errorf("read secrets of %s: %w", d.Slug, translate.Needs(err, webAPI)))
	}
	return found.Batch(scope)
}

func (c *Collector) secretsPage(ctx context.Context, d deployment, cursor string) (platform.Page, error) {
	query := url.Values{"limit": {strconv.Itoa(c.PageSize)}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	var answer map[string]json.RawMessage
	if _, err := c.Source.Get(ctx, d.secretsPath(), query, &answer); err != nil {
		return platform.Page{}, err
	}
	items, err := listIn(answer, "findings")
	if err != nil {
		return platform.Page{}, err
	}
	var next translate.ID
	if raw, ok := answer["cursor"]; ok {
		err = json.Unmarshal(raw, &next)
	}
	if err != nil {
		return platform.Page{}, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("decode the cursor: %w", err)}
	}
	return platform.Page{Items: items, Next: string(next)}, nil
}
