package monitoring

import "prodsec_exporter/internal/record"

// The palette: the colours of Okabe and Ito, which people with any common colour blindness can tell apart, darkened or lightened where
// needed to read on both themes. A colour has one meaning on every board.
const (
	vermillion = "#D55E00"
	orange     = "#E69F00"
	green      = "#009E73"
	skyBlue    = "#56B4E9"
	blue       = "#3274A1"
	purple     = "#CC79A7"
	grey       = "#8E8E8E"
)

// Bad, warning, good, neutral and unknown are the meanings of thresholds and states.
const (
	bad     = vermillion
	warning = orange
	good    = green
	neutral = skyBlue
	unknown = grey
	// waived marks what somebody decided to tolerate: exceptions, exemptions, dismissals.
	waived = purple
)

// severityColours colour the label severity.
var severityColours = map[string]string{
	string(record.SeverityCritical): vermillion,
	string(record.SeverityHigh):     orange,
	string(record.SeverityMedium):   skyBlue,
	string(record.SeverityLow):      blue,
	string(record.SeverityUnknown):  grey,
}

// meaningColours colour the values of the labels status, outcome and sla.
var meaningColours = map[string]string{
	"pass": good, "fail": bad, "unknown": unknown,
	"excepted": waived,
	"met":      good, "missed": bad, "void": unknown,
	"fresh": good, "stale": warning, "dropped": bad, "never": unknown,
}

// horizonColours colour how soon an exception ends, from past to never.
var horizonColours = map[string]string{
	"expired": vermillion, "7d": orange, "30d": "#F0C75E", "90d": skyBlue, "later": blue, "never": purple,
}
