package world

import (
	"time"
)

// longAway is later than any week that is shown.
const longAway = 1 << 30

// adopted is the absolute week in which a repository took up a practice, longAway if it has not: careful teams sooner and more of them.
func (w *World) adopted(r *Repository, practice string) int64 {
	random := w.random("practice "+practice, r.FullName(), 0)
	likely := 0.55
	if len(r.Hosts) > 0 {
		likely = 0.95 - 0.4*r.Hosts[0].Team.Pace
	}
	since := weekOf(digestsSince) + random.Int64N(85)
	if random.Float64() > likely || r.Organisation == OrgLabs {
		return longAway
	}
	return since
}

// digestsSince is when GitHub began to compute the digests of what is uploaded.
var digestsSince = time.Date(2025, time.June, 3, 0, 0, 0, 0, time.UTC)
