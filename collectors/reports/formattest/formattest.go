// Package formattest is what the tests of formats share: reading a report from a text, and a fuzz target that holds for every format. It knows no
// format; each brings its own.
//
// To hold formats to one more rule, add it to the fuzz target here.
package formattest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

// Recorded is where real reports of many tools are kept beside the repository, as seen from the package of a format.
const Recorded = "../../../../shared/fixtures/scans"

// Read reads a report that is in the format, whether the format would recognise it or not.
func Read(f format.Format, text []byte) (*format.Report, error) {
	d, err := stream.Open(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	r := format.NewReport()
	if err := f.Read(d, r); err != nil {
		return nil, err
	}
	if err := d.End(); err != nil {
		return nil, err
	}
	return r, nil
}

// MustRead reads a report, and fails the test if the format does not recognise or cannot read it.
func MustRead(t testing.TB, f format.Format, text string) *format.Report {
	t.Helper()
	if !recognises(t, f, text) {
		t.Fatalf("%s does not recognise the report", f.Name())
	}
	r, err := Read(f, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var errRecognised = errors.New("recognised")

func recognises(t testing.TB, f format.Format, text string) bool {
	t.Helper()
	d, err := stream.Open(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	_, err = format.ReadSketch(d, func(s format.Sketch) error {
		if f.Recognises(s) {
			return errRecognised
		}
		return nil
	})
	return errors.Is(err, errRecognised)
}

// Seeds adds the small ones among the recorded reports of a folder, where there are any.
func Seeds(f *testing.F, folder string) {
	const small = 8 << 10
	entries, err := os.ReadDir(filepath.Join(Recorded, folder))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		f.Fatal(err)
	}
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(Recorded, folder, entry.Name()))
		if err != nil {
			f.Fatal(err)
		}
		if len(data) <= small {
			f.Add(data)
		}
	}
}

// Fuzz reads whatever comes: a report or an error, sound findings with ids of their own and bounded texts, the same at each reading.
func Fuzz(f *testing.F, of format.Format, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Read(of, data)
		if (r == nil) == (err == nil) {
			t.Fatalf("want a report or an error, got %v and %v", r, err)
		}
		if err != nil {
			return
		}
		ids := map[string]bool{}
		for i := range r.Findings {
			f := &r.Findings[i]
			if ids[f.ID] {
				t.Fatalf("two findings have the id %s", f.ID)
			}
			ids[f.ID] = true
			sound(t, f)
		}
		if again, err := Read(of, data); err != nil || fmt.Sprint(again.Findings) != fmt.Sprint(r.Findings) {
			t.Fatal("two readings differ")
		}
	})
}

func sound(t *testing.T, f *record.Finding) {
	t.Helper()
	if f.Tool == "" || f.Tool != strings.ToLower(f.Tool) || !slices.Contains(record.Classes(), f.Class) || !slices.Contains(record.Severities(), f.Severity) {
		t.Fatalf("finding is not sound: %+v", f)
	}
	for _, s := range append([]string{f.Title, f.Rule, f.Place, f.URL, f.Category, f.Package, f.Version}, f.Aliases...) {
		if len(s) > 2*record.MaxText || strings.ToValidUTF8(s, "") != s {
			t.Fatalf("text is not bounded: %q", s)
		}
	}
}
