package api

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
)

// ErrTimestamp is wrapped where a value is not a point in time.
var ErrTimestamp = errors.New("not a point in time")

// Timestamp is a time that may be null, empty or absent.
type Timestamp struct{ time.Time }

// UnmarshalJSON reads RFC 3339, and what older servers write.
func (t *Timestamp) UnmarshalJSON(data []byte) error {
	text, err := strconv.Unquote(string(data))
	if string(data) == "null" || text == "" && err == nil {
		return nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05 MST"} {
		if parsed, err := time.Parse(layout, text); err == nil {
			t.Time = parsed.UTC()
			return nil
		}
	}
	return fmt.Errorf("%w: %s", ErrTimestamp, record.Text(string(data)))
}

// Number is a number that GitHub sometimes writes as text (EPSS percentiles do, in its own example).
type Number float64

// UnmarshalJSON reads a number, a number in quotes, or null.
func (n *Number) UnmarshalJSON(data []byte) error {
	text := strings.Trim(string(data), `"`)
	if text == "null" || text == "" {
		return nil
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("not a number: %s", record.Text(string(data)))
	}
	*n = Number(value)
	return nil
}

// AnswerOr is the answer that a field gives, or another where it is absent.
func AnswerOr(field *bool, absent record.Answer) record.Answer {
	if field == nil {
		return absent
	}
	return record.AnswerOf(*field)
}

// Actor is who did something, as GraphQL shows it.
type Actor struct {
	Kind  string `json:"__typename"`
	Login string `json:"login"`
}

// Person reports whether the actor is known and no bot.
func (a *Actor) Person() bool {
	return a != nil && a.Login != "" && a.Kind == "User" && !strings.HasSuffix(a.Login, "[bot]")
}

// Is reports whether the actor has a login.
func (a *Actor) Is(login string) bool { return a != nil && strings.EqualFold(a.Login, login) }

// Account is who did something, as REST shows it.
type Account struct {
	Login string `json:"login"`
	Type  string `json:"type"`
}

// ghost is the account that GitHub shows in the place of one that was deleted, where it shows any.
const ghost = "ghost"

// Deleted reports whether nobody knows any more who it was.
func (a *Account) Deleted() bool { return a == nil || a.Login == "" || a.Login == ghost }

// Person reports whether the account is known and no bot.
func (a *Account) Person() bool {
	return !a.Deleted() && (a.Type == "User" || a.Type == "") && !strings.HasSuffix(a.Login, "[bot]")
}
