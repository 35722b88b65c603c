package exposition

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/proto"

	"prodsec_exporter/internal/metrics"
)

// encodeResults appends families in a format, without its end. A family that cannot be encoded is left out and reported.
func encodeResults(buf *bytes.Buffer, f format, results []metrics.Result, failed func(family string, series int, err error)) {
	encoder := expfmt.NewEncoder(buf, f.expfmt())
	for _, r := range results {
		before := buf.Len()
		if err := encoder.Encode(familyOf(r, f)); err != nil {
			buf.Truncate(before)
			failed(r.Family.Name, len(r.Series), err)
			continue
		}
		if f == openMetrics && r.Family.Type == metrics.Info {
			asInfo(buf, before, r.Family.Name)
		}
	}
}

// asInfo turns the header of a gauge that was just written into that of an info metric, whose name in OpenMetrics has no suffix;
// the data model of the encoder has no such type.
func asInfo(buf *bytes.Buffer, start int, name string) {
	base, ok := strings.CutSuffix(name, "_info")
	if !ok {
		return
	}
	written := string(buf.Bytes()[start:])
	buf.Truncate(start)
	for range 2 {
		line, rest, _ := strings.Cut(written, "\n")
		switch {
		case strings.HasPrefix(line, "# HELP "+name+" "):
			line = "# HELP " + base + strings.TrimPrefix(line, "# HELP "+name)
		case strings.HasPrefix(line, "# TYPE "+name+" "):
			line = "# TYPE " + base + " info"
		}
		buf.WriteString(line + "\n")
		written = rest
	}
	buf.WriteString(written)
}

// familyOf is a family in the data model of the encoders. Things of a kind are allocated for all series at once.
func familyOf(r metrics.Result, f format) *dto.MetricFamily {
	n, width := len(r.Series), len(r.Family.Labels)
	family := &dto.MetricFamily{
		Name:   proto.String(r.Family.Name),
		Help:   proto.String(strings.ToValidUTF8(r.Family.Description(), "\uFFFD")),
		Type:   typeOf(r.Family.Type).Enum(),
		Metric: make([]*dto.Metric, n),
	}
	series := make([]dto.Metric, n)
	pairs := make([]dto.LabelPair, n*width)
	labels := make([]*dto.LabelPair, n*width)
	setValue := valueSetter(r, f)
	for i := range r.Series {
		for j := range r.Family.Labels {
			at := i*width + j
			pairs[at].Name, pairs[at].Value = &r.Family.Labels[j], &r.Series[i].Labels[j]
			labels[at] = &pairs[at]
		}
		series[i].Label = labels[i*width : (i+1)*width]
		setValue(&series[i], i)
		family.Metric[i] = &series[i]
	}
	return family
}

// valueSetter gives a metric the value of a series, in the form that the type of the family asks for.
func valueSetter(r metrics.Result, f format) func(m *dto.Metric, series int) {
	if r.Family.Histogrammed() {
		return func(m *dto.Metric, i int) {
			m.Histogram = histogramOf(r.Series[i].Histogram, r.Family.Bounds, f == protobuf)
		}
	}
	if r.Family.Type == metrics.Counter {
		counters := make([]dto.Counter, len(r.Series))
		return func(m *dto.Metric, i int) { counters[i].Value, m.Counter = &r.Series[i].Value, &counters[i] }
	}
	gauges := make([]dto.Gauge, len(r.Series))
	return func(m *dto.Metric, i int) { gauges[i].Value, m.Gauge = &r.Series[i].Value, &gauges[i] }
}

func typeOf(t metrics.Type) dto.MetricType {
	switch t {
	case metrics.Counter:
		return dto.MetricType_COUNTER
	case metrics.EventHistogram, metrics.StateHistogram:
		return dto.MetricType_HISTOGRAM
	case metrics.Gauge, metrics.Info:
		return dto.MetricType_GAUGE
	default:
		return dto.MetricType_GAUGE
	}
}

// zeroThreshold is the width of the bucket of a native histogram that holds what is 0.
const zeroThreshold = 2.938735877055719e-39 // 2^-128

// histogramOf is a histogram with cumulative classic buckets and, if asked for, native ones.
func histogramOf(h *metrics.Histogram, bounds []float64, native bool) *dto.Histogram {
	out := &dto.Histogram{SampleCount: proto.Uint64(h.Count), SampleSum: proto.Float64(h.Sum)}
	cumulative := uint64(0)
	for i := range bounds {
		cumulative += h.Counts[i]
		out.Bucket = append(out.Bucket, &dto.Bucket{CumulativeCount: proto.Uint64(cumulative), UpperBound: &bounds[i]})
	}
	if native {
		addNative(out, h)
	}
	return out
}

// addNative writes the native buckets as spans of consecutive indexes and differences between neighbours.
func addNative(out *dto.Histogram, h *metrics.Histogram) {
	out.Schema = proto.Int32(metrics.NativeSchema)
	out.ZeroThreshold = proto.Float64(zeroThreshold)
	out.ZeroCount = proto.Uint64(h.Zero)
	previous, next := int64(0), 0
	for i, index := range slices.Sorted(maps.Keys(h.Native)) {
		if i == 0 || index != next {
			out.PositiveSpan = append(out.PositiveSpan, &dto.BucketSpan{Offset: proto.Int32(int32(index - next)), Length: proto.Uint32(0)})
		}
		span := out.PositiveSpan[len(out.PositiveSpan)-1]
		*span.Length++
		out.PositiveDelta = append(out.PositiveDelta, int64(h.Native[index])-previous)
		previous, next = int64(h.Native[index]), index+1
	}
	if len(out.PositiveSpan) == 0 { // an empty span means that there are native buckets, none of them filled
		out.PositiveSpan = []*dto.BucketSpan{{Offset: proto.Int32(0), Length: proto.Uint32(0)}}
	}
}
