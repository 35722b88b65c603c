package stream

import (
	"bytes"
	"encoding/json"
)

// Text is a JSON scalar of any type as text; anything else is the empty text. Tools disagree on whether ids, scores and versions are
// strings or numbers.
type Text string

// UnmarshalJSON never fails on valid JSON.
func (t *Text) UnmarshalJSON(data []byte) error {
	*t = ""
	switch {
	case len(data) == 0 || data[0] == '{' || data[0] == '[' || string(data) == "null":
		return nil
	case data[0] == '"':
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return err
		}
		*t = Text(s)
	default:
		*t = Text(data)
	}
	return nil
}

// Number is a JSON number, or a text that holds one; anything else is 0.
type Number float64

// UnmarshalJSON never fails on valid JSON.
func (n *Number) UnmarshalJSON(data []byte) error {
	var f float64
	*n = 0
	if json.Unmarshal(bytes.Trim(data, `" `), &f) == nil {
		*n = Number(f)
	}
	return nil
}

// Index is a position in a list; -1 is the standard's word for "none".
type Index int

// UnmarshalJSON never fails on valid JSON: a text that holds a number counts, anything else is none.
func (i *Index) UnmarshalJSON(data []byte) error {
	n := Number(-1)
	if trimmed := bytes.Trim(data, `" `); len(trimmed) > 0 && (trimmed[0] == '-' || trimmed[0] >= '0' && trimmed[0] <= '9') {
		if err := n.UnmarshalJSON(data); err != nil {
			return err
		}
	}
	*i = Index(max(-1, min(n, 1<<30)))
	return nil
}

// List is a list of scalars; one scalar counts as a list of one.
type List []Text

// UnmarshalJSON never fails on valid JSON.
func (l *List) UnmarshalJSON(data []byte) error {
	*l = nil
	if len(data) > 0 && data[0] == '[' {
		return decodeElements(data, l)
	}
	var one Text
	if err := one.UnmarshalJSON(data); err != nil {
		return err
	}
	if one != "" {
		*l = List{one}
	}
	return nil
}

func decodeElements(data []byte, into *List) error {
	var elements []Text
	if err := json.Unmarshal(data, &elements); err != nil {
		return err
	}
	*into = elements
	return nil
}
