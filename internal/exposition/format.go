package exposition

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/common/expfmt"
)

// format is a form in which families are written.
type format int

// The formats.
const (
	text format = iota
	openMetrics
	protobuf
	formats
)

// endOfOpenMetrics ends an answer in OpenMetrics.
const endOfOpenMetrics = "# EOF\n"

// accepted are the content types that are offered; the first is for whoever accepts anything.
var accepted = []expfmt.Format{expfmt.FmtText, expfmt.FmtOpenMetrics_1_0_0, expfmt.FmtOpenMetrics_0_0_1, expfmt.FmtProtoDelim}

func negotiateFormat(h http.Header) expfmt.Format { return expfmt.NegotiateAccept(h, accepted...) }

// expfmt is the format in the words of the encoder.
func (f format) expfmt() expfmt.Format {
	switch f {
	case openMetrics:
		return expfmt.FmtOpenMetrics_1_0_0
	case protobuf:
		return expfmt.FmtProtoDelim
	default:
		return expfmt.FmtText
	}
}

// compression is a content coding.
type compression int

// The compressions, in the order of preference where a request leaves the choice.
const (
	identity compression = iota
	gzipped
	zstandard
	compressions
)

// String is the name of the content coding.
func (c compression) String() string { return [...]string{"identity", "gzip", "zstd"}[c] }

// variant is a format and a compression.
type variant int

func variantOf(contentType expfmt.Format, c compression) variant {
	f := text
	if kind := contentType.FormatType(); kind == expfmt.TypeOpenMetrics {
		f = openMetrics
	} else if kind == expfmt.TypeProtoDelim {
		f = protobuf
	}
	return variant(int(f)*int(compressions) + int(c))
}

func (v variant) format() format           { return format(int(v) / int(compressions)) }
func (v variant) compression() compression { return compression(int(v) % int(compressions)) }

// negotiateCompression picks the compression with the highest quality, the stronger one among equals, and none if the request
// names none that is known.
func negotiateCompression(acceptEncoding []string) compression {
	best, bestQuality := identity, 0.0
	qualities := qualitiesOf(strings.Join(acceptEncoding, ","))
	for c := gzipped; c < compressions; c++ {
		q, named := qualities[c.String()]
		if !named {
			q = qualities["*"]
		}
		if q > 0 && q >= bestQuality {
			best, bestQuality = c, q
		}
	}
	if q := qualities["identity"]; q > bestQuality {
		return identity
	}
	return best
}

// qualitiesOf reads the header Accept-Encoding (RFC 9110, section 12.5.3).
func qualitiesOf(header string) map[string]float64 {
	qualities := map[string]float64{}
	for item := range strings.SplitSeq(header, ",") {
		coding, parameters, _ := strings.Cut(item, ";")
		coding = strings.ToLower(strings.TrimSpace(coding))
		if coding == "" {
			continue
		}
		qualities[coding] = 1
		if name, value, ok := strings.Cut(strings.TrimSpace(parameters), "="); ok && strings.EqualFold(strings.TrimSpace(name), "q") {
			if q, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil {
				qualities[coding] = q
			}
		}
	}
	return qualities
}

var gzipWriters = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant that the package knows
	}
	return w
}}

var zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err) // the options are constants that the package knows
	}
	return e
})

// compress makes one gzip member or zstd frame. Both may be written one after the other, which is how a stored part and a live one
// make one body.
func (c compression) compress(plain []byte) []byte {
	switch c {
	case gzipped:
		var buf bytes.Buffer
		w := gzipWriters.Get().(*gzip.Writer)
		defer gzipWriters.Put(w)
		w.Reset(&buf)
		// A bytes.Buffer takes everything, so neither call can fail.
		_, _ = w.Write(plain)
		_ = w.Close()
		return buf.Bytes()
	case zstandard:
		return zstdEncoder().EncodeAll(plain, nil)
	default:
		return plain
	}
}
