package evidence

import (
	"slices"
	"strconv"
	"strings"

	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// statuses orders results: what needs action first.
var statuses = []policy.Status{policy.StatusFail, policy.StatusUnknown, policy.StatusExempt, policy.StatusPass}

func controlsList() *List {
	return &List{
		Name: "controls", Title: "Controls", Families: []string{"prodsec_control_services", "prodsec_control_gap"},
		About:   "The result of every control for every service that it applies to: failing ones first, then unknown ones.",
		Columns: slices.Concat([]string{"Result", "Control", "Domain"}, ownerColumns, []string{"Crown jewel", "Faces the Internet", "Evidence of"}),
		Filters: append(slices.Clone(ownerFilters), "control", "domain", "status", "crown_jewel", "internet_facing"),
		rows: func(r *tallies.Records) []Row {
			var rows []Row
			for _, c := range r.Controls() {
				service, owner := &r.Snapshot().Services[c.Service], r.Owner(c.Service)
				jewel, facing := answer(service.CrownJewel), answer(service.InternetFacing)
				cells := append([]Cell{{Status: string(c.Status)}, {Text: c.Control.Name}, {Text: string(c.Control.Domain)}}, ownerCells(owner)...)
				rows = append(rows, Row{
					Weakness: -1, Cells: append(cells, Cell{Text: jewel}, Cell{Text: facing}, at(c.At)),
					values: with(owned(owner), "control", c.Control.Name, "domain", string(c.Control.Domain), "status", string(c.Status),
						"crown_jewel", jewel, "internet_facing", facing),
					order: []string{ascending(int64(slices.Index(statuses, c.Status))), owner.TrustTier, owner.Service, c.Control.Name},
				})
			}
			return rows
		},
	}
}

// answer is the label value of a fact of the catalog.
func answer(a record.Answer) string {
	switch a {
	case record.AnswerYes:
		return "true"
	case record.AnswerNo:
		return "false"
	case record.AnswerUnknown:
		return "unknown"
	default:
		return "unknown"
	}
}

func repositoriesList() *List {
	return &List{
		Name: "repositories", Title: "Protection of repositories", Families: []string{"prodsec_protected_repositories", "prodsec_repository_protection_gap"},
		About:   "Every check of every repository that is neither archived nor a fork: failing ones of privileged repositories first.",
		Columns: slices.Concat([]string{"Result", "Check", "Of", "Repository", "Privileged"}, ownerColumns),
		Filters: append(slices.Clone(ownerFilters), "repository", "check", "scope", "privileged", "status"),
		rows: func(r *tallies.Records) []Row {
			urls := map[record.RepositoryName]string{}
			for i := range r.Snapshot().Repositories {
				urls[r.Snapshot().Repositories[i].Name] = r.Snapshot().Repositories[i].URL
			}
			var rows []Row
			for _, p := range r.Protections() {
				owner, privileged := r.OwnerAt(p.Owner), strconv.FormatBool(p.Privileged)
				cells := []Cell{{Status: string(p.Status)}, {Text: string(p.Check)}, {Text: p.Scope}, {Text: string(p.Repository), URL: urls[p.Repository]}, {Text: privileged}}
				rows = append(rows, Row{
					Weakness: -1, Cells: append(cells, ownerCells(owner)...),
					values: with(owned(owner), "repository", string(p.Repository), "check", string(p.Check), "scope", p.Scope, "privileged", privileged, "status", string(p.Status)),
					order:  []string{strconv.FormatBool(!p.Privileged), ascending(int64(slices.Index(statuses, p.Status))), string(p.Repository), p.Scope, string(p.Check)},
				})
			}
			return rows
		},
	}
}

func exceptionsList() *List {
	return &List{
		Name: "exceptions", Title: "Exceptions", Families: []string{"prodsec_exceptions", "prodsec_exception_next_expiry_timestamp_seconds"},
		About:   "Requests, exceptions in force, expired ones that are still open, and what was rejected lately; the soonest end first.",
		Columns: slices.Concat([]string{"State", "Expires", "Exception", "Category"}, ownerColumns, []string{"Requested", "Decided", "Ends", "Covers"}),
		Filters: append(slices.Clone(ownerFilters), "category", "state", "expires"),
		rows: func(r *tallies.Records) []Row {
			var rows []Row
			states := policy.ExceptionStandings()
			for _, e := range r.Exceptions() {
				owner, x := r.Owner(e.Service), &e.Record
				cells := append([]Cell{{Status: string(e.Standing)}, {Status: string(e.Expires)}, {Text: x.ID + " " + x.Title, URL: x.URL}, {Text: e.Category}}, ownerCells(owner)...)
				rows = append(rows, Row{
					Weakness: -1, Cells: append(cells, Cell{Time: x.RequestedAt}, Cell{Time: x.DecidedAt}, Cell{Time: x.ExpiresAt}, Cell{Text: covers(x)}),
					values: with(owned(owner), "category", e.Category, "state", string(e.Standing), "expires", string(e.Expires)),
					order:  []string{strconv.FormatBool(e.Standing != policy.StandingExpired), soonest(x.ExpiresAt), ascending(int64(slices.Index(states, e.Standing))), x.ID},
				})
			}
			return rows
		},
	}
}

// covers lists what an exception names.
func covers(e *record.Exception) string {
	if !policy.Scoped(e) {
		return "nothing: it names no finding, advisory, rule, category or control"
	}
	var parts []string
	for _, p := range []struct {
		name  string
		names []string
	}{{"findings", e.Findings}, {"advisories", e.Advisories}, {"rules", e.Rules}, {"categories", e.Categories}, {"controls", e.Controls}} {
		if len(p.names) > 0 {
			parts = append(parts, p.name+" "+joined(p.names))
		}
	}
	return joined(parts)
}

func reviewsList() *List {
	return &List{
		Name: "reviews", Title: "Open reviews", Families: []string{"prodsec_reviews_open", "prodsec_review_waiting_seconds"},
		About:   "Requests to the security function that are not done: those that wait for a first answer first, the longest wait at the top.",
		Columns: slices.Concat([]string{"State", "Review", "Kind"}, ownerColumns, []string{"Requested", "First answer"}),
		Filters: append(slices.Clone(ownerFilters), "kind", "state"),
		rows: func(r *tallies.Records) []Row {
			var rows []Row
			for _, v := range r.Reviews() {
				owner, x := r.Owner(v.Service), &v.Record
				cells := append([]Cell{{Status: string(v.State)}, {Text: x.ID + " " + x.Title, URL: x.URL}, {Text: v.Kind}}, ownerCells(owner)...)
				rows = append(rows, Row{
					Weakness: -1, Cells: append(cells, Cell{Time: v.Since}, Cell{Time: x.FirstResponseAt}),
					values: with(owned(owner), "kind", v.Kind, "state", string(v.State)),
					order:  []string{strconv.FormatBool(v.State != record.ReviewWaiting), soonest(v.Since), x.ID},
				})
			}
			return rows
		},
	}
}

func followupsList() *List {
	return &List{
		Name: "followups", Title: "Open follow-ups of incidents", Families: []string{"prodsec_followups_open", "prodsec_followup_age_seconds"},
		About:   "Actions that incidents led to and that are not closed: overdue ones first.",
		Columns: slices.Concat([]string{"Overdue", "Follow-up", "Incident"}, ownerColumns, []string{"Created", "Due"}),
		Filters: append(slices.Clone(ownerFilters), "overdue"),
		rows: func(r *tallies.Records) []Row {
			var rows []Row
			for _, f := range r.Followups() {
				owner, x := r.Owner(f.Service), &f.Record
				cells := append([]Cell{{Text: f.Overdue}, {Text: x.ID + " " + x.Title, URL: x.URL}, {Text: x.Incident}}, ownerCells(owner)...)
				rows = append(rows, Row{
					Weakness: -1, Cells: append(cells, Cell{Time: x.CreatedAt}, Cell{Time: x.DueAt}),
					values: with(owned(owner), "overdue", f.Overdue),
					order:  []string{strconv.FormatBool(f.Overdue != "true"), soonest(x.DueAt), x.ID},
				})
			}
			return rows
		},
	}
}

func escalationsList() *List {
	return &List{
		Name: "escalations", Title: "Release blocks and urgent escalations", Families: []string{"prodsec_escalations_open"},
		About:   "Open now; the longest open first.",
		Columns: slices.Concat([]string{"Kind", "Escalation", "Reason"}, ownerColumns, []string{"Raised"}),
		Filters: append(slices.Clone(ownerFilters), "kind"),
		rows: func(r *tallies.Records) []Row {
			var rows []Row
			for _, e := range r.Escalations() {
				owner, x := r.Owner(e.Service), &e.Record
				cells := append([]Cell{{Status: e.Kind}, {Text: x.ID + " " + x.Title, URL: x.URL}, {Text: x.Reason}}, ownerCells(owner)...)
				rows = append(rows, Row{
					Weakness: -1, Cells: append(cells, Cell{Time: x.RaisedAt}), values: with(owned(owner), "kind", e.Kind), order: []string{soonest(x.RaisedAt), x.ID},
				})
			}
			return rows
		},
	}
}

func deploymentsList() *List {
	return &List{
		Name: "deployments", Title: "Deployments", Families: []string{"prodsec_deployments_total", "prodsec_deployments_in_window"},
		About:   "Deployments that ended, newest first, with the owner at that time; the families count those that succeeded.",
		Columns: slices.Concat([]string{"Approval", "Status", "Environment", "Repository", "Commit", "Rollback"}, ownerColumns, []string{"Finished", "Changes"}),
		Filters: append(slices.Clone(ownerFilters), "environment", "approval", "status", "repository"),
		rows: func(r *tallies.Records) []Row {
			var rows []Row
			for _, m := range r.Deployments() {
				rows = append(rows, deployment(r, m))
			}
			return rows
		},
	}
}

func deployment(r *tallies.Records, m *snapshot.Milestone[record.Deployment]) Row {
	owner, d := r.OwnerAt(m.Owner), &m.Record
	changes := strconv.Itoa(len(d.Changes))
	if d.ChangesKnown != record.AnswerYes {
		changes = "unknown"
	}
	cells := append([]Cell{
		{Status: string(d.Approval)}, {Status: string(d.Status)}, {Text: d.Environment}, {Text: string(d.Repository)}, {Text: d.Commit[:min(12, len(d.Commit))]}, {Text: answer(d.Rollback)},
	}, ownerCells(owner)...)
	return Row{
		Weakness: -1, Cells: append(cells, Cell{Time: d.FinishedAt}, Cell{Text: changes}),
		values: with(owned(owner), "environment", environment(r.Policy(), d), "approval", string(d.Approval), "status", string(d.Status), "repository", string(d.Repository)),
		order:  []string{newest(d.FinishedAt), d.ID},
	}
}

// environment is the label value of the environment of a deployment: production environments by name, everything else together.
func environment(p *policy.Policy, d *record.Deployment) string {
	if p.ProductionDeployment(d) {
		return strings.ToLower(d.Environment)
	}
	return "other"
}

func scopesList() *List {
	freshness := []snapshot.Freshness{snapshot.Never, snapshot.Dropped, snapshot.Stale, snapshot.Fresh}
	return &List{
		Name: "scopes", Title: "Scopes and their freshness", Families: []string{"prodsec_scopes", "prodsec_scope_last_success_timestamp_seconds"},
		About:   "Every scope, the smallest unit that is read whole or fails alone: those never read and those too old to be shown first.",
		Columns: []string{"Freshness", "Collector", "Instance", "Scope", "Last read", "Last read whole", "Last error"},
		Filters: []string{"collector", "instance_name", "scope_kind", "status"},
		rows: func(r *tallies.Records) []Row {
			var rows []Row
			for i := range r.Snapshot().Scopes {
				s := &r.Snapshot().Scopes[i]
				status := s.Freshness(r.At())
				rows = append(rows, Row{
					Weakness: -1,
					Cells: []Cell{
						{Status: string(status)}, {Text: s.Collector}, {Text: s.Instance}, {Text: s.Name}, {Time: s.LastSuccess}, {Time: s.LastFull}, {Text: string(s.LastError)},
					},
					values: map[string]string{"collector": s.Collector, "instance_name": s.Instance, "scope_kind": s.Kind, "status": string(status)},
					order:  []string{ascending(int64(slices.Index(freshness, status))), s.Collector, s.Instance, s.Name},
				})
			}
			return rows
		},
	}
}
