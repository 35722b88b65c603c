package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"prodsec_exporter/internal/config"
	"prodsec_exporter/internal/exposition"
	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/snapshot"
)

// evaluation is what the subcommand evaluate is asked.
type evaluation struct {
	at     string
	policy string
}

func (e *evaluation) flags(c *kingpin.CmdClause) {
	c.Flag("at", "The instant, as 2026-10-01T00:00:00Z or 2026-10-01 (midnight UTC).").Required().StringVar(&e.at)
	c.Flag("policy", "A configuration file whose policy decides instead of the one that was in force.").StringVar(&e.policy)
}

// evaluate prints what was served at an instant. It only reads the ledger, which an exporter may be using.
func (p *program) evaluate(ctx context.Context, e *evaluation) (err error) {
	at, err := parseInstant(e.at)
	if err != nil {
		return err
	}
	if now := time.Now(); at.After(now) {
		return fmt.Errorf("--at %s lies ahead: nothing is known yet of what will have been read by then", e.at)
	}
	var other *policy.Policy
	if e.policy != "" {
		if other, err = config.ReadPolicy(e.policy); err != nil {
			return err
		}
	}
	history, err := ledger.OpenHistory(ctx, p.ledgerPath, p.logger)
	if errors.Is(err, ledger.ErrNoLedger) {
		return fmt.Errorf("%w; name one by --ledger.path", err)
	}
	if err != nil {
		return err
	}
	defer closing(history.Close, &err)
	known, decided, err := asOf(ctx, history, at, other)
	if err != nil {
		return err
	}
	return exposition.WriteText(p.stdout, metrics.Evaluate(known, decided, at), p.logger)
}

func asOf(ctx context.Context, h *ledger.History, at time.Time, other *policy.Policy) (*snapshot.Snapshot, *policy.Policy, error) {
	if other == nil {
		return h.AsOf(ctx, at)
	}
	known, err := h.AsOfUnder(ctx, at, other)
	return known, other, err
}

// parseInstant reads an instant.
func parseInstant(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("--at %q is no instant: write 2026-10-01T00:00:00Z, or 2026-10-01 for midnight UTC", text)
}
