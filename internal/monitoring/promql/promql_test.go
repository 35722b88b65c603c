package promql

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"prodsec_exporter/internal/monitoring/settings"
)

func TestPromDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "", 30 * time.Second: "30s", 90 * time.Second: "90s", time.Minute: "1m", 90 * time.Minute: "90m", 2 * time.Hour: "2h", 48 * time.Hour: "2d",
	} {
		if got := PromDuration(d); got != want {
			t.Errorf("promDuration(%v) = %q, want %q", d, got, want)
		}
		if want == "" {
			continue
		}
		if parsed, err := model.ParseDuration(PromDuration(d)); err != nil || time.Duration(parsed) != d {
			t.Errorf("Prometheus reads %q as %v (%v)", PromDuration(d), parsed, err)
		}
	}
}

func TestBucketBoundsMatchEveryWriting(t *testing.T) {
	for _, r := range settings.AgeRanges {
		if r.To == 0 {
			continue
		}
		pattern := regexp.MustCompile(`^le=~"(.*)"$`).FindStringSubmatch(Le(settings.DaysOf(r.To)))
		re := regexp.MustCompile("^(?:" + strings.ReplaceAll(pattern[1], `\\`, `\`) + ")$")
		v := settings.DaysOf(r.To).Seconds()
		fixed := strconv.FormatFloat(v, 'f', -1, 64)
		for _, written := range []string{fixed, fixed + ".0", strconv.FormatFloat(v, 'g', -1, 64)} {
			if !re.MatchString(written) {
				t.Errorf("%s does not match a bucket written %s", re, written)
			}
		}
		if re.MatchString("1" + fixed) {
			t.Errorf("%s matches another bucket", re)
		}
	}
}
