package reports

import (
	"slices"
	"strings"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/internal/record"
)

// A scope is what one tool finds of one class in the report at one path: "report:<path>#<tool>/<class>". A report that says nothing of that kind (a VEX, a bill of
// materials) or could never be read is the scope "report:<path>".

func plainScope(path string) string { return scopeKind + ":" + path }

func subjectScope(path string, s format.Subject) string {
	return plainScope(path) + "#" + strings.ReplaceAll(s.Tool, "#", "") + "/" + string(s.Class)
}

// parseScope takes a scope's name apart; a plain one has no subject.
func parseScope(scope string) (path string, subject format.Subject) {
	path = strings.TrimPrefix(scope, scopeKind+":")
	at := strings.LastIndexByte(path, '#')
	slash := strings.LastIndexByte(path, '/')
	if at < 0 || slash < at {
		return path, subject
	}
	class := record.Class(path[slash+1:])
	if !slices.Contains(record.Classes(), class) {
		return path, subject
	}
	return path[:at], format.Subject{Tool: path[at+1 : slash], Class: class}
}

// subjects are what was met at a path, and whether it is known to have been read. The zero subject stands for the plain scope.
type subjects map[format.Subject]record.Cursor

// subjectsByPath are the known scopes by path.
func subjectsByPath(cursors collectors.Cursors) map[string]subjects {
	known := map[string]subjects{}
	for scope, cursor := range cursors {
		if !strings.HasPrefix(scope, scopeKind+":") {
			continue
		}
		path, subject := parseScope(scope)
		if known[path] == nil {
			known[path] = subjects{}
		}
		known[path][subject] = cursor
	}
	return known
}

// scopes are the names of the known scopes of a path.
func (k subjects) scopes(path string) []string {
	var names []string
	for subject := range k {
		if subject == (format.Subject{}) {
			names = append(names, plainScope(path))
		} else {
			names = append(names, subjectScope(path, subject))
		}
	}
	slices.Sort(names)
	return names
}

// replaced reports whether a subject that was not met yet is one of which the path would have told before: the same tool was met there and its reports cover
// the class, or nothing was, in a report that could be read.
func (k subjects) replaced(r *format.Report, subject format.Subject) bool {
	if _, met := k[subject]; met {
		return false
	}
	for other, cursor := range k {
		if other.Tool == subject.Tool && covers(r, subject) || other == (format.Subject{}) && cursor != "" {
			return true
		}
	}
	return false
}

// cursorOf is what is kept of a scope: when a report covered it last.
func cursorOf(at time.Time) record.Cursor { return record.CursorAt(at) }

// covers reports whether a report lists all that a tool still finds of a class.
func covers(r *format.Report, subject format.Subject) bool {
	return slices.ContainsFunc(r.Covered, func(c format.Subject) bool {
		return c.Tool == subject.Tool && (c.Class == "" || c.Class == subject.Class)
	})
}
