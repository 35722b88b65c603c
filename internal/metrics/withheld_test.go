package metrics_test

import (
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/snapshot"
)

// dropped is the hand-made organisation in which the records of some scopes are too old to be shown.
func dropped(p *policy.Policy, which func(position int) bool) *snapshot.Snapshot {
	s := organisation(p)
	for i := range s.Scopes {
		if scope := &s.Scopes[i]; which(i) && !scope.LastSuccess.IsZero() {
			scope.StaleAfter = time.Hour
			scope.LastSuccess = noon.Add(-2 * time.Hour)
		}
	}
	return s
}

// numbers are the values of a family, or the numbers of observations, by label values.
func numbers(r metrics.Result) map[string]float64 {
	values := map[string]float64{}
	for _, s := range r.Series {
		values[strings.Join(s.Labels, ",")] = s.Value
		if s.Histogram != nil {
			values[strings.Join(s.Labels, ",")] = float64(s.Histogram.Count)
		}
	}
	return values
}

// companions are the families that have a companion for what they withhold.
func companions() map[string]string {
	names := map[string]string{}
	for _, f := range metrics.All() {
		if rest, ok := strings.CutPrefix(f.Name, "prodsec_withheld_"); ok {
			names["prodsec_"+rest] = f.Name
		}
	}
	return names
}

// TestWhatAScopeShowedIsWithheldWhenItIsDropped: whichever scope is dropped, what a family showed before it shows still, or its companion
// does with the same value. What an alert or a headline rests on does not vanish with a source.
func TestWhatAScopeShowedIsWithheldWhenItIsDropped(t *testing.T) {
	p := policy.Default()
	before := metrics.Evaluate(organisation(p), p, noon)
	withheld := map[string]bool{}
	sets := map[string]func(int) bool{"all": func(int) bool { return true }}
	for i, scope := range organisation(p).Scopes {
		sets[scope.Name] = func(position int) bool { return position == i }
	}
	for name, which := range sets {
		after := metrics.Evaluate(dropped(p, which), p, noon)
		for of, companion := range companions() {
			shown, kept := numbers(family(after, of)), numbers(family(after, companion))
			for labels, want := range numbers(family(before, of)) {
				if got := max(shown[labels], kept[labels]); got != want {
					t.Errorf("%s dropped: %s{%s} was %v and is %v, withheld %v", name, of, labels, want, shown[labels], kept[labels])
				}
			}
			for labels, value := range kept {
				withheld[companion] = true
				if value <= shown[labels] {
					t.Errorf("%s dropped: %s{%s} withholds %v of %v that are shown", name, companion, labels, value, shown[labels])
				}
			}
		}
	}
	for _, companion := range companions() {
		if !withheld[companion] {
			t.Errorf("%s never has a series, so nothing tests it", companion)
		}
	}
}

func TestNothingIsWithheldWhileNothingIsDropped(t *testing.T) {
	p := policy.Default()
	for _, r := range metrics.Evaluate(organisation(p), p, noon).Results {
		if strings.HasPrefix(r.Family.Name, "prodsec_withheld_") {
			t.Errorf("%s has %d series", r.Family.Name, len(r.Series))
		}
	}
}

// TestUnreadScopesAreNamed: the one that fails among many has a name, and where many fail the rest is a number.
func TestUnreadScopesAreNamed(t *testing.T) {
	p := policy.Default()
	s := &snapshot.Snapshot{Services: []snapshot.Service{{}}, Owners: []snapshot.Owner{snapshot.UnattributedOwner}}
	for i := range 858 {
		s.Scopes = append(s.Scopes, snapshot.Scope{
			Collector: "github", Instance: "acme", Kind: "posture", Name: "posture:acme/" + strings.Repeat("x", i%7) + string(rune('a'+i%26)), LastSuccess: noon, StaleAfter: time.Hour,
		})
	}
	s.Scopes[500].Name, s.Scopes[500].LastSuccess = "posture:acme/billing", noon.Add(-2*time.Hour)
	unread := family(metrics.Evaluate(s, p, noon), "prodsec_unread_scopes")
	if n, ok := value(unread, "scope=posture:acme/billing,status=dropped"); len(unread.Series) != 1 || !ok || n != 1 {
		t.Errorf("one of 858 fails: %v", unread.Series)
	}
	for i := range s.Scopes {
		s.Scopes[i].LastSuccess = noon.Add(-2 * time.Hour)
	}
	s.Scopes[500].LastSuccess = noon.Add(-3 * time.Hour)
	unread = family(metrics.Evaluate(s, p, noon), "prodsec_unread_scopes")
	all, _ := value(unread, "status=dropped")
	if named, ok := value(unread, "scope=posture:acme/billing"); all != 858 || len(unread.Series) > 21 || !ok || named != 1 {
		t.Errorf("all fail: %v in %d series, of the oldest %v", all, len(unread.Series), named)
	}
}
