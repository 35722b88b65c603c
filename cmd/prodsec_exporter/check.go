package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/config"
	"prodsec_exporter/internal/record"
)

// checkTimeout bounds how long one collector may take to prove its credentials.
const checkTimeout = 2 * time.Minute

// errNotAllWorks is the answer of a check that found something missing; what, was printed.
var errNotAllWorks = errors.New("check: not everything that is configured works; see above")

// check says whether the configuration is good, and with --online whether the sources agree.
func (p *program) check(ctx context.Context) (err error) {
	load, end, err := p.source(ctx)
	if err != nil {
		return err
	}
	defer closing(end, &err)
	telemetry := newTelemetry(p.logger, time.Now)
	plan, err := telemetry.plan(load)
	if err != nil {
		return err
	}
	if err := p.summarise(plan); err != nil {
		return err
	}
	works, err := p.checkSecrets(plan)
	if err != nil {
		return err
	}
	if err := p.checkReferences(plan); err != nil {
		return err
	}
	if !p.online {
		if !works {
			return errNotAllWorks
		}
		return nil
	}
	for _, b := range plan.built {
		good, err := p.checkOnline(ctx, b, telemetry.instance(keyOf(b)))
		if err != nil {
			return err
		}
		works = works && good
	}
	if err := p.checkCatalogs(ctx, plan); err != nil {
		return err
	}
	if !works {
		return errNotAllWorks
	}
	_, err = fmt.Fprintln(p.stdout, "\nEverything that is configured works.")
	return err
}

// summarise prints what is configured.
func (p *program) summarise(plan plan) error {
	return p.table(func(w *strings.Builder) {
		c := plan.config
		fmt.Fprintf(w, "%s is well-formed: %d collectors, policy version %s, evaluated every %s.\n\n", c.File, len(plan.built), c.Policy.Version(), c.EvaluationInterval)
		fmt.Fprintln(w, "COLLECTOR\tINSTANCE\tINTERVAL\tFULL INTERVAL\tSTALE AFTER\tTIMEOUT")
		for _, b := range plan.built {
			s := b.Settings
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", b.Kind.Name, s.Name, s.Interval, s.FullInterval, s.StaleAfter, s.Timeout)
		}
	})
}

// checkSecrets prints which secrets cannot be read from here; it reports whether all can.
func (p *program) checkSecrets(plan plan) (works bool, err error) {
	var unreadable, doubtful config.Problems
	for _, b := range plan.built {
		unreadable = append(unreadable, b.UnreadableSecrets()...)
		doubtful = append(doubtful, b.DoubtfulSecrets()...)
	}
	err = errors.Join(
		p.problems("Secrets that cannot be read here:", "FAILED", unreadable),
		p.problems("Secrets that do not look like secrets:", "warning", doubtful),
	)
	return len(unreadable) == 0, err
}

// checkReferences prints what the configuration names and nothing answers to.
func (p *program) checkReferences(plan plan) error {
	return p.problems("Names that match nothing:", "warning", plan.config.UnknownReferences(plan.built))
}

// problems prints problems below a title, if there are any.
func (p *program) problems(title, verdict string, list config.Problems) error {
	if len(list) == 0 {
		return nil
	}
	if _, err := fmt.Fprintf(p.stdout, "\n%s\n", title); err != nil {
		return err
	}
	for _, problem := range list {
		if _, err := fmt.Fprintf(p.stdout, "  %s  %s\n", verdict, record.Text(problem.Error())); err != nil {
			return err
		}
	}
	return nil
}

// checkOnline prints what a collector can and cannot read, and what it will cost; it reports whether all works.
func (p *program) checkOnline(ctx context.Context, b config.Built, seen *instance) (works bool, err error) {
	if _, err := fmt.Fprintf(p.stdout, "\n%s/%s\n", b.Kind.Name, b.Settings.Name); err != nil {
		return false, err
	}
	checker, ok := b.Collector.(collectors.Checker)
	if !ok {
		_, err := fmt.Fprintln(p.stdout, "  has nothing to check online")
		return true, err
	}
	bounded, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	results, err := checker.Check(bounded)
	if err != nil && ctx.Err() != nil {
		return false, fmt.Errorf("check: %w", err)
	}
	if err != nil {
		results = append(results, collectors.CheckResult{Subject: "everything else", Err: err, Unknown: "whatever it holds"})
	}
	works = true
	err = p.table(func(w *strings.Builder) {
		for _, r := range results {
			works = works && (r.Err == nil || r.Optional)
			writeResult(w, r)
		}
		writeCredentials(w, credentialsOf(b), time.Now())
		writeForecast(w, b, seen)
	})
	return works, err
}

func writeResult(w *strings.Builder, r collectors.CheckResult) {
	if r.Err == nil {
		fmt.Fprintf(w, "  ok\t%s\n", r.Subject)
		for _, note := range r.Notes {
			fmt.Fprintf(w, "  \t  %s\n", record.Text(note))
		}
		return
	}
	verdict := "FAILED"
	if r.Optional {
		verdict = "unknown"
	}
	fmt.Fprintf(w, "  %s\t%s\n  \t  %s\n", verdict, r.Subject, record.Text(r.Err.Error()))
	if e, ok := errors.AsType[*record.Error](r.Err); ok && e.Permission != "" {
		fmt.Fprintf(w, "  \t  missing permission: %s\n", record.Text(e.Permission))
	}
	if r.Unknown != "" {
		fmt.Fprintf(w, "  \t  remains unknown: %s\n", r.Unknown)
	}
}

// soon is how long before its end a credential is named as ending, as in the alert.
const soon = 14 * 24 * time.Hour

// writeCredentials prints what each credential sees and when it ends.
func writeCredentials(w *strings.Builder, known credentials, now time.Time) {
	for _, c := range known.reported {
		name := ""
		if c.Name != "" {
			name = record.Text(c.Name) + ": "
		}
		seen := make([]string, 0, len(c.Sees))
		for _, s := range c.Sees {
			seen = append(seen, fmt.Sprintf("%d %s", s.Count, s.What))
		}
		if len(seen) > 0 {
			fmt.Fprintf(w, "  sees\t%s%s\n", name, strings.Join(seen, ", "))
		}
		if !c.ExpiresAt.IsZero() {
			fmt.Fprintf(w, "  %s\t%scredential %s\n", verdictOf(c.ExpiresAt, now), name, untilText(c.ExpiresAt, now))
		}
	}
	if known.expiry().Equal(known.configured) && !known.configured.IsZero() {
		fmt.Fprintf(w, "  %s\tcredential %s, as the configuration says\n", verdictOf(known.configured, now), untilText(known.configured, now))
	}
}

func verdictOf(end, now time.Time) string {
	if end.Sub(now) < soon {
		return "SOON"
	}
	return "ok"
}

func untilText(end, now time.Time) string {
	if !end.After(now) {
		return "has been over since " + end.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("ends in %d days, at %s", int(end.Sub(now)/(24*time.Hour)), end.UTC().Format(time.RFC3339))
}

// writeForecast prints the cost in API calls against the budget that the source stated during the check.
func writeForecast(w *strings.Builder, b config.Built, seen *instance) {
	forecaster, ok := b.Collector.(collectors.Forecaster)
	if !ok {
		return
	}
	forecast := named(forecaster.Forecast())
	for _, resource := range slices.Sorted(maps.Keys(forecast)) {
		of := "the source stated no budget"
		seen.mu.Lock()
		if budget, ok := seen.budgets[resource]; ok {
			of = fmt.Sprintf("budget %d, %d left", budget.limit, budget.remaining)
		}
		seen.mu.Unlock()
		fmt.Fprintf(w, "  forecast\t%s: %.0f requests per hour (%s)\n", resource, forecast[resource], of)
	}
}

// table aligns what fill writes in columns and prints it.
func (p *program) table(fill func(*strings.Builder)) error {
	var cells strings.Builder
	fill(&cells)
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	if _, err := w.Write([]byte(cells.String())); err != nil {
		return err
	}
	return w.Flush()
}
