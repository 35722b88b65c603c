package translate

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
)

// Time is an instant in any of the forms that APIs use. Its zero value means that the source does not say.
type Time struct{ time.Time }

// The layouts, most common first. A form without a zone is UTC.
var layouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999-0700",
	"2006-01-02 15:04:05.999999999-07:00",
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999",
	time.DateOnly,
}

// milliseconds is the number from which on an epoch is taken to count milliseconds: as seconds it would be the year 5138.
const milliseconds = 100_000_000_000

// UnmarshalJSON reads RFC 3339 and its near relations, an epoch in seconds or milliseconds (as a number or as text), and null and
// empty text as "not said". The error wraps ErrTimestamp.
func (t *Time) UnmarshalJSON(data []byte) error {
	t.Time = time.Time{}
	text := string(data)
	if len(data) > 0 && data[0] == '"' {
		if err := json.Unmarshal(data, &text); err != nil {
			return fmt.Errorf("%w: %w", ErrTimestamp, err)
		}
	}
	parsed, err := ParseTime(text)
	if err != nil {
		return err
	}
	t.Time = parsed
	return nil
}

// ParseTime reads what Time reads; "" and "null" are the zero time.
func ParseTime(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "" || text == "null" {
		return time.Time{}, nil
	}
	for _, layout := range layouts {
		if at, err := time.Parse(layout, text); err == nil {
			return bounded(at.UTC(), text)
		}
	}
	number, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || number != number || number < 0 || number > 1e15:
		return time.Time{}, fmt.Errorf("%w: %q", ErrTimestamp, record.Text(text))
	case number == 0:
		return time.Time{}, nil
	case number >= milliseconds:
		return bounded(time.UnixMilli(int64(number)).UTC(), text)
	default:
		return bounded(time.Unix(int64(number), 0).UTC(), text)
	}
}

// bounded refuses the years that only a mistake can produce.
func bounded(at time.Time, text string) (time.Time, error) {
	if at.Year() < 1970 || at.Year() > 2200 {
		return time.Time{}, fmt.Errorf("%w: %q", ErrTimestamp, record.Text(text))
	}
	return at, nil
}
