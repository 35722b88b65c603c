package reports

import (
	"prodsec_exporter/collectors/reports/cyclonedx"
	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/collectors/reports/grype"
	"prodsec_exporter/collectors/reports/openvex"
	"prodsec_exporter/collectors/reports/sarif"
	"prodsec_exporter/collectors/reports/semgrep"
	"prodsec_exporter/collectors/reports/trivy"
)

// formats lists the known formats, those with the most telling marks first; quality includes what is no security finding. A new one is a line here.
func formats(quality bool) []format.Format {
	return []format.Format{
		sarif.Format{Quality: quality},
		trivy.Format{},
		grype.Format{},
		cyclonedx.JSON{},
		openvex.Format{},
		semgrep.Format{Quality: quality},
		cyclonedx.XML{},
	}
}
