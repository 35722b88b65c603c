package protection

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

// ruleSuitesPermission is what reading a repository's rule suites needs. The organisation's own list would need the right to change its rulesets.
const ruleSuitesPermission = "administration=read"

// suitesOverlap is how far before the last reading pushes are read again: GitHub writes a suite down some time after the push.
const suitesOverlap = 10 * time.Minute

// suitesKept is how long GitHub's answer to the longest period goes back.
const suitesKept = 31 * 24 * time.Hour

// suitePeriods are the spans that GitHub can be asked about, the shortest first.
var suitePeriods = []struct {
	name string
	span time.Duration
}{{"hour", time.Hour}, {"day", 24 * time.Hour}, {"week", 7 * 24 * time.Hour}, {"month", suitesKept}}

// ruleSuite is what GitHub found when it held a push or merge against the rules.
type ruleSuite struct {
	ID       int64         `json:"id"`
	Ref      string        `json:"ref"`
	PushedAt api.Timestamp `json:"pushed_at"`
	Result   string        `json:"result"`
	// Evaluations are in the detail of one suite only.
	Evaluations []struct {
		Enforcement string `json:"enforcement"`
		Result      string `json:"result"`
		Type        string `json:"rule_type"`
	} `json:"rule_evaluations"`
}

// readRuleSuites reads the rule bypasses of a repository since a reading before, or in the last month. Which rules these were only the detail of a
// suite says, which is asked once for each.
func (c *Collector) readRuleSuites(ctx context.Context, org string, r api.Repository, cursor record.Cursor) record.Batch {
	now := c.Now()
	b := record.Batch{Mode: record.Full, Cursor: c.ReadAt(), Bypasses: []record.Bypass{}}
	since := now.Add(-suitesKept)
	if last, ok := cursor.Time(); ok && last.After(since.Add(suitesOverlap)) {
		b.Mode, since = record.Delta, last.Add(-suitesOverlap)
	}
	known := c.knownBypasses(org, r)
	current := map[int64]record.Bypass{}
	rejected := map[record.RejectReason]int{}
	var failure error
	query := url.Values{"rule_suite_result": {"bypass"}, "time_period": {periodSince(now.Sub(since))}, "per_page": {api.PageSize}}
	path := "repos/" + api.EscapeName(r.FullName) + "/rulesets/rule-suites"
	_, err := c.API.Pages(ctx, path, query, func(items []json.RawMessage) bool {
		for _, item := range items {
			suite, err := decodeSuite(item)
			if err != nil {
				rejected[api.RejectReasonOf(err)]++
				continue
			}
			if suite.PushedAt.Before(since) || suite.Result != string(record.BypassBypassed) {
				continue
			}
			found, ok := known[suite.ID]
			if !ok {
				if found, failure = c.bypassRecord(ctx, path, r, suite); failure != nil {
					return false
				}
			}
			if _, twice := current[suite.ID]; !twice {
				current[suite.ID] = found
				b.Bypasses = append(b.Bypasses, found)
			}
		}
		return true
	})
	if err = errors.Join(err, failure); err != nil {
		return record.Batch{Err: api.ScopeError(err, ruleSuitesPermission)}
	}
	if len(rejected) > 0 {
		b.Rejected = rejected
	}
	c.keepBypasses(org, r, b.Mode == record.Full, current)
	return b
}

func decodeSuite(item json.RawMessage) (*ruleSuite, error) {
	var suite ruleSuite
	switch err := json.Unmarshal(item, &suite); {
	case err != nil:
		return nil, err
	case suite.ID == 0:
		return nil, api.Reject(record.RejectNoID, errors.New("a rule suite without number"))
	case suite.PushedAt.IsZero():
		return nil, api.Reject(record.RejectTimestamp, api.ErrTimestamp)
	}
	return &suite, nil
}

// bypassRecord asks which rules were passed by. A suite that is gone by now, or whose detail has lost its rules, names none.
func (c *Collector) bypassRecord(ctx context.Context, path string, r api.Repository, suite *ruleSuite) (record.Bypass, error) {
	b := record.Bypass{
		ID: fmt.Sprintf("%s:%d", strings.ToLower(r.FullName), suite.ID), Repository: r.Name, Result: record.BypassBypassed,
		Branch: record.Text(strings.TrimPrefix(suite.Ref, "refs/heads/")), At: suite.PushedAt.Time,
	}
	var detail ruleSuite
	_, err := c.API.Get(ctx, path+"/"+strconv.FormatInt(suite.ID, 10), &detail)
	if err != nil && record.ReasonOf(err) != record.ReasonNotFound {
		return record.Bypass{}, err
	}
	for _, e := range detail.Evaluations {
		if rule := record.Text(e.Type); e.Enforcement == "active" && e.Result == "fail" && rule != "" && !slices.Contains(b.Rules, rule) {
			b.Rules = append(b.Rules, rule)
		}
	}
	slices.Sort(b.Rules)
	return b, nil
}

// periodSince is the shortest period that covers a span.
func periodSince(span time.Duration) string {
	for _, p := range suitePeriods {
		if span <= p.span {
			return p.name
		}
	}
	return suitePeriods[len(suitePeriods)-1].name
}

// knownBypasses are those of a repository that were asked about before.
func (c *Collector) knownBypasses(org string, r api.Repository) (known map[int64]record.Bypass) {
	c.state.With(org, func(o *organisation) { known = o.ruleSuites[r.Name] })
	return known
}

// keepBypasses remembers what was read, and with a whole reading forgets the rest.
func (c *Collector) keepBypasses(org string, r api.Repository, whole bool, read map[int64]record.Bypass) {
	c.state.With(org, func(o *organisation) {
		kept := map[int64]record.Bypass{}
		for id, b := range o.ruleSuites[r.Name] {
			if !whole && c.Now().Sub(b.At) < suitesKept {
				kept[id] = b
			}
		}
		for id, b := range read {
			kept[id] = b
		}
		if o.ruleSuites == nil {
			o.ruleSuites = map[record.RepositoryName]map[int64]record.Bypass{}
		}
		o.ruleSuites[r.Name] = kept
		if len(kept) == 0 {
			delete(o.ruleSuites, r.Name)
		}
	})
}
