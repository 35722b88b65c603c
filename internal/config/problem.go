package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in a configuration file: where it is, which key it concerns and what to do about it.
type Problem struct {
	File string
	// Line and Column count from 1; 0 means the file as a whole.
	Line, Column int
	// Path is the key, e.g. "collectors.github[0].interval"; empty for the file as a whole.
	Path string
	// Message says what is wrong and how to correct it. It never holds the value of a secret.
	Message string

	// decoding says that the value at Path could not be understood.
	decoding bool
}

// Error is "file:line:column: key: message".
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Problems are all mistakes of a file, in the order of their places.
type Problems []Problem

// Error lists one problem a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// err is the problems as an error, in order and without repetitions; nil if there are none.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Path, b.Path))
	})
	return slices.Compact(ps)
}

// minContained is the length from which a known key that is part of an unknown one (token in api_token) is probably meant.
const minContained = 4

// suggest is the known key that a misspelt one probably means, else "".
func suggest(wrong string, known []string) string {
	if near := nearestWord(wrong, known); near != "" {
		return near
	}
	folded, best := strings.ToLower(wrong), ""
	for _, k := range known {
		if len(k) >= minContained && len(k) > len(best) && strings.Contains(folded, k) {
			best = k
		}
	}
	return best
}

// nearestWord is the known word with the fewest differences from a misspelt one, "" if all differ too much.
func nearestWord(wrong string, known []string) string {
	best, least := "", 1+max(1, len(wrong)/3)
	for _, k := range known {
		if d := distance(strings.ToLower(wrong), k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of neighbours that turn a into b.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return max(len(a), len(b))
	}
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := last[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(last[j]+1, row[j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
