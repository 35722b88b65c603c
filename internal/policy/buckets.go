package policy

import (
	"fmt"
	"slices"
	"time"
)

// BucketGroup names the families whose histograms have the same buckets.
type BucketGroup string

// The groups.
const (
	// BucketsAges: how old findings, exceptions and follow-ups are.
	BucketsAges BucketGroup = "ages"
	// BucketsRemediation: how long fixes took.
	BucketsRemediation BucketGroup = "remediation"
	// BucketsRequests: how long reviews and decisions wait and take.
	BucketsRequests BucketGroup = "requests"
	// BucketsLeadTime: how long changes took to production.
	BucketsLeadTime BucketGroup = "lead_time"
	// BucketsRestore: how long services took to be restored.
	BucketsRestore BucketGroup = "restore"
)

// BucketsConfig are the upper bounds of the classic buckets of histograms, ascending, by group.
type BucketsConfig struct {
	Ages        []Duration `yaml:"ages" json:"ages"`
	Remediation []Duration `yaml:"remediation" json:"remediation"`
	Requests    []Duration `yaml:"requests" json:"requests"`
	LeadTime    []Duration `yaml:"lead_time" json:"lead_time"`
	Restore     []Duration `yaml:"restore" json:"restore"`
}

func (c *BucketsConfig) of(g BucketGroup) []Duration {
	switch g {
	case BucketsAges:
		return c.Ages
	case BucketsRemediation:
		return c.Remediation
	case BucketsRequests:
		return c.Requests
	case BucketsLeadTime:
		return c.LeadTime
	case BucketsRestore:
		return c.Restore
	default:
		return nil
	}
}

// BucketGroups lists the groups.
func BucketGroups() []BucketGroup {
	return []BucketGroup{BucketsAges, BucketsRemediation, BucketsRequests, BucketsLeadTime, BucketsRestore}
}

// The defaults. Ages and times to fix are cut where the default targets lie (3, 7, 14, 30, 90 and 180 days), with a bucket on either side of
// each target so that attainment can be read off; the first answer is a matter of hours and a decision one of days and weeks; an hour, a day, a
// week and a month are what the DORA reports tell performers apart by.
func defaultBuckets() BucketsConfig {
	days, hours, minutes := spans(Day), spans(time.Hour), spans(time.Minute)
	return BucketsConfig{
		Ages:        days(1, 3, 7, 14, 30, 60, 90, 180, 365),
		Remediation: slices.Concat(hours(12), days(1, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 365)),
		Requests:    slices.Concat(hours(1, 4, 8), days(1, 2, 3, 5, 7, 14, 30, 60, 90)),
		LeadTime:    slices.Concat(hours(1, 4, 12), days(1, 2, 3, 7, 14, 30, 60, 90, 180)),
		Restore:     slices.Concat(minutes(5, 15, 30), hours(1, 2, 4, 8), days(1, 3, 7, 30)),
	}
}

// RequiredBuckets are the bounds that the recording rules, alerts and boards of this repository read; without one of them they would show nothing.
func RequiredBuckets(g BucketGroup) []Duration {
	days := spans(Day)
	switch g {
	case BucketsAges, BucketsRemediation:
		return days(7, 30, 90, 180, 365)
	case BucketsRequests:
		return days(5, 14)
	case BucketsLeadTime, BucketsRestore:
		return nil
	default:
		return nil
	}
}

func spans(unit time.Duration) func(...int) []Duration {
	return func(counts ...int) []Duration {
		list := make([]Duration, len(counts))
		for i, n := range counts {
			list[i] = Duration(time.Duration(n) * unit)
		}
		return list
	}
}

// Buckets are the upper bounds of the buckets of a group in seconds. The caller must not change them.
func (p *Policy) Buckets(g BucketGroup) []float64 { return p.buckets[g] }

// DefaultBuckets are the bounds where the configuration says nothing.
func DefaultBuckets(g BucketGroup) []float64 {
	c := defaultBuckets()
	return seconds(c.of(g))
}

func seconds(bounds []Duration) []float64 {
	list := make([]float64, len(bounds))
	for i, b := range bounds {
		list[i] = b.Std().Seconds()
	}
	return list
}

// maxBuckets bounds what a histogram costs: each bound is a series for every label set.
const maxBuckets = 40

func (p *Policy) compileBuckets(fail failFunc) {
	p.buckets = map[BucketGroup][]float64{}
	for _, g := range BucketGroups() {
		bounds := p.config.Buckets.of(g)
		p.buckets[g] = seconds(bounds)
		checkBuckets(g, bounds, fail)
	}
}

func checkBuckets(g BucketGroup, bounds []Duration, fail failFunc) {
	key := "buckets." + string(g)
	if len(bounds) == 0 || len(bounds) > maxBuckets {
		fail(key, "has %d bounds; name 1 to %d, e.g. [1d, 7d, 30d]", len(bounds), maxBuckets)
		return
	}
	unit, word := time.Second, "second"
	if g == BucketsRemediation {
		unit, word = time.Hour, "hour" // what compaction keeps of old fixes
	}
	for i, b := range bounds {
		at := fmt.Sprintf("%s[%d]", key, i)
		switch {
		case b <= 0:
			fail(at, "must be longer than 0")
		case b.Std()%unit != 0:
			fail(at, "%s is not a whole number of %ss", b, word)
		case i > 0 && b <= bounds[i-1]:
			fail(at, "%s is not longer than the bound before it, %s", b, bounds[i-1])
		}
	}
}
