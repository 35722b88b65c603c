package apiclient

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"prodsec_exporter/internal/record"
)

// DefaultMaxPages bounds a walk: 10,000 pages of 100 are a million records.
const DefaultMaxPages = 10_000

// Walk fetches page after page. Fetch gets the cursor of a page, empty for the first, and returns that of the next, empty after the last
// one. A cursor that was seen before, and more than maxPages pages (0 means DefaultMaxPages), end the walk with
// record.ReasonTruncated: what was read so far is not the whole.
func Walk(ctx context.Context, maxPages int, fetch func(ctx context.Context, cursor string) (next string, err error)) error {
	if maxPages <= 0 {
		maxPages = DefaultMaxPages
	}
	seen := map[string]bool{"": true}
	cursor := ""
	for range maxPages {
		if err := ctx.Err(); err != nil {
			return &record.Error{Reason: record.ReasonCanceled, Err: err}
		}
		next, err := fetch(ctx, cursor)
		if err != nil {
			return err
		}
		if next == "" {
			return nil
		}
		if seen[next] {
			return &record.Error{Reason: record.ReasonTruncated, Err: fmt.Errorf("the source repeated a page cursor after %d pages", len(seen))}
		}
		seen[next] = true
		cursor = next
	}
	return &record.Error{Reason: record.ReasonTruncated, Err: fmt.Errorf("the source has more than %d pages", maxPages)}
}

// Getter reads one address and decodes its answer into out.
type Getter func(ctx context.Context, address string, out any) (*Response, error)

// Follow walks the pages of an API that answers JSON arrays and names the next page in the header Link, starting at an
// address. Items come undecoded, so that a bad one can be rejected alone. Page returns whether it wants more.
//
// A list that is read to its end and gives an item twice has hidden another one, which moved to a page that was read already: that is
// record.ReasonTruncated. A list that Page does not want the end of begins with what is newest, where repeats hide nothing.
func Follow(ctx context.Context, maxPages int, address string, get Getter, page func(items []json.RawMessage) (more bool, err error)) error {
	var repeats Repeats
	return Walk(ctx, maxPages, func(ctx context.Context, cursor string) (string, error) {
		var items []json.RawMessage
		resp, err := get(ctx, cmp.Or(cursor, address), &items)
		if err != nil {
			return "", err
		}
		repeats.See(items)
		more, err := page(items)
		if err != nil || !more {
			return "", err
		}
		if resp.Next == "" {
			return "", repeats.Err()
		}
		return resp.Next, nil
	})
}

// Repeats notices items that a list gave twice. The zero value has seen none.
type Repeats struct {
	seen  map[[sha256.Size]byte]bool
	count int
}

// See takes the items of a page.
func (r *Repeats) See(items []json.RawMessage) {
	if r.seen == nil {
		r.seen = map[[sha256.Size]byte]bool{}
	}
	for _, item := range items {
		sum := sha256.Sum256(item)
		if r.seen[sum] {
			r.count++
		}
		r.seen[sum] = true
	}
}

// Err has record.ReasonTruncated if an item came twice: then another one was hidden.
func (r *Repeats) Err() error {
	if r.count == 0 {
		return nil
	}
	return &record.Error{Reason: record.ReasonTruncated, Err: fmt.Errorf("the list changed while it was read: %d items came twice", r.count)}
}

// Follow is the function Follow with the client's own requests.
func (c *Client) Follow(ctx context.Context, path string, query url.Values, maxPages int, page func(items []json.RawMessage) (more bool, err error)) error {
	first, err := c.resolve(path, query)
	if err != nil {
		return err
	}
	return Follow(ctx, maxPages, first.String(), func(ctx context.Context, address string, out any) (*Response, error) {
		return c.Do(ctx, http.MethodGet, address, nil, nil, out)
	}, page)
}
