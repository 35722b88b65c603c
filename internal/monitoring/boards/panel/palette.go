package panel

import "prodsec_exporter/internal/record"

// The palette: the colours of Okabe and Ito, which people with any common colour blindness can tell apart, darkened or lightened where
// needed to read on both themes. A colour has one meaning on every board.
const (
	Vermillion = "#D55E00"
	Orange     = "#E69F00"
	Green      = "#009E73"
	SkyBlue    = "#56B4E9"
	Blue       = "#3274A1"
	Purple     = "#CC79A7"
	grey       = "#8E8E8E"
)

// Bad, warning, good, neutral and unknown are the meanings of thresholds and states.
const (
	Bad     = Vermillion
	Warning = Orange
	Good    = Green
	Neutral = SkyBlue
	Unknown = grey
	// Waived marks what somebody decided to tolerate: exceptions, exemptions, dismissals.
	Waived = Purple
)

// SeverityColours colour the label severity.
var SeverityColours = map[string]string{
	string(record.SeverityCritical): Vermillion,
	string(record.SeverityHigh):     Orange,
	string(record.SeverityMedium):   SkyBlue,
	string(record.SeverityLow):      Blue,
	string(record.SeverityUnknown):  grey,
}

// MeaningColours colour the values of the labels status, outcome and sla.
var MeaningColours = map[string]string{
	"pass": Good, "fail": Bad, "unknown": Unknown,
	"excepted": Waived,
	"met":      Good, "missed": Bad, "void": Unknown,
	"fresh": Good, "stale": Warning, "dropped": Bad, "never": Unknown,
}

// HorizonColours colour how soon an exception ends, from past to never.
var HorizonColours = map[string]string{
	"expired": Vermillion, "7d": Orange, "30d": "#F0C75E", "90d": SkyBlue, "later": Blue, "never": Purple,
}
