package policy

import (
	"strings"
	"testing"

	"prodsec_exporter/internal/record"
)

func TestScanMaxAge(t *testing.T) {
	c := DefaultConfig()
	c.ScanMaxAge = ScanAges{record.ClassDAST: Duration(30 * Day)}
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.ScanMaxAge(record.ClassDAST); got != 30*Day {
		t.Errorf("dast: got %s, want 30 days as configured", got)
	}
	if got := p.ScanMaxAge(record.ClassSCA); got != 7*Day {
		t.Errorf("sca: got %s, want the default of 7 days", got)
	}
	if p.Version() == Default().Version() {
		t.Error("the version must change with the ages")
	}
	c.ScanMaxAge = ScanAges{"sac": Duration(Day), record.ClassSCA: 0}
	_, err = New(c)
	for _, want := range []string{"policy.scan_max_age.sac: is not one of", "policy.scan_max_age.sca: must be longer than 0"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}
