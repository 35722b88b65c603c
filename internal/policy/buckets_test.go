package policy

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestBucketsAreStrict(t *testing.T) {
	days := spans(Day)
	for _, c := range []struct {
		change func(*BucketsConfig)
		want   string
	}{
		{func(c *BucketsConfig) { c.Restore = nil }, "policy.buckets.restore: has 0 bounds; name 1 to 40"},
		{func(c *BucketsConfig) { c.Restore = make([]Duration, 41) }, "policy.buckets.restore: has 41 bounds"},
		{func(c *BucketsConfig) { c.LeadTime = days(1, 7, 7) }, "policy.buckets.lead_time[2]: 7d is not longer than the bound before it, 7d"},
		{func(c *BucketsConfig) { c.LeadTime = days(-1, 7) }, "policy.buckets.lead_time[0]: must be longer than 0"},
		{func(c *BucketsConfig) { c.Restore = []Duration{Duration(time.Millisecond)} }, "policy.buckets.restore[0]: 1ms is not a whole number of seconds"},
		{func(c *BucketsConfig) { c.Remediation = append([]Duration{Duration(time.Minute)}, c.Remediation...) }, "policy.buckets.remediation[0]: 1m is not a whole number of hours"},
		{func(c *BucketsConfig) { c.Ages = days(7, 90, 180, 365) }, "policy.buckets.ages: lacks 30d, which rules and boards read; add it"},
	} {
		config := DefaultConfig()
		c.change(&config.Buckets)
		_, err := New(config)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want only %q", err, c.want)
		}
	}
}

func TestBuckets(t *testing.T) {
	p := policyWith(t, func(c *Config) { c.Buckets.Restore = spans(time.Minute)(10, 90) })
	if got := p.Buckets(BucketsRestore); !slices.Equal(got, []float64{600, 5400}) {
		t.Errorf("restore has the bounds %v", got)
	}
	for _, g := range BucketGroups() {
		if got := Default().Buckets(g); !slices.Equal(got, DefaultBuckets(g)) || len(got) == 0 {
			t.Errorf("%s has the bounds %v, by default %v", g, got, DefaultBuckets(g))
		}
	}
}
