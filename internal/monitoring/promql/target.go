package promql

import (
	"fmt"

	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/policy"
)

// Target is the target of an objective, as the exporter's policy has it: one number without labels, for comparisons "on ()". Before the exporter exposes it, it is the default
// policy's.
func Target(o policy.Objective) string {
	return fmt.Sprintf("(max(%s) or vector(%g))", Once(names.TargetRatio, Is("objective", string(o))), policy.Default().ObjectiveTarget(o))
}

// MinimumOutcomes is the smallest denominator of a share that is compared with its target, in the form of Target.
func MinimumOutcomes() string {
	return fmt.Sprintf("(max(%s) or vector(%d))", Once(names.TargetMinimum), policy.Default().MinimumOutcomes())
}

// Below compares what has labels with a number without.
func Below(expr, target string) string { return expr + " < on () group_left () " + target }

// AtLeast is the opposite of Below.
func AtLeast(expr, target string) string { return expr + " >= on () group_left () " + target }
