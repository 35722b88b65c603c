package collectors

import (
	"encoding"
	"fmt"
	"time"

	"github.com/prometheus/common/model"
)

// Duration is a time span in configuration, written as in Prometheus: "90s", "6h", "30d", "1w".
type Duration time.Duration

var (
	_ encoding.TextUnmarshaler = (*Duration)(nil)
	_ encoding.TextMarshaler   = Duration(0)
)

// UnmarshalText reads a Prometheus duration.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := model.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 90s, 6h or 30d", text)
	}
	*d = Duration(parsed)
	return nil
}

// MarshalText writes a Prometheus duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Std is the duration as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String writes a Prometheus duration.
func (d Duration) String() string { return model.Duration(d).String() }
