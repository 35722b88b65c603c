package main

import (
	"context"
	"fmt"
	"strings"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/ledger/catalog"
)

// maxConflicts bounds how many conflicts are printed one by one.
const maxConflicts = 50

// checkCatalogs prints what catalogs know differently about services. That is no failure: policy says which of them counts. A catalog that
// cannot be read was named before.
func (p *program) checkCatalogs(ctx context.Context, plan plan) error {
	var catalogs []catalog.Source
	configured := 0
	for _, b := range plan.built {
		if c, ok := b.Collector.(collectors.Cataloger); ok && c.Describes() {
			configured++
		}
	}
	if configured == 0 {
		return nil // nothing to disagree about
	}
	for _, b := range plan.built {
		cataloger, ok := b.Collector.(collectors.Cataloger)
		if !ok || !cataloger.Describes() {
			continue
		}
		bounded, cancel := context.WithTimeout(ctx, checkTimeout)
		services, err := cataloger.Catalog(bounded)
		cancel()
		if ctx.Err() != nil {
			return fmt.Errorf("check: %w", ctx.Err())
		}
		if err == nil {
			catalogs = append(catalogs, catalog.Source{Collector: b.Kind.Name, Instance: b.Settings.Name, Services: services})
		}
	}
	return p.printConflicts(catalog.Conflicts(plan.config.Policy, catalogs), len(catalogs), configured)
}

func (p *program) printConflicts(conflicts []catalog.Conflict, read, configured int) error {
	return p.table(func(w *strings.Builder) {
		if read < configured {
			fmt.Fprintf(w, "\nCatalogs compared: %d of %d; the others could not be read.\n", read, configured)
		}
		if len(conflicts) == 0 && read < 2 {
			return
		}
		if len(conflicts) == 0 {
			fmt.Fprintf(w, "\nNo two of %d catalogs disagree about a service.\n", read)
			return
		}
		fmt.Fprintf(w, "\nFacts that catalogs disagree about: %d. policy.catalog_precedence says which catalog counts.\n\n", len(conflicts))
		fmt.Fprintln(w, "SERVICE\tFACT\tCOUNTS\tIGNORED")
		for _, c := range conflicts[:min(len(conflicts), maxConflicts)] {
			fmt.Fprintf(w, "%s\t%s\t%s (%s)\t%s (%s)\n", c.Name, c.Field, c.Used, c.UsedBy, c.Ignored, c.IgnoredBy)
		}
		if more := len(conflicts) - maxConflicts; more > 0 {
			fmt.Fprintf(w, "and %d more\n", more)
		}
	})
}
