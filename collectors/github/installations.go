package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// installations read all organisations in which an App is installed: each by a collector of its own, with a token and a budget of its own.
type installations struct {
	config Config
	env    collectors.Env
	app    *api.Client

	mu       sync.Mutex
	byOrg    map[string]*installation
	listedAt time.Time
	// missing are organisations that the list does not have any more, and since when.
	missing map[string]time.Time
	// skipped are accounts that are not read, and why.
	skipped map[string]string
}

// installation is an organisation in which the App is installed.
type installation struct {
	id        int64
	suspended bool
	collector *Collector
}

// installedApp is an installation as GitHub lists it.
type installedApp struct {
	ID      int64 `json:"id"`
	Account struct {
		Login string `json:"login"`
		Type  string `json:"type"`
	} `json:"account"`
	SuspendedAt api.Timestamp `json:"suspended_at"`
}

func newInstallations(config Config, env collectors.Env) (*installations, error) {
	app, err := api.NewApp(config.URL, config.App, env)
	if err != nil {
		return nil, err
	}
	return &installations{config: config, env: env, app: app, byOrg: map[string]*installation{}, missing: map[string]time.Time{}, skipped: map[string]string{}}, nil
}

// budgets gives the budgets of one installation names of their own: each organisation has one.
type budgets struct {
	apiclient.Observer
	org string
}

// Budget tells of a budget of the organisation.
func (b budgets) Budget(resource string, limit, remaining int, reset time.Time) {
	b.Observer.Budget(budgetName(resource, b.org), limit, remaining, reset)
}

func budgetName(resource, org string) string { return resource + ":" + org }

// refresh lists the installations, unless that was done in this posture interval.
func (s *installations) refresh(ctx context.Context) error {
	now := s.env.Now()
	s.mu.Lock()
	known := !s.listedAt.IsZero() && now.Sub(s.listedAt) < s.config.PostureInterval.Std()
	s.mu.Unlock()
	if known {
		return nil
	}
	var listed []installedApp
	var failure error
	_, err := s.app.Pages(ctx, "app/installations?per_page="+api.PageSize, nil, func(items []json.RawMessage) bool {
		for _, item := range items {
			var found installedApp
			if failure = json.Unmarshal(item, &found); failure != nil {
				return false
			}
			listed = append(listed, found)
		}
		return true
	})
	if err = errors.Join(err, failure); err != nil {
		return fmt.Errorf("installations of app %d: %w", s.config.App.ID, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.take(listed, now); err != nil {
		return err
	}
	s.listedAt = now
	return nil
}

// take takes over what was listed. The caller holds the lock.
func (s *installations) take(listed []installedApp, now time.Time) error {
	seen := map[string]bool{}
	s.skipped = map[string]string{}
	for _, found := range listed {
		org := strings.ToLower(found.Account.Login)
		switch {
		case found.ID <= 0 || !organisationName.MatchString(org):
			s.skipped[record.Text(org)] = "it has no number, or a name that no organisation has"
			continue
		case !s.wanted(org):
			continue
		case found.Account.Type != "" && found.Account.Type != "Organization":
			s.skipped[org] = "it is a " + strings.ToLower(record.Text(found.Account.Type)) + " and no organisation"
			continue
		}
		seen[org] = true
		delete(s.missing, org)
		if known := s.byOrg[org]; known != nil && known.id == found.ID {
			known.suspended = !found.SuspendedAt.IsZero()
			continue
		}
		c, err := s.collector(org, found.ID)
		if err != nil {
			return err
		}
		s.byOrg[org] = &installation{id: found.ID, suspended: !found.SuspendedAt.IsZero(), collector: c}
	}
	for org := range s.byOrg {
		if !seen[org] && s.missing[org].IsZero() {
			s.missing[org] = now
		}
	}
	for _, org := range s.config.Organizations {
		if org = strings.ToLower(org); !seen[org] && s.missing[org].IsZero() {
			s.missing[org] = now
		}
	}
	return nil
}

// wanted reports whether the configuration leaves an organisation in: it names it, or none.
func (s *installations) wanted(org string) bool {
	return len(s.config.Organizations) == 0 || slices.ContainsFunc(s.config.Organizations, func(o string) bool { return strings.EqualFold(o, org) })
}

// collector reads one organisation.
func (s *installations) collector(org string, id int64) (*Collector, error) {
	config, env := s.config, s.env
	config.Organizations, config.App.InstallationID = []string{org}, id
	if env.Observer != nil {
		env.Observer = budgets{env.Observer, org}
	}
	return New(config, env)
}

// all are the organisations in the order of their names.
func (s *installations) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.byOrg))
}

func (s *installations) of(org string) *installation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byOrg[org]
}

// unreadable is why an organisation cannot be read although it could be before, or the configuration names it; nil if it can.
func (s *installations) unreadable(org string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.byOrg[org]
	switch {
	case !s.missing[org].IsZero():
		return &record.Error{Reason: record.ReasonPermission, Err: fmt.Errorf("the App is not installed in %s, or not any more: what was read of it stays until full_interval after it was missed", org)}
	case i != nil && i.suspended:
		return &record.Error{Reason: record.ReasonPermission, Err: fmt.Errorf("the installation of the App in %s is suspended", org)}
	default:
		return nil
	}
}

// organisationOf is the organisation that a scope belongs to.
func organisationOf(scope string) string {
	_, rest, _ := strings.Cut(scope, ":")
	org, _, _ := strings.Cut(rest, "/")
	return org
}

// collect reads the organisations one after the other. Those in which the App is installed no more fail, and are retired after a full interval: an installation
// that is gone may come back.
func (s *installations) collect(ctx context.Context, cursors collectors.Cursors, emit func(record.Batch) error) error {
	if err := s.refresh(ctx); err != nil {
		return err
	}
	for _, org := range s.all() {
		if s.unreadable(org) != nil {
			continue
		}
		if err := s.of(org).collector.Collect(ctx, s.cursorsOf(org, cursors), emit); err != nil {
			return err
		}
	}
	return s.collectMissing(cursors, emit)
}

// cursorsOf are those of the scopes of one organisation.
func (s *installations) cursorsOf(org string, cursors collectors.Cursors) collectors.Cursors {
	own := collectors.Cursors{}
	for scope, cursor := range cursors {
		if organisationOf(scope) == org {
			own[scope] = cursor
		}
	}
	return own
}

// collectMissing emits why scopes of organisations cannot be read, and retires those of organisations that have long been gone.
func (s *installations) collectMissing(cursors collectors.Cursors, emit func(record.Batch) error) error {
	now := s.env.Now()
	s.mu.Lock()
	for scope := range cursors {
		if org := organisationOf(scope); s.wanted(org) && s.byOrg[org] == nil && s.missing[org].IsZero() {
			s.missing[org] = now // The ledger knows it from before this process.
		}
	}
	s.mu.Unlock()
	for _, org := range s.lacking() {
		unread := s.unreadable(org)
		scopes := slices.Sorted(maps.Keys(s.cursorsOf(org, cursors)))
		if len(scopes) == 0 && s.named(org) {
			scopes = []string{"repositories:" + org}
		}
		for _, scope := range scopes {
			b := record.Batch{Scope: scope, Err: unread}
			if s.retired(org, now) {
				b = collectors.Retired(scope, record.ClosureOutOfScope)
			}
			if err := emit(b); err != nil {
				return err
			}
		}
	}
	return nil
}

// named reports whether the configuration names an organisation.
func (s *installations) named(org string) bool {
	return len(s.config.Organizations) > 0 && s.wanted(org)
}

// retired reports whether an organisation that the configuration does not name has been gone for a full interval.
func (s *installations) retired(org string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	since := s.missing[org]
	return !since.IsZero() && !s.named(org) && now.Sub(since) >= s.config.FullInterval.Std()
}

// lacking are the organisations that cannot be read.
func (s *installations) lacking() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.Collect(maps.Keys(s.missing))
	for org, i := range s.byOrg {
		if i.suspended && s.missing[org].IsZero() {
			list = append(list, org)
		}
	}
	slices.Sort(list)
	return list
}

// check tries what each installation may read, and names the accounts that are not read.
func (s *installations) check(ctx context.Context) ([]collectors.CheckResult, error) {
	result := collectors.CheckResult{Subject: "installations of the App", Unknown: "everything"}
	s.mu.Lock()
	s.listedAt = time.Time{}
	s.mu.Unlock()
	if result.Err = s.refresh(ctx); result.Err != nil {
		return []collectors.CheckResult{result}, nil //nolint:nilerr // The result holds the error.
	}
	result.Notes = append(result.Notes, fmt.Sprintf("%d organisations: %s", len(s.all()), strings.Join(s.all(), ", ")))
	s.mu.Lock()
	for _, account := range slices.Sorted(maps.Keys(s.skipped)) {
		result.Notes = append(result.Notes, fmt.Sprintf("%s is not read: %s", account, s.skipped[account]))
	}
	s.mu.Unlock()
	results := []collectors.CheckResult{result}
	for _, org := range s.lacking() {
		results = append(results, collectors.CheckResult{Subject: "organisation " + org, Err: s.unreadable(org), Unknown: "everything about it"})
	}
	for _, org := range s.all() {
		if s.unreadable(org) != nil {
			continue
		}
		more, err := s.of(org).collector.Check(ctx)
		if results = append(results, more...); err != nil {
			return results, err
		}
	}
	return results, nil
}

// forecast is what each organisation costs, by the names of its own budgets.
func (s *installations) forecast() map[string]float64 {
	forecast := map[string]float64{}
	for _, org := range s.all() {
		for resource, n := range s.of(org).collector.Forecast() {
			forecast[budgetName(resource, org)] += n
		}
	}
	return forecast
}

// catalog reads the services of all organisations.
func (s *installations) catalog(ctx context.Context) ([]record.Service, error) {
	if err := s.refresh(ctx); err != nil {
		return nil, err
	}
	var services []record.Service
	for _, org := range s.all() {
		list, err := s.of(org).collector.Catalog(ctx)
		if err != nil {
			return nil, err
		}
		services = append(services, list...)
	}
	return services, nil
}

// collectScopes reads the named scopes, each by the collector of its organisation.
func (s *installations) collectScopes(ctx context.Context, scopes []string, cursors collectors.Cursors, emit func(record.Batch) error) error {
	if err := s.refresh(ctx); err != nil {
		return err
	}
	for _, org := range s.all() {
		own := slices.DeleteFunc(slices.Clone(scopes), func(scope string) bool { return organisationOf(scope) != org })
		if len(own) == 0 || s.unreadable(org) != nil {
			continue
		}
		if err := s.of(org).collector.CollectScopes(ctx, own, s.cursorsOf(org, cursors), emit); err != nil {
			return err
		}
	}
	return nil
}
