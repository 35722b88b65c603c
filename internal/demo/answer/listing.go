package answer

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"time"
)

// Order is how a list is sorted.
type Order struct{ Updated, Ascending bool }

func (o Order) key(s Seen) time.Time {
	if o.Updated {
		return s.UpdatedAt
	}
	return s.Born
}

// Compare sorts findings.
func (o Order) Compare(a, b Seen) int { return o.ComparePositions(o.Position(a), o.Position(b)) }

// Position is where an item stands in a list; it is what a cursor holds, so that a walk goes on at the right place although the list has moved.
type Position struct{ Second, ID int64 }

// Position is where a finding stands.
func (o Order) Position(s Seen) Position { return Position{o.key(s).Unix(), s.ID} }

// ComparePositions sorts what stands at positions.
func (o Order) ComparePositions(a, b Position) int {
	c := cmp.Or(cmp.Compare(a.Second, b.Second), cmp.Compare(a.ID, b.ID))
	if o.Ascending {
		return c
	}
	return -c
}

// Cursor writes a position as a page token.
func (p Position) Cursor() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "v2:%d:%d", p.Second, p.ID))
}

// ParseCursor reads what Cursor wrote. The error says that it is none.
func ParseCursor(s string) (Position, error) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return Position{}, fmt.Errorf("read a cursor: %w", err)
	}
	var p Position
	if _, err := fmt.Sscanf(string(raw), "v2:%d:%d", &p.Second, &p.ID); err != nil {
		return Position{}, fmt.Errorf("read a cursor: %w", err)
	}
	return p, nil
}

// Filter is what is kept of a list; nil for nothing.
func Filter[T any](list []T, keep func(T) bool) []T {
	var kept []T
	for _, item := range list {
		if keep(item) {
			kept = append(kept, item)
		}
	}
	return kept
}

// Cut finds the page after or before a cursor.
func (o Order) Cut(list []Seen, after, before string, size int) (from, to int, err error) {
	find := func(cursor string) (int, bool, error) {
		p, err := ParseCursor(cursor)
		if err != nil {
			return 0, false, err
		}
		i, found := slices.BinarySearchFunc(list, p, func(s Seen, p Position) int { return o.ComparePositions(o.Position(s), p) })
		return i, found, nil
	}
	switch {
	case after != "":
		i, found, err := find(after)
		if err != nil {
			return 0, 0, err
		}
		if found {
			i++
		}
		return i, min(i+size, len(list)), nil
	case before != "":
		i, _, err := find(before)
		if err != nil {
			return 0, 0, err
		}
		return max(i-size, 0), i, nil
	default:
		return 0, min(size, len(list)), nil
	}
}
