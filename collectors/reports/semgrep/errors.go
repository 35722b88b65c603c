package semgrep

import (
	"regexp"
	"slices"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

func (in *reading) error(s *stream.JSON) error {
	var e runError
	ok, err := s.Item(&e)
	if err == nil && !ok {
		e = runError{Level: "error"} // something went wrong, in a form that is not known
	}
	in.errors = append(in.errors, e)
	return err
}

// gaveUp are the types of errors by which a file is not scanned, whatever their level.
var gaveUp = regexp.MustCompile(`(?i)timeout|out ?of ?memory|stack ?overflow|too ?many ?matches|fatal|internal ?matching`)

// outcome: an error without a file is one of the run, after which nothing is known of what it lacks; one with a file is of that file. A file that could not be
// parsed whole is no failure, but not looked at either. The files that were looked at are those that Semgrep lists, without these.
func (in *reading) outcome() format.Outcome {
	outcome := format.Succeeded
	unread := map[string]bool{}
	for _, e := range in.errors {
		failure := e.Level == "error" || e.Level == "" || gaveUp.Match(e.Type)
		switch {
		case e.Path != "":
			unread[record.Text(format.CleanPath(string(e.Path)))] = true
			if failure {
				outcome = outcome.Or(format.Partial)
			}
		case failure:
			outcome = format.Failed
		}
	}
	for path := range unread {
		in.into.Unread = append(in.into.Unread, path)
	}
	slices.Sort(in.into.Unread)
	if outcome == format.Partial && in.saysPaths {
		in.into.Read = make([]string, len(in.paths.Scanned))
		for i, path := range in.paths.Scanned {
			in.into.Read[i] = record.Text(format.CleanPath(string(path)))
		}
	}
	return outcome
}
