package platform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// List is a list that a platform gives page by page.
//
// While pages are read the list goes on changing, and items move from one page to another: one that leaves a page that was read pulls the first
// item of the next page onto it, which nobody reads then; one that comes pushes the last item onto the next page, where it is seen twice. What is
// not seen would be taken for fixed. A list in which an item repeats, that shrinks while it is read, or that holds fewer items than the source counts is
// therefore not whole: the error has record.ReasonTruncated and wraps ErrMoved. Items of one page that share an identity and differ otherwise
// repeat nothing: no item changes within an answer, so that they are two to the source.
type List struct {
	// Name says what is listed, for errors.
	Name string
	// Page reads the page at a cursor, which is empty for the first one.
	Page func(ctx context.Context, cursor string) (Page, error)
	// ID is what tells an item from others, empty where it has nothing; then its bytes do.
	ID func(json.RawMessage) string
	// Take is handed every item.
	Take func(json.RawMessage)
}

// Page is one page of a list.
type Page struct {
	Items []json.RawMessage
	// Next is the cursor of the next page, empty after the last one.
	Next string
	// Total is how many items the list has, as the source counts them beside this page; nil where it does not.
	Total *int
	// Enough says that what follows is of no interest, so that the list is not read to its end.
	Enough bool
}

// ErrMoved is wrapped where items moved between the pages of a list while they were read.
var ErrMoved = errors.New("the list changed while it was read")

// tries is how often a list is read that changes while it is read.
const tries = 2

// Read reads all pages.
func (l List) Read(ctx context.Context) error {
	seen := map[string]struct{}{}
	items, total, enough := 0, -1, false
	err := apiclient.Walk(ctx, 0, func(ctx context.Context, cursor string) (string, error) {
		page, err := l.Page(ctx, cursor)
		if err != nil {
			return "", err
		}
		if page.Total != nil && *page.Total < total {
			return "", moved("%s shrank from %d to %d items", l.Name, total, *page.Total)
		}
		total = -1
		if page.Total != nil {
			total = *page.Total
		}
		here := map[string]json.RawMessage{}
		for _, item := range page.Items {
			id := l.identity(item)
			_, again := seen[id]
			if other, same := here[id]; again && (!same || bytes.Equal(other, item)) {
				return "", moved("%s has item %s twice", l.Name, record.Text(id))
			}
			seen[id], here[id] = struct{}{}, item
			l.Take(item)
		}
		items += len(page.Items)
		if enough = page.Enough; enough {
			return "", nil
		}
		return page.Next, nil
	})
	if err == nil && !enough && items < total {
		return moved("%s: the source counts %d items and gave %d", l.Name, total, items)
	}
	return err
}

func (l List) identity(item json.RawMessage) string {
	if l.ID != nil {
		if id := l.ID(item); id != "" {
			return id
		}
	}
	return string(item)
}

func moved(format string, args ...any) error {
	return &record.Error{Reason: record.ReasonTruncated, Err: fmt.Errorf("%w: %s", ErrMoved, fmt.Sprintf(format, args...))}
}

// Again reads something anew whose items moved while it was read, once. What read keeps of a first attempt it has to forget at the second.
func Again(read func() error) error {
	var err error
	for range tries {
		if err = read(); !errors.Is(err, ErrMoved) {
			return err
		}
	}
	return err
}

// Numbered makes the pages of a list that are found by number, from first on. It ends at an empty page, at one for which last is
// true, and where it is enough; a short page ends nothing, since servers cap page sizes.
func Numbered(first int, fetch func(ctx context.Context, number int) (page Page, last bool, err error)) func(context.Context, string) (Page, error) {
	return func(ctx context.Context, cursor string) (Page, error) {
		number := first
		if cursor != "" {
			parsed, err := strconv.Atoi(cursor)
			if err != nil {
				return Page{}, fmt.Errorf("number of a page: %w", err)
			}
			number = parsed
		}
		page, last, err := fetch(ctx, number)
		if err != nil {
			return Page{}, err
		}
		if len(page.Items) > 0 && !last {
			page.Next = strconv.Itoa(number + 1)
		}
		return page, nil
	}
}

// Key reads a text or number of an item that tells it from others; "" where it has none.
func Key(item json.RawMessage, field string) string {
	var fields map[string]json.RawMessage
	if json.Unmarshal(item, &fields) != nil {
		return ""
	}
	var text string
	if raw := fields[field]; json.Unmarshal(raw, &text) != nil {
		var number json.Number
		if json.Unmarshal(raw, &number) != nil {
			return ""
		}
		return number.String()
	}
	return text
}
