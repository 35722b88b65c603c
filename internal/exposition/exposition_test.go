package exposition_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"prodsec_exporter/internal/exposition"
	"prodsec_exporter/internal/metrics"
)

// The Accept headers of the three formats.
const (
	acceptText        = "text/plain; version=0.0.4"
	acceptOpenMetrics = "application/openmetrics-text; version=1.0.0"
	acceptProtobuf    = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
)

var instant = time.Date(2026, 3, 31, 12, 0, 0, 500e6, time.UTC)

// sample is an evaluation with a family of each type.
func sample() *metrics.Evaluation {
	gauge := &metrics.Family{Name: "prodsec_things", Help: "Things.", Type: metrics.Gauge, Labels: []string{"team", "kind"}, Source: "tests", Refresh: "never"}
	counter := &metrics.Family{Name: "prodsec_events_total", Help: "Events.", Type: metrics.Counter, Labels: []string{"team"}, Source: "tests", Refresh: "never"}
	info := &metrics.Family{Name: "prodsec_policy_info", Help: "A policy.", Type: metrics.Info, Labels: []string{"version"}, Source: "tests", Refresh: "never"}
	histogram := &metrics.Family{
		Name: "prodsec_age_seconds", Help: "Ages.", Type: metrics.StateHistogram, Labels: []string{"team"}, Source: "tests", Refresh: "never",
		Bounds: []float64{10, 100},
	}
	return &metrics.Evaluation{
		At: instant, Took: 1500 * time.Millisecond,
		Results: []metrics.Result{
			{Family: histogram, Series: []metrics.Series{
				{Labels: []string{"a"}, Histogram: &metrics.Histogram{
					Count: 6, Sum: 1117, Counts: []uint64{3, 2, 1}, Zero: 1, Native: map[int]uint64{16: 1, 17: 1, 53: 2, 80: 1},
				}},
				{Labels: []string{"b"}, Histogram: &metrics.Histogram{Counts: []uint64{0, 0, 0}}},
			}},
			{Family: counter, Series: []metrics.Series{{Labels: []string{"a"}, Value: 12}, {Labels: []string{"b"}, Value: 0}}},
			{Family: info, Series: []metrics.Series{{Labels: []string{"abc"}, Value: 1}}},
			{Family: gauge, Series: []metrics.Series{
				{Labels: []string{"a", "x"}, Value: 3}, {Labels: []string{"a", "y \"quoted\" \\ line\nbreak"}, Value: 0.25},
			}},
		},
		Folded: map[string]int{"prodsec_things": 7},
	}
}

// serve starts a real server for a store whose own metrics and one counter are the live part.
func serve(t *testing.T) (*exposition.Store, *httptest.Server, *bytes.Buffer) {
	t.Helper()
	var logged bytes.Buffer
	live := prometheus.NewRegistry()
	store := exposition.New(live, slog.New(slog.NewTextHandler(&logged, nil)))
	requests := prometheus.NewCounter(prometheus.CounterOpts{Name: "live_requests_total", Help: "A live counter."})
	requests.Add(5)
	live.MustRegister(store, requests)
	server := httptest.NewServer(store)
	t.Cleanup(server.Close)
	return store, server, &logged
}

// plainTransport leaves compression to the test.
var plainTransport = &http.Transport{DisableCompression: true}

// scrape asks for a format and compression and returns the headers and the decompressed body.
func scrape(t *testing.T, url, accept, encoding string) (http.Header, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	request.Header.Set("Accept-Encoding", encoding)
	response, err := plainTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("status %d: %s", response.StatusCode, body)
	}
	if want := response.Header.Get("Content-Length"); want != fmt.Sprint(len(body)) {
		t.Errorf("Content-Length %s, body %d bytes", want, len(body))
	}
	return response.Header, decompress(t, response.Header.Get("Content-Encoding"), body)
}

func closeBody(t *testing.T, r *http.Response) {
	t.Helper()
	if err := r.Body.Close(); err != nil {
		t.Error(err)
	}
}

func decompress(t *testing.T, encoding string, body []byte) []byte {
	t.Helper()
	var reader io.Reader = bytes.NewReader(body)
	var err error
	switch encoding {
	case "gzip":
		reader, err = gzip.NewReader(reader)
	case "zstd":
		reader, err = zstd.NewReader(reader)
	case "":
	default:
		t.Fatalf("Content-Encoding %q", encoding)
	}
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// values reads an answer in any format into sample values by name and labels, without native buckets.
func values(t *testing.T, format expfmt.Format, body []byte) map[string]float64 {
	t.Helper()
	samples := map[string]float64{}
	for name, family := range families(t, format, body) {
		extracted, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{Timestamp: model.Now()}, family)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, s := range extracted {
			key := s.Metric.String()
			if _, ok := samples[key]; ok {
				t.Errorf("%s comes twice", key)
			}
			samples[key] = float64(s.Value)
		}
	}
	return samples
}

func families(t *testing.T, format expfmt.Format, body []byte) map[string]*dto.MetricFamily {
	t.Helper()
	if format.FormatType() == expfmt.TypeOpenMetrics {
		t.Fatal("the library has no parser for OpenMetrics that keeps types; use openMetricsValues")
	}
	decoder := expfmt.NewDecoder(bytes.NewReader(body), format)
	all := map[string]*dto.MetricFamily{}
	for {
		var family dto.MetricFamily
		err := decoder.Decode(&family)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all[family.GetName()] = &family
	}
}

func TestFormatsAgree(t *testing.T) {
	store, server, _ := serve(t)
	store.Publish(sample())
	_, text := scrape(t, server.URL, acceptText, "")
	want := values(t, expfmt.FmtText, text)
	for series, value := range map[string]float64{
		`prodsec_events_total{team="a"}`:                  12,
		`prodsec_age_seconds_bucket{le="100", team="a"}`:  5,
		`prodsec_age_seconds_bucket{le="+Inf", team="a"}`: 6,
		`prodsec_age_seconds_sum{team="a"}`:               1117,
		`prodsec_policy_info{version="abc"}`:              1,
		`live_requests_total`:                             5,
		`prodsec_evaluation_duration_seconds`:             1.5,
		`prodsec_evaluation_timestamp_seconds`:            float64(instant.UnixMilli()) / 1000,
		`prodsec_series_folded{family="prodsec_things"}`:  7,
	} {
		if got, ok := want[series]; !ok || got != value {
			t.Errorf("%s: got %v (present: %v), want %v", series, got, ok, value)
		}
	}
	for _, encoding := range []string{"", "gzip", "zstd", "gzip;q=0.5, zstd;q=1", "br", "identity"} {
		header, body := scrape(t, server.URL, acceptProtobuf, encoding)
		if diff := cmp.Diff(want, values(t, expfmt.ResponseFormat(header), body)); diff != "" {
			t.Errorf("protobuf, %q (-text +protobuf):\n%s", encoding, diff)
		}
		if _, body := scrape(t, server.URL, acceptText, encoding); !bytes.Equal(body, text) {
			t.Errorf("text, %q: differs from the text without compression", encoding)
		}
		_, body = scrape(t, server.URL, acceptOpenMetrics, encoding)
		if diff := cmp.Diff(want, openMetricsValues(t, body)); diff != "" {
			t.Errorf("OpenMetrics, %q (-text +OpenMetrics):\n%s", encoding, diff)
		}
	}
}

// openMetricsValues reads OpenMetrics by the rules of its specification that the text parser does not know (the end, the suffixes
// of counters and infos in metadata) and lets that parser read the samples.
func openMetricsValues(t *testing.T, body []byte) map[string]float64 {
	t.Helper()
	text, ok := strings.CutSuffix(string(body), "# EOF\n")
	if !ok || strings.Contains(text, "# EOF") {
		t.Fatal("want exactly one # EOF, at the end")
	}
	types := map[string]string{}
	var samples strings.Builder
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, kind, _ := strings.Cut(strings.TrimSpace(rest), " ")
			if _, twice := types[name]; twice {
				t.Errorf("family %s comes twice", name)
			}
			types[name] = kind
			if kind == "counter" && strings.HasSuffix(name, "_total") || kind == "info" && strings.HasSuffix(name, "_info") {
				t.Errorf("%s %s: the name of the family must not have the suffix", kind, name)
			}
			continue
		}
		if !strings.HasPrefix(line, "#") {
			samples.WriteString(line)
		}
	}
	for name, kind := range map[string]string{"prodsec_events": "counter", "prodsec_policy": "info", "prodsec_things": "gauge", "prodsec_age_seconds": "histogram"} {
		if types[name] != kind {
			t.Errorf("type of %s: got %q, want %q", name, types[name], kind)
		}
	}
	got := map[string]float64{}
	for key, value := range values(t, expfmt.FmtText, []byte(samples.String())) {
		// OpenMetrics writes bounds as floats.
		got[strings.NewReplacer(`le="10.0"`, `le="10"`, `le="100.0"`, `le="100"`).Replace(key)] = value
	}
	return got
}

// TestNativeHistogram reads the native buckets back from protobuf.
func TestNativeHistogram(t *testing.T) {
	store, server, _ := serve(t)
	store.Publish(sample())
	header, body := scrape(t, server.URL, acceptProtobuf, "gzip")
	metric := families(t, expfmt.ResponseFormat(header), body)["prodsec_age_seconds"].GetMetric()
	h := metric[0].GetHistogram()
	got, index, count := map[int]int64{}, 0, int64(0)
	deltas := h.GetPositiveDelta()
	for _, span := range h.GetPositiveSpan() {
		index += int(span.GetOffset())
		for range span.GetLength() {
			count += deltas[0]
			deltas = deltas[1:]
			got[index] = count
			index++
		}
	}
	if diff := cmp.Diff(map[int]int64{16: 1, 17: 1, 53: 2, 80: 1}, got); diff != "" {
		t.Errorf("native buckets (-want +got):\n%s", diff)
	}
	if h.GetSchema() != metrics.NativeSchema || h.GetZeroCount() != 1 || len(deltas) != 0 {
		t.Errorf("schema %d, zero count %d, %d deltas too many", h.GetSchema(), h.GetZeroCount(), len(deltas))
	}
	if empty := metric[1].GetHistogram(); len(empty.GetPositiveSpan()) != 1 || empty.GetPositiveSpan()[0].GetLength() != 0 {
		t.Errorf("an empty native histogram needs one empty span, got %v", empty.GetPositiveSpan())
	}
}

func TestNegotiation(t *testing.T) {
	store, server, _ := serve(t)
	store.Publish(sample())
	for _, c := range []struct{ accept, encoding, wantType, wantEncoding string }{
		{"", "", "text/plain", ""},
		{"*/*", "*", "text/plain", "zstd"},
		{"application/json", "gzip", "text/plain", "gzip"},
		{"text/html, nonsense;;q=x", "gzip;q=0, zstd;q=0", "text/plain", ""},
		{acceptOpenMetrics + ", " + acceptText + ";q=0.5", "gzip, identity;q=0.1", "application/openmetrics-text", "gzip"},
		{"application/openmetrics-text", "", "application/openmetrics-text", ""},
		{acceptProtobuf + ";q=0.6," + acceptOpenMetrics + ";q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", "gzip", "application/vnd.google.protobuf", "gzip"},
		{acceptText, "identity, gzip;q=0.5", "text/plain", ""},
		{acceptText, "GZIP", "text/plain", "gzip"},
	} {
		header, _ := scrape(t, server.URL, c.accept, c.encoding)
		if got := header.Get("Content-Type"); !strings.HasPrefix(got, c.wantType+";") {
			t.Errorf("Accept %q: got %s, want %s", c.accept, got, c.wantType)
		}
		if got := header.Get("Content-Encoding"); got != c.wantEncoding {
			t.Errorf("Accept-Encoding %q: got %q, want %q", c.encoding, got, c.wantEncoding)
		}
		if header.Get("Vary") != "Accept, Accept-Encoding" {
			t.Errorf("Vary: %q", header.Get("Vary"))
		}
	}
}

func TestMethods(t *testing.T) {
	store, server, _ := serve(t)
	store.Publish(sample())
	head, err := http.Head(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	closeBody(t, head)
	if head.StatusCode != http.StatusOK || head.ContentLength <= 0 {
		t.Errorf("HEAD: status %d, length %d", head.StatusCode, head.ContentLength)
	}
	post, err := http.Post(server.URL, "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	closeBody(t, post)
	if post.StatusCode != http.StatusMethodNotAllowed || post.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: status %d, Allow %q", post.StatusCode, post.Header.Get("Allow"))
	}
}

// TestBeforeTheFirstEvaluation: only the live metrics are served, complete in every format.
func TestBeforeTheFirstEvaluation(t *testing.T) {
	_, server, _ := serve(t)
	_, text := scrape(t, server.URL, acceptText, "gzip")
	got := values(t, expfmt.FmtText, text)
	if got["live_requests_total"] != 5 {
		t.Errorf("the live metrics are missing: %s", text)
	}
	for series := range got {
		if strings.HasPrefix(series, "prodsec_things") || strings.HasPrefix(series, "prodsec_evaluation") {
			t.Errorf("%s is served before an evaluation", series)
		}
	}
	if _, body := scrape(t, server.URL, acceptOpenMetrics, ""); !bytes.HasSuffix(body, []byte("\n# EOF\n")) {
		t.Errorf("OpenMetrics has no end: %s", body)
	}
}

// TestBadSeries: what would make a scraper refuse the answer is left out, counted by reason and logged once; the rest is served.
func TestBadSeries(t *testing.T) {
	store, server, logged := serve(t)
	bad := sample()
	things, ages, events := &bad.Results[3], &bad.Results[0], &bad.Results[1]
	things.Series = append(things.Series,
		metrics.Series{Labels: []string{"a", "x"}, Value: 99},
		metrics.Series{Labels: []string{"only one"}, Value: 1},
		metrics.Series{Labels: []string{"a", "\xff"}, Value: 1},
		metrics.Series{Labels: []string{"nan", ""}, Value: math.NaN()},
		metrics.Series{Labels: []string{"z", "z"}, Value: 4},
	)
	ages.Series = append(ages.Series, metrics.Series{Labels: []string{"none"}}, metrics.Series{Labels: []string{"short"}, Histogram: &metrics.Histogram{Counts: []uint64{1}}})
	events.Series = append(events.Series, metrics.Series{Labels: []string{"negative"}, Value: -1})
	bad.Results = append(bad.Results,
		metrics.Result{Family: &metrics.Family{Name: "not a name", Type: metrics.Gauge}, Series: []metrics.Series{{Value: 1}}},
		metrics.Result{Family: &metrics.Family{Name: "twice_labelled", Type: metrics.Gauge, Labels: []string{"a", "a"}}, Series: []metrics.Series{{Labels: []string{"1", "2"}}}},
		metrics.Result{Family: &metrics.Family{Name: "live_requests_total", Help: "Not the live one.", Type: metrics.Counter}, Series: []metrics.Series{{Value: 6}}},
		bad.Results[2],
	)
	store.Publish(bad)
	for _, accept := range []string{acceptText, acceptProtobuf} {
		header, body := scrape(t, server.URL, accept, "")
		got := values(t, expfmt.ResponseFormat(header), body)
		for series, want := range map[string]float64{
			`prodsec_things{kind="x", team="a"}`: 3, `prodsec_things{kind="z", team="z"}`: 4, `prodsec_events_total{team="a"}`: 12,
			`prodsec_age_seconds_count{team="a"}`: 6, `live_requests_total`: 6, `prodsec_policy_info{version="abc"}`: 1,
		} {
			if value, ok := got[series]; !ok || value != want {
				t.Errorf("%s: got %v (present: %v), want %v", series, value, ok, want)
			}
		}
	}
	_, text := scrape(t, server.URL, acceptText, "")
	got := values(t, expfmt.FmtText, text)
	for reason, want := range map[string]float64{"labels": 2, "name": 3, "value": 4, "encoding": 0, "gather": 0} {
		if n := got[fmt.Sprintf(`prodsec_series_dropped_total{reason="%s"}`, reason)]; n != want {
			t.Errorf("dropped for %s: got %v, want %v", reason, n, want)
		}
	}
	if n := got[`prodsec_series_dropped_total{reason="duplicate"}`]; n < 3 { // one of the evaluation, one of the live part per scrape
		t.Errorf("dropped as duplicate: got %v", n)
	}
	if n := strings.Count(logged.String(), "family=live_requests_total"); n != 1 {
		t.Errorf("the repeated live family was logged %d times, want once:\n%s", n, logged)
	}
}

// brokenGatherer fails but gathers something.
type brokenGatherer struct{ prometheus.Gatherer }

func (b brokenGatherer) Gather() ([]*dto.MetricFamily, error) {
	families, err := b.Gatherer.Gather()
	return families, errors.Join(err, errors.New("a collector failed"))
}

func TestGatherFails(t *testing.T) {
	var logged bytes.Buffer
	registry := prometheus.NewRegistry()
	store := exposition.New(brokenGatherer{registry}, slog.New(slog.NewTextHandler(&logged, nil)))
	registry.MustRegister(store)
	store.Publish(sample())
	server := httptest.NewServer(store)
	defer server.Close()
	for range 3 {
		_, body := scrape(t, server.URL, acceptText, "gzip")
		if got := values(t, expfmt.FmtText, body); got[`prodsec_events_total{team="a"}`] != 12 {
			t.Fatalf("the evaluation is not served: %s", body)
		}
	}
	if n := strings.Count(logged.String(), "a collector failed"); n != 1 {
		t.Errorf("logged %d times, want once", n)
	}
}

// TestPublishWhileScraped: every answer is whole and of one evaluation.
func TestPublishWhileScraped(t *testing.T) {
	store, server, _ := serve(t)
	evaluation := func(n int) *metrics.Evaluation {
		e := &metrics.Evaluation{At: instant}
		f := &metrics.Family{Name: "prodsec_generation", Help: "A number.", Type: metrics.Gauge, Labels: []string{"series"}, Source: "tests", Refresh: "never"}
		r := metrics.Result{Family: f}
		for i := range 100 {
			r.Series = append(r.Series, metrics.Series{Labels: []string{fmt.Sprintf("%03d", i)}, Value: float64(n)})
		}
		e.Results = []metrics.Result{r}
		return e
	}
	store.Publish(evaluation(0))
	var group sync.WaitGroup
	group.Go(func() {
		for n := range 50 {
			store.Publish(evaluation(n))
		}
	})
	for _, encoding := range []string{"", "gzip", "zstd"} {
		group.Go(func() {
			for range 20 {
				_, body := scrape(t, server.URL, acceptText, encoding)
				got := map[float64]int{}
				for series, value := range values(t, expfmt.FmtText, body) {
					if strings.HasPrefix(series, "prodsec_generation{") {
						got[value]++
					}
				}
				if len(got) != 1 {
					t.Errorf("one answer mixes evaluations: %v", got)
				}
			}
		})
	}
	group.Wait()
}

// FuzzLabelValues: any label value that is valid UTF-8 survives the way out and back in every format, any other is left out, and
// the answer can be read in every case.
func FuzzLabelValues(f *testing.F) {
	for _, seed := range []string{"", "plain", "a\"b", "a\\", "a\nb", "\\n", "é", "\x00", "\xff", "} 1\nother 2", "# EOF", "\u2028"} {
		f.Add(seed, "fixed")
	}
	store := exposition.New(prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	f.Fuzz(func(t *testing.T, value, help string) {
		family := &metrics.Family{Name: "prodsec_fuzz", Help: help, Type: metrics.Gauge, Labels: []string{"label"}, Source: "tests", Refresh: "never"}
		store.Publish(&metrics.Evaluation{At: instant, Results: []metrics.Result{{Family: family, Series: []metrics.Series{{Labels: []string{value}, Value: 1}}}}})
		for _, accept := range []string{acceptText, acceptProtobuf, acceptOpenMetrics} {
			request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
			request.Header.Set("Accept", accept)
			recorder := httptest.NewRecorder()
			store.ServeHTTP(recorder, request)
			if accept == acceptOpenMetrics {
				if strings.Count(recorder.Body.String(), "\n# EOF\n") != 1 && recorder.Body.String() != "# EOF\n" {
					t.Fatalf("want one # EOF: %q", recorder.Body)
				}
				continue
			}
			var got []string
			for _, family := range families(t, expfmt.ResponseFormat(recorder.Header()), recorder.Body.Bytes()) {
				for _, m := range family.GetMetric() {
					got = append(got, m.GetLabel()[0].GetValue())
				}
			}
			var want []string
			if strings.ToValidUTF8(value, "") == value {
				want = []string{value}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", accept, diff)
			}
		}
	})
}
