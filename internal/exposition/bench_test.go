package exposition_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"prodsec_exporter/internal/exposition"
	"prodsec_exporter/internal/metrics"
)

// wide is an evaluation with n series.
func wide(n int) *metrics.Evaluation {
	f := &metrics.Family{
		Name: "prodsec_findings_open", Help: "Open weaknesses.", Type: metrics.Gauge, Source: "tests", Refresh: "never",
		Labels: []string{"business_unit", "team", "service_name", "trust_tier", "severity", "class", "sla"},
	}
	r := metrics.Result{Family: f}
	for i := range n {
		r.Series = append(r.Series, metrics.Series{
			Labels: []string{"retail", "payments", fmt.Sprintf("service-%07d", i), "tier0", "critical", "sca", "within"}, Value: float64(i),
		})
	}
	return &metrics.Evaluation{At: instant, Results: []metrics.Result{r}}
}

// memory is a response that is copied into memory, as into a socket buffer.
type memory struct {
	header http.Header
	buffer []byte
	n      int
}

func (m *memory) Header() http.Header { return m.header }
func (m *memory) WriteHeader(int)     {}
func (m *memory) Write(p []byte) (int, error) {
	n := copy(m.buffer[m.n:], p)
	m.n += n
	return n, nil
}

func (m *memory) reset() {
	clear(m.header)
	m.n = 0
}

// prepared is a store that has served its evaluation once, a request, and a response large enough for the answer.
func prepared(tb testing.TB, n int, encoding string) (*exposition.Store, *http.Request, *memory) {
	tb.Helper()
	live := prometheus.NewRegistry()
	store := exposition.New(live, slog.New(slog.DiscardHandler))
	live.MustRegister(store)
	store.Publish(wide(n))
	request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	request.Header.Set("Accept", acceptText)
	request.Header.Set("Accept-Encoding", encoding)
	recorder := httptest.NewRecorder()
	store.ServeHTTP(recorder, request)
	return store, request, &memory{header: http.Header{}, buffer: make([]byte, recorder.Body.Len()+1024)}
}

// BenchmarkScrape100k scrapes 100,000 series that were evaluated and encoded before; BenchmarkWrite100k writes the same bytes. The
// budget of the design is 1.2 times the latter.
func BenchmarkScrape100k(b *testing.B) {
	for _, encoding := range []string{"identity", "gzip", "zstd"} {
		b.Run(encoding, func(b *testing.B) {
			store, request, response := prepared(b, 100_000, encoding)
			b.ReportAllocs()
			for b.Loop() {
				response.reset()
				store.ServeHTTP(response, request)
			}
			b.SetBytes(int64(response.n))
		})
	}
}

func BenchmarkWrite100k(b *testing.B) {
	store, request, response := prepared(b, 100_000, "identity")
	store.ServeHTTP(response, request)
	body := append([]byte(nil), response.buffer[:response.n]...)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		response.reset()
		if _, err := response.Write(body); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPublish100k encodes 100,000 series in the format that is in use, which happens once per evaluation.
func BenchmarkPublish100k(b *testing.B) {
	for _, encoding := range []string{"identity", "gzip", "zstd"} {
		b.Run(encoding, func(b *testing.B) {
			store, request, response := prepared(b, 100_000, encoding)
			e := wide(100_000)
			b.ReportAllocs()
			for b.Loop() {
				response.reset()
				store.Publish(e)
				store.ServeHTTP(response, request)
			}
		})
	}
}

// TestScrapeAllocations: the allocations of a scrape do not grow with the number of series.
func TestScrapeAllocations(t *testing.T) {
	for _, encoding := range []string{"identity", "gzip", "zstd"} {
		allocations := func(series int) float64 {
			store, request, response := prepared(t, series, encoding)
			return testing.AllocsPerRun(20, func() {
				response.reset()
				store.ServeHTTP(response, request)
			})
		}
		few, many := allocations(10), allocations(20_000)
		if many > few+10 {
			t.Errorf("%s: %v allocations for 10 series, %v for 20,000", encoding, few, many)
		}
	}
}

// TestEncodedInAdvance: after a scrape, the next evaluation is encoded when it is published, so that the next scrape only writes.
func TestEncodedInAdvance(t *testing.T) {
	store, request, response := prepared(t, 20_000, "identity")
	for range 3 { // more evaluations than scrapes
		store.Publish(wide(20_000))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	store.ServeHTTP(response, request)
	runtime.ReadMemStats(&after)
	if bytes := after.TotalAlloc - before.TotalAlloc; bytes > uint64(response.n)/10 {
		t.Errorf("the scrape allocated %d bytes to write %d", bytes, response.n)
	}
}
