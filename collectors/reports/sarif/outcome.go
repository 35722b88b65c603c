package sarif

import (
	"cmp"
	"regexp"
	"slices"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/internal/record"
)

// conclude says what the run looked for and how it ended: the classes of the rules that it has and of what it found. A run of rules that are about quality
// alone, or that found nothing but licences, is no scan.
func (run *runReading) conclude(r *format.Report, repository record.RepositoryName) {
	outcome := run.outcome(r)
	classes := run.classes(r)
	for _, class := range classes {
		r.Scanned(run.tool.Name, class, repository, outcome)
	}
	if len(classes) == 0 && outcome == format.Failed && !run.aboutOther() {
		r.Scanned(run.tool.Name, run.defaultClass(), repository, outcome)
	}
	if len(classes) == 0 && run.tool.Focus != record.FocusQuality && run.aboutOther() {
		return
	}
	// What a tool that looks for one thing no longer lists is fixed, whatever else it lists. Of one whose scanners are chosen, only a report without
	// any result says so.
	switch {
	case run.counted == 0 || !run.tool.Selectable():
		r.Covers(run.tool.Name, "")
	case slices.ContainsFunc(classes, isPackages), slices.Contains(classes, record.ClassSAST):
		r.Covers(run.tool.Name, record.ClassSecret)
	}
}

func isPackages(class record.Class) bool {
	return class == record.ClassSCA || class == record.ClassContainer
}

// classes are those of the rules about security and of what was found, in the order of record.Classes; the tool's where the run has neither.
func (run *runReading) classes(r *format.Report) []record.Class {
	found := map[record.Class]bool{}
	for i := range r.Findings[run.first:] {
		found[r.Findings[run.first+i].Class] = true
	}
	rules := 0
	for _, c := range append(pointers(run.extensions), &run.driver) {
		for i := range c.Rules {
			rules++
			if n := run.natureOf(&c.Rules[i], ""); n.subject == record.SubjectSecurity && (run.tool.Focus != record.FocusQuality || run.counted > 0) {
				found[n.class] = true
			}
		}
	}
	// Of a tool with several scanners, what it found shows which of them ran; that it found nothing shows no more than that code was analysed by one that is made for that.
	if len(found) == 0 && rules == 0 && !run.aboutOther() && run.listed && (run.defaultClass() == record.ClassSAST || !run.tool.Selectable()) {
		found[run.defaultClass()] = true
	}
	var classes []record.Class
	for _, class := range record.Classes() {
		if found[class] {
			classes = append(classes, class)
		}
	}
	return classes
}

func (run *runReading) defaultClass() record.Class {
	return cmp.Or(run.tool.Class, record.ClassSAST)
}

// aboutOther reports whether all that the run has is about something else than security: results that were left out, rules of quality.
func (run *runReading) aboutOther() bool {
	if run.counted > 0 {
		return false
	}
	if run.tool.Focus == record.FocusQuality {
		return true
	}
	for _, c := range append(pointers(run.extensions), &run.driver) {
		for i := range c.Rules {
			if run.natureOf(&c.Rules[i], "").subject == record.SubjectSecurity {
				return false
			}
		}
	}
	return len(run.driver.Rules) > 0 || len(run.results) > 0
}

// outcome: a run that says of itself that it failed, or that has no list of results, tells nothing about what is lacking; nor does one with errors that
// name no place. Errors at places are of these alone.
func (run *runReading) outcome(r *format.Report) format.Outcome {
	outcome := format.Succeeded
	if !run.listed {
		outcome = format.Failed
	}
	for i := range run.invocations {
		inv := &run.invocations[i]
		r.Dated(cmp.Or(string(inv.EndTimeUTC), string(inv.StartTimeUTC)))
		if inv.ExecutionSuccessful != nil && !*inv.ExecutionSuccessful {
			outcome = format.Failed
		}
		for _, n := range slices.Concat(inv.ExecutionNotifications, inv.ConfigNotifications) {
			switch {
			case n.failure():
				outcome = outcome.Or(run.givenUp(r, &n))
			case unparsed.MatchString(string(n.Descriptor.ID)):
				run.givenUp(r, &n)
			}
		}
	}
	return outcome
}

// gaveUp are the names of what makes a scanner leave something out, which some tools call a warning.
var gaveUp = regexp.MustCompile(`(?i)time[- ]?d?[- ]?out|out[- ]?of[- ]?memory|fatal|too many matches|internal.*error`)

func (n *notification) failure() bool {
	return n.Level == "error" || gaveUp.MatchString(string(n.Descriptor.ID)) && n.Level != "note" && n.Level != "none"
}

// unparsed are the names of what makes a scanner leave out a part of a file, which is no failure of the run.
var unparsed = regexp.MustCompile(`(?i)syntax|lexical|pars(e|ing)`)

// messagePlace is how Semgrep names a file where it gives no location: "Timeout when running RULE on FILE: ...", "Syntax error at line FILE:14: ...".
var messagePlace = regexp.MustCompile(`^[^\n]*?(?:when running \S+ on|at line) (\S+?):?(?:[0-9]+:?)?(?:\s|$)`)

// givenUp notes the places that a notification is about; without any it is about the whole run.
func (run *runReading) givenUp(r *format.Report, n *notification) format.Outcome {
	var files []string
	for i := range n.Locations {
		file, _ := run.path(n.Locations[i].Physical.Artifact)
		files = append(files, file)
	}
	if m := messagePlace.FindStringSubmatch(string(n.Message.Text)); m != nil && len(files) == 0 {
		files = append(files, format.CleanPath(m[1]))
	}
	outcome := format.Failed
	for _, file := range files {
		if file != "" {
			outcome = format.Partial
			if file = record.Text(file); !slices.Contains(r.Unread, file) {
				r.Unread = append(r.Unread, file)
			}
		}
	}
	return outcome
}
