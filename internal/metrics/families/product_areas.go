package families

import (
	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/record"
)

func areaControls(in *tallies.Tallies, out *frame.Sink) {
	for _, i := range in.Services {
		area := frame.Named(in.Snapshot.Services[i].ProductArea, frame.None)
		for _, verdict := range in.Controls.Of(i) {
			if verdict.Status == "" {
				continue
			}
			out.Add(frame.NoEntity, out.Dim(area, string(verdict.Status)), 1)
			for _, status := range tallies.ControlStatuses {
				out.Zero(frame.NoEntity, out.Dim(area, string(status)))
			}
		}
	}
}

func areaRisk(in *tallies.Tallies, out *frame.Sink) {
	complete := in.Sources.Of(record.KindFinding).Complete()
	for i := range in.Snapshot.Services {
		dim := out.Dim(frame.Named(in.Snapshot.Services[i].ProductArea, frame.None))
		switch score, known := in.Weaknesses.Risk(in.Policy, i); {
		case !known:
			out.Unknown(frame.NoEntity, dim)
		case score > 0:
			out.Add(frame.NoEntity, dim, score)
		case complete:
			out.Zero(frame.NoEntity, dim)
		}
	}
}
