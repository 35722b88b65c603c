package policy

import (
	"slices"
	"time"

	"prodsec_exporter/internal/record"
)

// defaultScanAge is how old a scan may be where policy says nothing about its class.
const defaultScanAge = 7 * Day

// ScanAges are how old the last successful scan of a repository may be, by class of finding.
type ScanAges map[record.Class]Duration

// ScanMaxAge is how old the last successful scan of a class may be for a repository to count as current.
func (p *Policy) ScanMaxAge(class record.Class) time.Duration {
	if age, ok := p.config.ScanMaxAge[class]; ok {
		return age.Std()
	}
	return defaultScanAge
}

func (p *Policy) checkScans(fail failFunc) {
	for class, age := range p.config.ScanMaxAge {
		key := "scan_max_age." + string(class)
		if !slices.Contains(record.Classes(), class) {
			fail(key, "is not one of %v", record.Classes())
		}
		if age <= 0 {
			fail(key, "must be longer than 0")
		}
	}
}
