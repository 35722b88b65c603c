package monitoring

// reviewedLate is the share of the window's changes at which security looked late.
func reviewedLate(by string) string {
	return "(" + filled(observations(by, recLead, inWindow(), is("security_review", "late")), observations(by, recLead, inWindow())) + ")\n/\n(" +
		observations(by, recLead, inWindow()) + " > 0)"
}

// failureRate is the share of the window's changes that failed, or failed for a cause.
func failureRate(by string, cause ...string) string {
	return "(" + filled(counted(by, recFailures, append(cause, inWindow())...), counted(by, recChanges, inWindow())) + ")\n/\n(" +
		counted(by, recChanges, inWindow()) + " > 0)"
}

// deploymentsPerWeek counts production deployments of the seven days before each moment, from the counters.
func deploymentsPerWeek() string {
	return increaseOver("approval", deploymentsTotal, "7d", production())
}

func approvalTexts() []Text {
	return []Text{
		{Value: "approved", Text: "approved", Colour: good}, {Value: "bypassed", Text: "bypassed", Colour: bad},
		{Value: "none", Text: "none", Colour: warning}, {Value: "unknown", Text: "not known", Colour: unknown},
	}
}

func reviewTexts() []Text {
	return []Text{
		{Value: "early", Text: "early", Colour: good}, {Value: "late", Text: "late", Colour: bad},
		{Value: "none", Text: "no review", Colour: warning}, {Value: "unknown", Text: "not known", Colour: unknown},
	}
}

func causeTexts() []Text {
	return []Text{
		{Value: "control_gap", Text: "control gap", Colour: bad}, {Value: "other", Text: "another cause", Colour: neutral},
		{Value: "unknown", Text: "not known", Colour: unknown},
	}
}

func impactTexts() []Text {
	return []Text{{Value: affirmative, Text: "yes"}, {Value: negative, Text: "no"}, {Value: "unknown", Text: "not known"}}
}
