package frame

import "time"

// Result is a family and its series at an instant.
type Result struct {
	Family *Family
	Series []Series
}

// Evaluation is everything that is exposed about one instant.
type Evaluation struct {
	At time.Time
	// Took is how long it took to compute; set by the caller, who has a clock, and 0 if unknown.
	Took time.Duration
	// Results are ordered by family name, their series by label values. A family without series is left out.
	Results []Result
	// Folded counts, per family, the services (or, where a family has no service_name, the teams or business units) that were
	// folded into "other" to keep its series budget, and the values of labels without a bound that were.
	Folded map[string]int
	// Dropped counts series that were left out, by reason.
	Dropped map[string]int
}

// Evaluator computes the series of one family after the other. They share memory, so an Evaluator is for one goroutine.
type Evaluator struct {
	entities   []*Entities
	budget     int
	buffers    buffers
	evaluation *Evaluation
}

// NewEvaluator returns an Evaluator for an instant that keeps each family within maxSeries series. A family is about the first of the
// entities whose names are among its labels.
func NewEvaluator(at time.Time, maxSeries int, entities ...*Entities) *Evaluator {
	return &Evaluator{
		entities: entities, budget: maxSeries,
		evaluation: &Evaluation{At: at, Folded: map[string]int{}, Dropped: map[string]int{}},
	}
}

// Collect adds a family: collect hands all contributions to the sink.
func (e *Evaluator) Collect(f *Family, collect func(out *Sink)) {
	out := newSink(f, e.entities, e.budget, &e.buffers, e.evaluation.Dropped)
	collect(out)
	series, folded := out.finish()
	if folded > 0 {
		e.evaluation.Folded[f.Name] = folded
	}
	if len(series) > 0 {
		e.evaluation.Results = append(e.evaluation.Results, Result{Family: f, Series: series})
	}
}

// Evaluation is what was collected, in the order in which it was.
func (e *Evaluator) Evaluation() *Evaluation { return e.evaluation }
