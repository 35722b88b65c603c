package ledger_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// asOf reads a ledger as it was.
func asOf(t *testing.T, path string, at time.Time) (*snapshot.Snapshot, error) {
	t.Helper()
	h, err := ledger.OpenHistory(t.Context(), path, nil)
	if err != nil {
		return nil, err
	}
	s, _, err := h.AsOf(t.Context(), at)
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	return s, err
}

// openAsOf counts the open weaknesses as of an instant.
func openAsOf(t *testing.T, path string, at time.Time) int {
	t.Helper()
	s, err := asOf(t, path, at)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, w := range s.Weaknesses.All() {
		if w.Open() {
			n++
		}
	}
	return n
}

// fromSchema makes the file that a released version left. Of schema 1 it was founded on day 1 and changed last on day 5; of schema 2 likewise, and
// changed last on day 7.
func fromSchema(t *testing.T, version int) string {
	t.Helper()
	dump, err := os.ReadFile(fmt.Sprintf("testdata/schema-%d.sql", version))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ledger.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1) // the dump is one connection's
	execute(t, db, string(dump))
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFromSchema1 opens what the first released version left: nothing is lost, the migration is a counting change of the day, and the past
// is kept from the last transaction of the old version on.
func TestFromSchema1(t *testing.T) {
	path := fromSchema(t, 1)
	if _, err := asOf(t, path, day(5)); err == nil || !strings.Contains(err.Error(), "schema 1") {
		t.Errorf("the past of a file that was not migrated: %v", err)
	}
	l, err := ledger.Open(t.Context(), ledger.Options{Path: path, At: day(8)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	s := l.Snapshot()
	if !slices.ContainsFunc(s.CountingChanges, func(c snapshot.CountingChange) bool {
		return c.Kind == snapshot.CountingMigration && c.At.Equal(day(8))
	}) {
		t.Errorf("counting changes %+v, want a migration on day 8", s.CountingChanges)
	}
	if s.Weaknesses.Len() != 3 || len(s.Reviews) != 1 || len(s.Answered) != 1 || len(s.Services) != 2 || !s.Founded.Equal(day(1)) {
		t.Errorf("%d weaknesses, %d reviews, %d answers, %d services, founded %s after the migration", s.Weaknesses.Len(), len(s.Reviews), len(s.Answered),
			len(s.Services), s.Founded)
	}
	sources := []ledger.Source{{Collector: "catalog", Instance: "a"}, {Collector: "scanner", Instance: "one"}, {Collector: "tickets", Instance: "t"}}
	b := record.Batch{Scope: "alerts:acme", Mode: record.Full, Findings: []record.Finding{critical("h", 2)}, Absence: record.ClosureFixed}
	if err := errors.Join(l.Configure(t.Context(), sources, day(8)), l.Apply(t.Context(), "scanner", "one", b, day(9))); err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]int{5: 3, 7: 3, 8: 3, 9: 1, 20: 1} {
		if got := openAsOf(t, path, day(n)); got != want {
			t.Errorf("%d open as of day %d, want %d", got, n, want)
		}
	}
	if _, err := asOf(t, path, day(4)); !errors.Is(err, ledger.ErrBeforeHistory) || !strings.Contains(err.Error(), "2026-01-05T12:00:00Z") {
		t.Errorf("as of day 4: %v, want ErrBeforeHistory with the day from which on the past is kept", err)
	}
}

// TestFromSchema2: what was covered stays covered, and the revisions of an exception hold from when they were observed. f is excepted from day 3 to 40; g was
// from day 3, until its ticket was gone on day 6.
func TestFromSchema2(t *testing.T) {
	path := fromSchema(t, 2)
	l, err := ledger.Open(t.Context(), ledger.Options{Path: path, At: day(8)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	pauses := func() string {
		var text []string
		for _, p := range l.Snapshot().Pauses {
			for _, pause := range p {
				text = append(text, fmt.Sprintf("%d-%d", (pause.Start-day(0).Unix())/86400, (pause.End-day(0).Unix())/86400))
			}
		}
		return strings.Join(text, " ")
	}
	if got := pauses(); got != "3-40" {
		t.Errorf("after the migration the pauses are %q", got)
	}
	if got := openAsOf(t, path, day(5)); got != 2 {
		t.Errorf("%d open as of day 5, want 2", got)
	}
	b := record.Batch{Scope: "query:x", Mode: record.Full, Exceptions: []record.Exception{{
		ID: "E", Title: "longer", State: record.ExceptionApproved, Service: "api", Findings: []string{"f"}, RequestedAt: day(2), DecidedAt: day(9), ExpiresAt: day(80), UpdatedAt: day(9),
	}}}
	if err := l.Apply(t.Context(), "scanner", "tickets", b, day(10)); err != nil {
		t.Fatal(err)
	}
	if got := pauses(); got != "3-80" {
		t.Errorf("approved anew the pauses are %q", got)
	}
	b.Exceptions = []record.Exception{}
	if err := l.Apply(t.Context(), "scanner", "tickets", b, day(11)); err != nil {
		t.Fatal(err)
	}
	if got := pauses(); got != "3-11" {
		t.Errorf("when its ticket is gone the pauses are %q", got)
	}
}

func TestHistoryThatIsNotThere(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.db")
	empty := filepath.Join(dir, "empty.db")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	unfounded, err := ledger.Open(t.Context(), ledger.Options{Path: filepath.Join(dir, "unfounded.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unfounded.Close() }()
	newer := filepath.Join(dir, "newer.db")
	if err := filled(t, newer).Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, raw(t, newer), "PRAGMA user_version = 99")
	filled(t, path)
	for name, c := range map[string]struct {
		path string
		at   time.Time
		want error
		says string
	}{
		"missing":      {filepath.Join(dir, "none.db"), day(2), ledger.ErrNoLedger, "none.db does not exist"},
		"a folder":     {dir, day(2), ledger.ErrNoLedger, "is not a regular file"},
		"empty":        {empty, day(2), ledger.ErrNoLedger, "empty.db"},
		"unfounded":    {filepath.Join(dir, "unfounded.db"), day(2), ledger.ErrNotFounded, "unfounded.db as of 2026-01-02T12:00:00Z"},
		"newer":        {newer, day(2), ledger.ErrNewerSchema, "schema 99"},
		"too early":    {path, day(-100), ledger.ErrBeforeHistory, "imported at the founding (2026-01-02T12:00:00Z)"},
		"fine":         {path, day(2), nil, ""},
		"yet to come":  {path, day(400), nil, ""},
		"a day before": {path, day(2).Add(-time.Hour), ledger.ErrBeforeHistory, "earlier date"},
	} {
		_, err := asOf(t, c.path, c.at)
		if !errors.Is(err, c.want) || c.says != "" && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v with %q", name, err, c.want, c.says)
		}
	}
}

// TestAsOfBeforeTheFounding: the imported history by the sources' dates.
func TestAsOfBeforeTheFounding(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, err := ledger.Open(t.Context(), ledger.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	b := record.Batch{
		Scope: "alerts:acme", Mode: record.Full,
		Findings:    []record.Finding{critical("f", 1), closed(critical("g", 3), record.ClosureFixed, 6), closed(critical("late", 3), record.ClosureFixed, 25)},
		Reviews:     []record.Review{{ID: "R", State: record.ReviewDone, RequestedAt: day(2), FirstResponseAt: day(4), ClosedAt: day(6)}},
		Followups:   []record.Followup{{ID: "U", CreatedAt: day(2), ClosedAt: day(4)}},
		Exceptions:  []record.Exception{{ID: "E", State: record.ExceptionEnded, Service: "api", Findings: []string{"x"}, RequestedAt: day(2), DecidedAt: day(4), ExpiresAt: day(9), EndedAt: day(6)}},
		Incidents:   []record.Incident{{ID: "I", OpenedAt: day(2), RestoredAt: day(4)}},
		Deployments: []record.Deployment{{ID: "D", Status: record.DeploymentSucceeded, CreatedAt: day(2), FinishedAt: day(4)}},
	}
	if err := errors.Join(l.Apply(t.Context(), "scanner", "one", b, day(30)), l.MarkFounded(t.Context(), day(30))); err != nil {
		t.Fatal(err)
	}
	type state struct {
		open, missed, met, answered int
		review                      record.ReviewState
		exception                   record.ExceptionState
		deployment                  record.DeploymentStatus
	}
	for n, want := range map[int]state{
		1: {open: 1},
		3: {3, 0, 0, 0, record.ReviewWaiting, record.ExceptionRequested, record.DeploymentPending},
		5: {3, 0, 0, 1, record.ReviewInProgress, record.ExceptionApproved, record.DeploymentSucceeded},
		7: {2, 0, 1, 1, record.ReviewDone, record.ExceptionEnded, record.DeploymentSucceeded},
		// Due at the end of day 15 and day 17: the default policy gives criticals 14 days.
		16: {2, 1, 1, 1, record.ReviewDone, record.ExceptionEnded, record.DeploymentSucceeded},
		26: {1, 2, 1, 1, record.ReviewDone, record.ExceptionEnded, record.DeploymentSucceeded},
	} {
		s, err := asOf(t, path, day(n))
		if err != nil {
			t.Fatal(err)
		}
		got := state{answered: len(s.Answered)}
		for _, w := range s.Weaknesses.All() {
			if w.Open() {
				got.open++
			}
			switch w.Outcome {
			case snapshot.OutcomeMet:
				got.met++
			case snapshot.OutcomeMissed:
				got.missed++
			case snapshot.OutcomeNone, snapshot.OutcomeVoid:
			}
		}
		for _, r := range s.Reviews {
			got.review = r.Record.State
		}
		for _, e := range s.Exceptions {
			got.exception = e.Record.State
		}
		for _, d := range s.Deployments {
			got.deployment = d.Record.Status
		}
		if got != want {
			t.Errorf("as of day %d: %+v, want %+v", n, got, want)
		}
	}
}

// TestUndoIsDamaged: a history that was cut or written over is refused; it never gives a number.
func TestUndoIsDamaged(t *testing.T) {
	for name, statement := range map[string]string{
		"cut":          "UPDATE history SET undo = substr(undo, 1, length(undo) - 1)",
		"another form": "UPDATE history SET undo = x'ff' || substr(undo, 2)",
		"nothing":      "UPDATE history SET undo = x''",
		"too much":     "UPDATE history SET undo = x'01' || x'00' || x'07' || x'ffff03' || x'ffff03' || x'ffff03' || x'0000000000'",
	} {
		path := filepath.Join(t.TempDir(), "ledger.db")
		l := filled(t, path)
		if err := l.Apply(t.Context(), "scanner", "one", more(), day(5)); err != nil {
			t.Fatal(err)
		}
		execute(t, raw(t, path), statement)
		if _, err := asOf(t, path, day(3)); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s: %v, want to hear of the damage", name, err)
		}
	}
}

// TestFormerPolicyKeepsItsVersion: what an earlier version of the program stored lacks the keys that came later.
func TestFormerPolicyKeepsItsVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	filled(t, path)
	execute(t, raw(t, path), `UPDATE policies SET version = 'abc123', config = json_remove(config, '$.exceptions', '$.detail')`)
	h, err := ledger.OpenHistory(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	_, p, err := h.AsOf(t.Context(), day(3))
	if err != nil || p.Version() != "abc123" || p.Config().Detail.MaxSeries != policy.DefaultConfig().Detail.MaxSeries {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestAsOfWhileNothingRan: what the calendar decides happens on its day, whether or not anybody was there to see it.
func TestAsOfWhileNothingRan(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	if err := filled(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]snapshot.Outcome{16: snapshot.OutcomeNone, 17: snapshot.OutcomeMissed} { // 14 days from day 2, and all of day 16
		known, err := asOf(t, path, day(n))
		if err != nil {
			t.Fatal(err)
		}
		if got := known.Weaknesses.At(0).Outcome; got != want {
			t.Errorf("as of day %d: %q, want %q", n, got, want)
		}
	}
}
