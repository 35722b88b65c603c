package reports

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/internal/record"
)

// batches are what a report says, one batch for each subject, i.e. for what a tool finds of a class: a report replaces what the same tool said at the same path
// before, for the classes that it looked for, and nothing else. known are the subjects that were met at the path.
func (c *Collector) batches(s source, r *format.Report, known subjects) []record.Batch {
	now := c.env.Now()
	frame := record.Batch{Mode: record.Full, Absence: record.ClosureFixed, AsOf: cmp.Or(r.ProducedAt, s.written), Cursor: cursorOf(now)}
	if frame.AsOf.After(now) {
		frame.AsOf = now
	}
	for i := range r.Findings {
		r.Findings[i].ID = s.relative + "#" + r.Findings[i].ID
	}
	var all []record.Batch
	for _, subject := range subjectsOf(r, known) {
		b := frame
		b.Scope = subjectScope(s.relative, subject)
		outcome := fill(&b, r, subject)
		switch {
		case outcome == format.Failed && len(b.Findings)+len(b.Scans) == 0:
			continue
		case outcome == format.Failed || r.Incomplete:
			// What the report does not list may still be there.
			b.Mode, b.Absence = record.Delta, record.ClosureNone
		case outcome == format.Partial:
			b.Unread, b.Read = r.Unread, r.Read
		default:
			b.Unread = r.Unread
		}
		if b.Mode == record.Full && known.replaced(r, subject) {
			// The tool was asked before and found nothing of the class: what it finds now is new.
			first := frame
			first.Scope, first.Findings = b.Scope, []record.Finding{}
			all = append(all, first)
		}
		all = append(all, b)
	}
	if len(all) == 0 {
		b := frame
		b.Scope, b.Findings, b.Scans = plainScope(s.relative), []record.Finding{}, []record.Scan{}
		if r.Incomplete {
			b.Mode, b.Absence = record.Delta, record.ClosureNone
		}
		all = append(all, b)
	}
	rejected(all, r)
	return all
}

// rejected notes what was left out of a report. That something could not be understood keeps every subject from closing anything; what is about no weakness
// is counted once.
func rejected(all []record.Batch, r *format.Report) {
	for i := range all {
		all[i].Rejected = maps.Clone(r.Rejected)
		if i > 0 {
			delete(all[i].Rejected, record.RejectNotSecurity)
		}
	}
}

// fill gives a batch the findings and scans of a subject, and says how these ended. A subject that is covered only has no scans.
func fill(b *record.Batch, r *format.Report, subject format.Subject) format.Outcome {
	b.Findings = make([]record.Finding, 0, count(r, subject))
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Tool == subject.Tool && f.Class == subject.Class {
			b.Findings = append(b.Findings, *f)
		}
	}
	outcome := format.Succeeded
	var scans []format.Scan
	for _, scan := range r.Scans {
		if scan.Subject == subject {
			outcome = outcome.Or(scan.Outcome)
			scans = append(scans, scan)
		}
	}
	if len(scans) > 0 {
		b.Scans = scanRecords(scans, b.AsOf)
	}
	return outcome
}

func count(r *format.Report, subject format.Subject) (n int) {
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Tool == subject.Tool && f.Class == subject.Class {
			n++
		}
	}
	return n
}

// scanRecords joins the scans of a subject by repository and dates them: of two runs over one repository both must have succeeded. A scan of an unknown
// repository says nothing about any.
func scanRecords(scans []format.Scan, at time.Time) []record.Scan {
	joined := map[record.RepositoryName]format.Outcome{}
	for _, s := range scans {
		if s.Repository != "" {
			joined[s.Repository] = joined[s.Repository].Or(s.Outcome)
		}
	}
	records := []record.Scan{}
	for _, repository := range slices.Sorted(maps.Keys(joined)) {
		scan := record.Scan{Tool: scans[0].Tool, Class: scans[0].Class, Repository: repository, AttemptedAt: at, Enabled: record.AnswerYes}
		if joined[repository] == format.Succeeded {
			scan.SucceededAt = at
		}
		records = append(records, scan)
	}
	return records
}

// subjectsOf are the subjects of a report in order: those of its scans and findings, and what it covers of those that are known.
func subjectsOf(r *format.Report, known subjects) []format.Subject {
	set := map[format.Subject]bool{}
	for _, scan := range r.Scans {
		set[scan.Subject] = true
	}
	for i := range r.Findings {
		set[format.Subject{Tool: r.Findings[i].Tool, Class: r.Findings[i].Class}] = true
	}
	for subject := range known {
		if covers(r, subject) {
			set[subject] = true
		}
	}
	return slices.SortedFunc(maps.Keys(set), func(a, b format.Subject) int {
		return cmp.Or(cmp.Compare(a.Tool, b.Tool), cmp.Compare(slices.Index(record.Classes(), a.Class), slices.Index(record.Classes(), b.Class)))
	})
}

// declare takes over the classes that the configuration says the reports look for, where a report does not show it itself.
func declare(r *format.Report, classes []record.Class) {
	tools := map[string]format.Scan{} // a scan of each tool, for its repository and outcome
	for _, covered := range r.Covered {
		tools[covered.Tool] = format.Scan{Outcome: format.Succeeded}
	}
	for _, scan := range r.Scans {
		one := tools[scan.Tool]
		tools[scan.Tool] = format.Scan{Repository: cmp.Or(one.Repository, scan.Repository), Outcome: scan.Outcome.Or(one.Outcome)}
	}
	for _, tool := range slices.Sorted(maps.Keys(tools)) {
		for _, class := range classes {
			subject := format.Subject{Tool: tool, Class: class}
			if !slices.ContainsFunc(r.Scans, func(s format.Scan) bool { return s.Subject == subject }) {
				r.Scanned(tool, class, tools[tool].Repository, tools[tool].Outcome)
			}
		}
	}
}
