package stream

import (
	"bytes"
	"compress/gzip"
	"io"
	"runtime"
	"strings"
	"testing"
)

// repeated is a text that is made while it is read.
type repeated struct {
	text string
	left int
	at   int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), r.left)
	for i := range p[:n] {
		p[i] = r.text[(r.at+i)%len(r.text)]
	}
	r.at += n
	r.left -= n
	return n, nil
}

func compressed(t *testing.T, begin string, text string, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(z, io.MultiReader(strings.NewReader(begin), &repeated{text: text, left: size})); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestBomb: what unpacks to far more than any report is refused by its ratio, long before it is unpacked.
func TestBomb(t *testing.T) {
	const size = 80 << 20
	for name, text := range map[string]string{"numbers": "0,", "empty objects": "{},"} {
		packed := compressed(t, `{"x": [`, strings.Repeat(text, 1<<10), size)
		d, err := Open(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		err = d.JSON().Skip()
		malformed, ok := err.(*MalformedError) //nolint:errorlint // It is returned as it is.
		if !ok || !strings.Contains(err.Error(), "unpacks to more than 500 times") || malformed.Offset > size/2 {
			t.Errorf("%s, %d kB for %d MB: got %v, want it refused by its ratio soon", name, len(packed)>>10, size>>20, err)
		}
	}
}

// TestDenseReportIsNoBomb: equal findings shrink well, and are read.
func TestDenseReportIsNoBomb(t *testing.T) {
	var b strings.Builder
	for i := range 200_000 {
		b.WriteString(`{"ruleId": "a.rule", "message": {"text": "the same words each time"}, "line": `)
		b.WriteString(strings.Repeat("7", 1+i%9))
		b.WriteString("},\n          ")
	}
	packed := compressed(t, `[`+b.String()+`{}]`, " ", 1)
	d, err := Open(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.JSON().Skip(); err != nil {
		t.Errorf("%d kB for %d MB: %v", len(packed)>>10, b.Len()>>20, err)
	}
}

// TestDepth: nesting costs no memory out of proportion, in whichever way it is read.
func TestDepth(t *testing.T) {
	const size = 8 << 20
	for name, tt := range map[string]struct {
		text string
		read func(*Document) error
	}{
		"lists, skipped":   {"[", func(d *Document) error { return d.JSON().Skip() }},
		"objects, skipped": {`{"a":`, func(d *Document) error { return d.JSON().Skip() }},
		"both, skipped":    {`{"a":[`, func(d *Document) error { return d.JSON().Skip() }},
		"lists, decoded": {"[", func(d *Document) error {
			var value []any
			_, err := d.JSON().Item(&value)
			return err
		}},
		"elements": {"<a>", func(d *Document) error {
			x := d.XML()
			if _, err := x.Root(); err != nil {
				return err
			}
			return x.Skip()
		}},
	} {
		d, err := Open(&repeated{text: tt.text, left: size - size%len(tt.text)})
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		err = tt.read(d)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), "deep") && !strings.Contains(err.Error(), "depth") {
			t.Errorf("%s: got %v, want it refused by its depth", name, err)
		}
		if grown := (after.TotalAlloc - before.TotalAlloc) >> 20; grown > 16 {
			t.Errorf("%s: %d MB were allocated for %d MB", name, grown, size>>20)
		}
	}
}

func TestShallowEnough(t *testing.T) {
	d, err := Open(strings.NewReader(strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth)))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.JSON().Skip(); err != nil {
		t.Errorf("%d levels: %v", MaxDepth, err)
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{`{"a": [1, {"b": null}]}`, "<a><b/>x</a>", "\x1f\x8b\x08", "\xff\xfe[\x00]\x00", "\ufeff[]", strings.Repeat("[", 300), strings.Repeat("<a>", 300)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Open(bytes.NewReader(data))
		if err != nil {
			return
		}
		if d.IsXML() {
			x := d.XML()
			if _, err = x.Root(); err == nil {
				err = x.Skip()
			}
		} else {
			err = d.JSON().Skip()
		}
		if err == nil {
			err = d.End()
		}
		if _, malformed := err.(*MalformedError); err != nil && !malformed { //nolint:errorlint // It is returned as it is.
			t.Errorf("%q: %v is no MalformedError", data, err)
		}
	})
}
