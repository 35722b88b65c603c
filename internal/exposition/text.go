package exposition

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"prodsec_exporter/internal/metrics"
)

// WriteText writes an evaluation in Prometheus' text format, as a Store would serve it, without anything about the exporter itself. What
// has to be left out is logged.
func WriteText(w io.Writer, e *metrics.Evaluation, logger *slog.Logger) error {
	s := New(prometheus.NewRegistry(), logger)
	s.Publish(e)
	if _, err := w.Write(s.current.Load().encoded(variantOf(text.expfmt(), identity))); err != nil {
		return fmt.Errorf("writing the exposition: %w", err)
	}
	return nil
}
