package evidence

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/filesource"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

const (
	// maxItem bounds the bytes of one item: a report, a statement, a YAML document.
	maxItem = 16 << 20
	// maxStatements bounds the statements of one evidence document, which are kept until its end is known.
	maxStatements = 200_000
	// maxLogged bounds how many items that were left out are named in the log.
	maxLogged = 10
)

// reading is a source that is being read.
type reading struct {
	collector *Collector
	scope     string
	// written is when the source was written, and now the clock.
	written, now time.Time
	statements   statementSet
	rejected     map[record.RejectReason]int
	left         int
	// items is how many items were read.
	items int
	// recognised says that the source holds anything of a known form.
	recognised bool
}

// reject leaves out one item and says where it stands and why.
func (r *reading) reject(where string, err error) {
	reason := translate.Reason(err)
	r.rejected[reason]++
	if r.left++; r.left <= maxLogged {
		r.collector.env.Logger.Warn("An item of evidence was left out", "scope", r.scope, "item", record.Text(where), "reason", string(reason), "cause", record.Text(err.Error()))
	}
}

func (r *reading) logLeftOut() {
	if r.left > maxLogged {
		r.collector.env.Logger.Warn("Further items of evidence were left out", "scope", r.scope, "items", r.left-maxLogged)
	}
}

func malformed(format string, args ...any) error {
	return &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf(format, args...)}
}

// stream reads a source: JSON values, one after the other, or YAML documents.
func (r *reading) stream(ctx context.Context, content io.Reader) error {
	buffered := bufio.NewReaderSize(content, 64<<10)
	first, err := firstByte(buffered)
	switch {
	case errors.Is(err, io.EOF):
		return malformed("it is empty; an evidence document without statements is written with an empty list")
	case err != nil:
		return filesource.Error(err)
	case first == '{' || first == '[':
		err = r.json(ctx, buffered)
	default:
		err = r.yaml(ctx, buffered)
	}
	if err == nil && !r.recognised {
		return malformed("it holds neither an evidence document nor a policy report")
	}
	return err
}

// firstByte is the first byte that is neither space nor a byte order mark.
func firstByte(b *bufio.Reader) (byte, error) {
	if mark, err := b.Peek(3); err == nil && string(mark) == "\uFEFF" {
		if _, err := b.Discard(3); err != nil {
			return 0, err
		}
	}
	for {
		next, err := b.Peek(1)
		if err != nil {
			return 0, err
		}
		if !bytes.ContainsAny(next, " \t\r\n") {
			return next[0], nil
		}
		if _, err := b.Discard(1); err != nil {
			return 0, err
		}
	}
}

// allowance is a reader that gives no more than an item may have.
type allowance struct {
	from io.Reader
	left int
}

var errTooLarge = malformed("one of its items is larger than %d MB", maxItem>>20)

func (a *allowance) Read(p []byte) (int, error) {
	if a.left <= 0 {
		return 0, errTooLarge
	}
	n, err := a.from.Read(p[:min(len(p), a.left)])
	a.left -= n
	return n, err
}

// json reads JSON values one after the other.
func (r *reading) json(ctx context.Context, content io.Reader) error {
	bounded := &allowance{from: content, left: maxItem}
	d := json.NewDecoder(bounded)
	for {
		bounded.left = maxItem
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return cut(err)
		case token != json.Delim('{'):
			return malformed("it is neither an evidence document nor a policy report nor a list of these, but begins with %.20q", fmt.Sprint(token))
		}
		if err := r.object(ctx, d, bounded); err != nil {
			return err
		}
	}
}

// cut classifies an error of the decoder.
func cut(err error) error {
	if classified, ok := errors.AsType[*record.Error](err); ok {
		return classified
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return &record.Error{Reason: record.ReasonTruncated, Err: errors.New("it ends early")}
	}
	return malformed("it is no JSON: %w", err)
}

// object reads what follows the opening brace of a value: an evidence document, a policy report, or a list.
func (r *reading) object(ctx context.Context, d *json.Decoder, bounded *allowance) error {
	fields, size, before := map[string]json.RawMessage{}, 0, r.items
	var doc document
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return cut(err)
		}
		key, _ := token.(string) // the decoder refuses other keys
		bounded.left = maxItem
		switch key {
		case "items":
			err = r.array(ctx, d, bounded, key, func(raw json.RawMessage) error { r.listed(raw, fields); return nil })
		case "statements":
			doc.present = true
			err = r.array(ctx, d, bounded, key, doc.add)
		default:
			var raw json.RawMessage
			if err = d.Decode(&raw); err != nil {
				err = cut(err)
			}
			fields[key] = raw
			if size += len(key) + len(raw); size > maxItem {
				return errTooLarge
			}
		}
		if err != nil {
			return err
		}
		if key == "items" {
			fields[key] = nil
		}
	}
	if _, err := d.Token(); err != nil {
		return cut(err)
	}
	_, list := fields["items"]
	switch {
	case doc.present:
		return r.document(&doc, fields)
	case list:
		kind, items := text(fields["kind"]), r.items-before
		r.recognised = r.recognised || items == 0 && (kind == "List" || isReport(text(fields["apiVersion"]), strings.TrimSuffix(kind, "List")))
		return nil
	default:
		raw, err := json.Marshal(fields)
		if err != nil {
			return malformed("it is no JSON: %w", err)
		}
		return r.single(raw)
	}
}

// array reads a list, item by item.
func (r *reading) array(ctx context.Context, d *json.Decoder, bounded *allowance, key string, take func(json.RawMessage) error) error {
	token, err := d.Token()
	if err != nil {
		return cut(err)
	}
	if token != json.Delim('[') {
		return malformed("%s is not a list", key)
	}
	for d.More() {
		if err := collectors.Canceled(ctx); err != nil {
			return err
		}
		bounded.left = maxItem
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return cut(err)
		}
		if err := take(raw); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return cut(err)
	}
	return nil
}

// yaml reads YAML documents one after the other.
func (r *reading) yaml(ctx context.Context, content *bufio.Reader) error {
	var document bytes.Buffer
	for {
		line, err := content.ReadSlice('\n')
		ends := err != nil && !errors.Is(err, bufio.ErrBufferFull)
		if ends && !errors.Is(err, io.EOF) {
			return filesource.Error(err)
		}
		if text := strings.TrimRight(string(line), "\r\n"); text == "---" || strings.HasPrefix(text, "--- ") || text == "..." {
			if err := r.yamlDocument(ctx, &document); err != nil {
				return err
			}
			line = nil
		}
		if document.Len()+len(line) > maxItem {
			return errTooLarge
		}
		document.Write(line)
		if ends {
			return r.yamlDocument(ctx, &document)
		}
	}
}

// yamlDocument reads one document by way of JSON, and empties the buffer.
func (r *reading) yamlDocument(ctx context.Context, buffer *bytes.Buffer) error {
	defer buffer.Reset()
	if err := collectors.Canceled(ctx); err != nil {
		return err
	}
	var value any
	if err := yaml.Unmarshal(buffer.Bytes(), &value); err != nil {
		return malformed("it is neither JSON nor YAML") // the parser would quote what may be anything
	}
	if value == nil {
		return nil // a document of comments
	}
	asJSON, err := json.Marshal(value)
	if err != nil {
		return malformed("its YAML has a form that JSON has not: keys must be text")
	}
	if len(asJSON) == 0 || asJSON[0] != '{' {
		return malformed("it is neither an evidence document nor a policy report nor a list of these")
	}
	return r.json(ctx, bytes.NewReader(asJSON))
}

// logStrange says once of a word that nobody knows.
func (c *Collector) logStrange(what, word string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := what + " " + word
	if len(c.strange) < 100 && !c.strange[key] {
		c.strange[key] = true
		c.env.Logger.LogAttrs(context.Background(), slog.LevelWarn, "A word that is not known counts as unknown", slog.String("what", what), slog.String("word", record.Text(word)))
	}
}
