package grafana

import (
	"encoding/json"
	"fmt"

	"github.com/pmezard/go-difflib/difflib"
)

// Board is a board as JSON.
type Board struct {
	// File is where it came from, for people.
	File string
	// UID and Title are those of the model.
	UID, Title string
	model      map[string]any
}

// Parse reads the JSON model of a board as Grafana exports it: with a uid and a title, and not wrapped in {"dashboard": ...}. The
// error names the file.
func Parse(file string, data []byte) (*Board, error) {
	b := &Board{File: file}
	if err := json.Unmarshal(data, &b.model); err != nil { // numbers as float64, as Grafana's pages and the library read them
		return nil, fmt.Errorf("%s is not the JSON of a board: %w", file, err)
	}
	b.UID, _ = b.model["uid"].(string)
	b.Title, _ = b.model["title"].(string)
	switch _, wrapped := b.model["dashboard"]; {
	case b.UID != "" && b.Title != "":
		return b, nil
	case wrapped:
		return nil, fmt.Errorf(`%s wraps its board in "dashboard"; write what is inside to the file`, file)
	default:
		return nil, fmt.Errorf(`%s lacks "uid" or "title"; export the board from Grafana with both`, file)
	}
}

// grafanas are the keys that Grafana sets by itself.
var grafanas = []string{"id", "version", "iteration"}

// text is the model in a form in which equal boards are equal, but for what Grafana sets by itself.
func (b *Board) text() (string, error) {
	model := make(map[string]any, len(b.model))
	for key, value := range b.model {
		model[key] = value
	}
	for _, key := range grafanas {
		delete(model, key)
	}
	out, err := json.MarshalIndent(model, "", "  ") // keys of maps are sorted
	if err != nil {
		return "", fmt.Errorf("encoding %s: %w", b.File, err)
	}
	return string(out) + "\n", nil
}

// difference is a unified diff from what is there to what is to be, empty if they are equal.
func difference(there, wanted *Board) (string, error) {
	old, err := there.text()
	if err != nil {
		return "", err
	}
	text, err := wanted.text()
	if err != nil {
		return "", err
	}
	if old == text {
		return "", nil
	}
	diff, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: difflib.SplitLines(old), B: difflib.SplitLines(text), FromFile: there.File, ToFile: wanted.File, Context: 3,
	})
	if err != nil {
		return "", fmt.Errorf("comparing %s: %w", wanted.File, err)
	}
	return diff, nil
}
