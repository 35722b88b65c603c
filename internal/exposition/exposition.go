// Package exposition serves metric families over HTTP in the formats that Prometheus understands.
//
// An evaluation is encoded at most once per format and compression; a scrape writes bytes that are already there and appends the
// exporter's own metrics, which are few and gathered at each scrape. It never waits for an evaluation and never fails because of one bad
// series: that is left out, counted and logged once.
//
// It knows families by their description alone (package metrics) and the libraries of Prometheus. To add a format, add a constant to format.go
// with its content type, and encode it in encode.go; to leave out another kind of series, add a reason to drops.go and a rule to check.go.
package exposition

import (
	"bytes"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"prodsec_exporter/internal/metrics"
)

// Store holds the evaluation that is served at present. It is an http.Handler for /metrics, and a prometheus.Collector of what
// it knows about evaluations. It is safe for concurrent use.
type Store struct {
	live   prometheus.Gatherer
	logger *slog.Logger
	drops  *drops

	publishing sync.Mutex
	current    atomic.Pointer[published]
}

// published is an evaluation that is served.
type published struct {
	evaluation *metrics.Evaluation
	results    []metrics.Result
	// names are the families in results, which the live ones must not repeat.
	names  map[string]bool
	bodies [int(formats) * int(compressions)]body
	store  *Store
}

// body is the evaluation in one format and compression.
type body struct {
	once  sync.Once
	bytes []byte
	// wanted is for how many more evaluations the body is encoded in advance.
	wanted atomic.Int32
}

// wantedFor is how many evaluations are encoded in advance after a scrape; evaluations may come more often than scrapes.
const wantedFor = 16

// New makes a store that appends what live gathers to every scrape. Register the store itself there (or elsewhere) to expose its
// own metrics.
func New(live prometheus.Gatherer, logger *slog.Logger) *Store {
	return &Store{live: live, logger: logger, drops: newDrops(logger)}
}

// Publish replaces the evaluation that is served. The formats that scrapers requested since the last call are encoded before the exchange, so
// that they do not wait for it. The evaluation must not be changed afterwards.
func (s *Store) Publish(e *metrics.Evaluation) {
	s.publishing.Lock()
	defer s.publishing.Unlock()
	next := &published{evaluation: e, names: make(map[string]bool, len(e.Results)), store: s}
	for reason, n := range e.Dropped {
		s.drops.drop("", reason, n)
	}
	next.results = check(e.Results, s.drops)
	for _, r := range next.results {
		next.names[r.Family.Name] = true
	}
	if previous := s.current.Load(); previous != nil {
		for v := range previous.bodies {
			if wanted := previous.bodies[v].wanted.Load(); wanted > 0 {
				next.bodies[v].wanted.Store(wanted - 1)
				next.encoded(variant(v))
			}
		}
	}
	s.current.Store(next)
}

// encoded is the evaluation in a format and compression, made at most once.
func (p *published) encoded(v variant) []byte {
	b := &p.bodies[v]
	b.once.Do(func() {
		var buf bytes.Buffer
		encodeResults(&buf, v.format(), p.results, func(family string, series int, err error) {
			p.store.drops.count(reasonEncoding, series)
			if p.store.drops.first(family + " " + reasonEncoding) {
				p.store.logger.Warn("Leaving out a metric family that cannot be encoded", "family", family, "err", err)
			}
		})
		b.bytes = v.compression().compress(buf.Bytes())
	})
	return b.bytes
}

// ServeHTTP answers a scrape in the format and compression that the request prefers, text and none if it names none that is
// known.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD are allowed", http.StatusMethodNotAllowed)
		return
	}
	contentType := negotiateFormat(r.Header)
	c := negotiateCompression(r.Header.Values("Accept-Encoding"))
	v := variantOf(contentType, c)

	var stored []byte
	p := s.current.Load()
	if p != nil {
		p.bodies[v].wanted.Store(wantedFor)
		stored = p.encoded(v)
	}
	live := c.compress(s.gather(v.format(), p))

	h := w.Header()
	h.Set("Content-Type", string(contentType))
	h.Set("Vary", "Accept, Accept-Encoding")
	h.Set("Content-Length", strconv.Itoa(len(stored)+len(live)))
	if c != identity {
		h.Set("Content-Encoding", c.String())
	}
	if r.Method == http.MethodHead {
		return
	}
	for _, part := range [][]byte{stored, live} {
		if _, err := w.Write(part); err != nil {
			s.logger.Debug("Scraper went away", "err", err)
			return
		}
	}
}

// gather encodes the live metrics and the end of the format.
func (s *Store) gather(f format, p *published) []byte {
	families, err := s.live.Gather()
	if err != nil {
		// What could be gathered is served all the same.
		s.drops.count(reasonGather, 1)
		if s.drops.first(err.Error()) {
			s.logger.Warn("Gathering the exporter's own metrics failed in part", "err", err)
		}
	}
	var buf bytes.Buffer
	encoder := expfmt.NewEncoder(&buf, f.expfmt())
	for _, family := range families {
		if p != nil && p.names[family.GetName()] {
			s.drops.drop(family.GetName(), reasonDuplicate, len(family.GetMetric()))
			continue
		}
		s.encodeLive(&buf, encoder, family)
	}
	if f == openMetrics {
		buf.WriteString(endOfOpenMetrics)
	}
	return buf.Bytes()
}

// encodeLive appends one family, or nothing if it cannot be encoded.
func (s *Store) encodeLive(buf *bytes.Buffer, encoder expfmt.Encoder, family *dto.MetricFamily) {
	before := buf.Len()
	if err := encoder.Encode(family); err != nil {
		buf.Truncate(before)
		s.drops.drop(family.GetName(), reasonEncoding, len(family.GetMetric()))
	}
}
