package reports

import (
	"context"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/reports/format"
)

// statements reads what the VEX documents among the files say, before the reports that they are about. A document that cannot be read
// now keeps its last statements, so that a damaged file reopens nothing.
func (c *Collector) statements(ctx context.Context, files []source) ([]format.Statement, error) {
	read := map[string][]format.Statement{}
	var all []format.Statement
	for _, s := range files {
		if err := collectors.Canceled(ctx); err != nil {
			return nil, err
		}
		now, known := c.vex(ctx, s)
		if !known {
			now = c.lastStatements[s.relative]
		}
		if len(now) > 0 {
			read[s.relative] = now
		}
		all = append(all, now...)
	}
	c.lastStatements = read
	return all, nil
}

// vex reads the statements of a report if it may be a VEX document. It reports false for one that cannot be read; the error is told when
// the report's own turn comes.
func (c *Collector) vex(ctx context.Context, s source) ([]format.Statement, bool) {
	if s.err != nil {
		return nil, false
	}
	known, err := c.recognise(s.open)
	if err != nil {
		return nil, false
	}
	if _, states := known.(format.Stater); !states {
		return nil, true
	}
	r, err := c.report(ctx, s)
	if err != nil {
		return nil, false
	}
	return r.Statements, true
}
