// Package past reads a ledger as it was at an instant: it takes the present rows, undoes transactions until the instant is reached, makes the
// ledger's memory of the rows by the code that makes it at a start (package derivation), lets fall due what did until then, and takes the
// snapshot. It never writes.
//
// It knows the derivation and the rows of a store, and no database. To keep one more thing for the past: what takes it back in package undo, and its reversal here.
package past

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"prodsec_exporter/internal/ledger/derivation"
	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/ledger/undo"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// The errors of Read.
var (
	// ErrNotFounded is wrapped when the first full pass has not ended, so that nothing was served yet.
	ErrNotFounded = errors.New("the first full pass over all sources has not ended")
	// ErrBeforeHistory is wrapped for an instant that the ledger knows nothing of.
	ErrBeforeHistory = errors.New("the ledger knows nothing of that time")
)

// Read is what a ledger knew at an instant and the policy that was in force, or other in its place; see ledger.History.
func Read(ctx context.Context, from store.Reader, at time.Time, other *policy.Policy, logger *slog.Logger) (*snapshot.Snapshot, *policy.Policy, error) {
	p := &past{instant: store.Unix(at), logger: logger, policy: other}
	if err := from.LoadPast(ctx, p.receives()); err != nil {
		return nil, nil, err
	}
	known, err := p.snapshot()
	if err == nil && at.Before(known.Founded) {
		imported, ok := known.Imported(at)
		if known = imported; !ok {
			err = fmt.Errorf("%w: nothing that was imported at the founding (%s) has an earlier date", ErrBeforeHistory,
				known.Founded.Format(time.RFC3339))
		}
	}
	if err != nil {
		return nil, nil, err
	}
	return known, p.policy, nil
}

// past is what a store holds, row by row, to be taken back to an instant.
type past struct {
	instant int64
	logger  *slog.Logger
	policy  *policy.Policy

	// settled, founded and since are the store's settings: since is where the history of a ledger begins that an earlier version founded.
	settled, founded, since int64
	codes                   []store.CodeRow
	texts                   []string
	owners                  []snapshot.Owner
	names                   map[string][]nameRow
	sources                 []store.Source
	scopes                  []store.ScopeRow
	reports                 int
	weaknesses, events      []byte
	pauses                  map[int32]string
	policies                []store.PolicyRow
	counting                []snapshot.CountingChange
	records                 []store.RecordRow
}

type nameRow struct {
	name    string
	removed bool
}

// recordsUntil is the instant as of which records are read: before the founding all that was imported is.
func (p *past) recordsUntil() int64 { return max(p.instant, p.founded) }

// check refuses an instant that nothing is known of, and says as of when records are wanted.
func (p *past) check() (recordsUntil int64, err error) {
	switch {
	case p.founded == 0:
		return 0, ErrNotFounded
	case p.since > 0 && p.instant < p.since:
		return 0, fmt.Errorf("%w: its history begins at %s, when this version took it over from an earlier one, which kept none", ErrBeforeHistory,
			store.TimeOf(p.since).Format(time.RFC3339))
	}
	return p.recordsUntil(), nil
}

// receives is what a store hands its rows to.
func (p *past) receives() *store.PastRows {
	p.names, p.pauses = map[string][]nameRow{}, map[int32]string{}
	rows := store.Rows{
		Meta:  p.meta,
		Code:  func(row store.CodeRow) { p.codes = append(p.codes, row) },
		Text:  func(_ int32, text string) { p.texts = append(p.texts, text) },
		Owner: func(_ int32, o snapshot.Owner) { p.owners = append(p.owners, o) },
		Name: func(kind string, id int32, name string, removed bool) {
			for int32(len(p.names[kind])) < id {
				p.names[kind] = append(p.names[kind], nameRow{removed: true})
			}
			p.names[kind] = append(p.names[kind], nameRow{name, removed})
		},
		Source: func(s store.Source) { p.sources = append(p.sources, s) },
		Scope: func(id int32, s store.ScopeRow) {
			for int32(len(p.scopes)) < id {
				p.scopes = append(p.scopes, store.ScopeRow{Removed: true})
			}
			p.scopes = append(p.scopes, s)
		},
		Block:    p.block,
		Pauses:   func(weakness int32, spans string) error { p.pauses[weakness] = spans; return nil },
		Policy:   func(row store.PolicyRow) { p.policies = append(p.policies, row) },
		Counting: func(c snapshot.CountingChange) { p.counting = append(p.counting, c) },
		Record:   func(row store.RecordRow) error { p.records = append(p.records, row); return nil },
	}
	return &store.PastRows{Rows: rows, Ready: p.check, Undo: p.takeBack}
}

func (p *past) meta(name, value string) error {
	number, err := derivation.SettingOf(name, value)
	switch name {
	case "at":
		p.settled = number
	case "founded":
		p.founded = number
	case "history":
		p.since = number
	}
	return err
}

func (p *past) block(t store.BlockTable, _ int32, body []byte) error {
	switch t {
	case store.ReportBlocks:
		p.reports += len(body) / derivation.ReportBytes
	case store.WeaknessBlocks:
		p.weaknesses = append(p.weaknesses, body...)
	case store.EventBlocks:
		p.events = append(p.events, body...)
	}
	return nil
}

// takeBack undoes a transaction; call it with the last one first. It reports whether the one before has to be looked at.
func (p *past) takeBack(at int64, body []byte) (bool, error) {
	if at <= p.instant {
		return false, nil
	}
	u, err := undo.Decode(at, body)
	if err != nil {
		return false, err
	}
	if err := p.shrink(&u.Added); err != nil {
		return false, err
	}
	p.settled = u.Settled
	for kind, numbers := range map[string][]int32{derivation.NamesOfServices: u.Services, derivation.NamesOfRepositories: u.Repositories} {
		for _, n := range numbers {
			if int(n) >= len(p.names[kind]) {
				return false, undo.ErrDamaged
			}
			p.names[kind][n].removed = false
		}
	}
	for _, b := range u.Renamed {
		names := p.names[derivation.NamesOfServices]
		if int(b.Number) >= len(names) {
			return false, undo.ErrDamaged
		}
		for i := range p.owners {
			if p.owners[i].Service == names[b.Number].name {
				p.owners[i].Service = b.Name
			}
		}
		names[b.Number].name = b.Name
	}
	for i := range u.Scopes {
		b := &u.Scopes[i]
		if int(b.Number) >= len(p.scopes) {
			return false, undo.ErrDamaged
		}
		b.Apply(&p.scopes[b.Number])
	}
	for i := range u.Weaknesses {
		b := &u.Weaknesses[i]
		if (int(b.Position)+1)*derivation.WeaknessBytes > len(p.weaknesses) {
			return false, undo.ErrDamaged
		}
		b.Apply(p.weaknesses[int(b.Position)*derivation.WeaknessBytes:])
	}
	for _, b := range u.Pauses {
		if p.pauses[b.Weakness] = b.Spans; b.Spans == "" {
			delete(p.pauses, b.Weakness)
		}
	}
	for _, e := range u.Sums {
		at := int(e.Event)*derivation.EventBytes + derivation.KindByte
		if at >= len(p.events) {
			return false, undo.ErrDamaged
		}
		p.events[at] = p.events[at]&(1<<derivation.SumsShift-1) | e.Sums<<derivation.SumsShift
	}
	if u.Sources != nil {
		p.sources = u.Sources
	}
	return true, nil
}

// shrink takes off what a transaction added.
func (p *past) shrink(added *undo.Lengths) error {
	weaknesses, events := len(p.weaknesses)/derivation.WeaknessBytes, len(p.events)/derivation.EventBytes
	have := undo.Lengths{
		p.reports, weaknesses, events, len(p.texts), len(p.owners), len(p.scopes), len(p.names[derivation.NamesOfServices]), len(p.names[derivation.NamesOfRepositories]),
		len(p.policies), len(p.counting),
	}
	for i := range have {
		if have[i] -= added[i]; have[i] < 0 {
			return undo.ErrDamaged
		}
	}
	for position := have[undo.GrownWeaknesses]; position < weaknesses; position++ {
		delete(p.pauses, int32(position))
	}
	p.reports = have[undo.GrownReports]
	p.weaknesses, p.events = p.weaknesses[:have[undo.GrownWeaknesses]*derivation.WeaknessBytes], p.events[:have[undo.GrownEvents]*derivation.EventBytes]
	p.texts, p.owners, p.scopes = p.texts[:have[undo.GrownTexts]], p.owners[:have[undo.GrownOwners]], p.scopes[:have[undo.GrownScopes]]
	p.names[derivation.NamesOfServices] = p.names[derivation.NamesOfServices][:have[undo.GrownServices]]
	p.names[derivation.NamesOfRepositories] = p.names[derivation.NamesOfRepositories][:have[undo.GrownRepositories]]
	p.policies, p.counting = p.policies[:have[undo.GrownPolicies]], p.counting[:have[undo.GrownCountingChanges]]
	return nil
}

// snapshot is what was known at the instant, with everything settled that the calendar decides.
func (p *past) snapshot() (*snapshot.Snapshot, error) {
	if len(p.policies) == 0 {
		return nil, errors.New("it names no policy")
	}
	if p.policy == nil {
		row := p.policies[len(p.policies)-1]
		var err error
		if p.policy, err = derivation.StoredPolicy(row); err != nil {
			p.logger.Warn("The policy that was in force is not understood any more; the default one is used instead", "version", row.Version, "err", err)
			p.policy = policy.Default()
		}
	}
	s, err := p.state()
	if err != nil {
		return nil, err
	}
	s.SettleUntil(p.instant)
	made := s.Snapshot()
	made.Records[record.KindFinding] = p.reports
	return made, nil
}

// state is the ledger's memory as it was.
func (p *past) state() (*derivation.State, error) {
	s := derivation.New(p.policy, p.logger)
	into := s.Receives()
	for name, value := range map[string]int64{"at": min(p.settled, p.recordsUntil()), "founded": p.founded} {
		if err := into.Meta(name, fmt.Sprint(value)); err != nil {
			return nil, err
		}
	}
	for _, row := range p.codes {
		into.Code(row)
	}
	for i, text := range p.texts {
		into.Text(int32(i), text)
	}
	for i, o := range p.owners {
		into.Owner(int32(i), o)
	}
	for kind, rows := range p.names {
		for number, row := range rows {
			into.Name(kind, int32(number), row.name, row.removed)
		}
	}
	for _, source := range p.sources {
		into.Source(source)
	}
	for number, row := range p.scopes {
		into.Scope(int32(number), row)
	}
	for table, entries := range map[store.BlockTable][]byte{store.WeaknessBlocks: p.weaknesses, store.EventBlocks: p.events} {
		if err := s.LoadEntries(table, entries); err != nil {
			return nil, err
		}
	}
	for weakness, spans := range p.pauses {
		if err := into.Pauses(weakness, spans); err != nil {
			return nil, err
		}
	}
	for _, row := range p.policies {
		into.Policy(row)
	}
	for _, change := range p.counting {
		into.Counting(change)
	}
	for _, row := range p.records {
		if err := into.Record(row); err != nil {
			return nil, err
		}
	}
	return s, s.Resume()
}
