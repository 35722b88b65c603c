// Package translatetest checks vocabularies against tables that tests write out a second time.
//
// To check one more property of every vocabulary: a line in Vocabulary.
package translatetest

import (
	"bytes"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"prodsec_exporter/internal/translate"
)

// unknownWord is a word that no vendor uses.
const unknownWord = "quite-unheard-of"

// Vocabulary checks that a vocabulary has exactly the words of a table and their meanings, whatever their case, and that a word of no
// vendor means other, is counted each time and logged once.
func Vocabulary[T comparable](t testing.TB, v translate.Vocabulary[T], words map[string]T, other T) {
	t.Helper()
	for _, word := range slices.Sorted(maps.Keys(v.Words)) {
		if _, ok := words[word]; !ok {
			t.Errorf("%s: the test says nothing about %q", v.Name, word)
		}
	}
	var logged bytes.Buffer
	unknown := translate.NewUnknownWords(slog.New(slog.NewTextHandler(&logged, nil)))
	for _, word := range slices.Sorted(maps.Keys(words)) {
		for _, spelled := range []string{word, strings.ToUpper(word)} {
			if got := v.Of(unknown, spelled); got != words[word] {
				t.Errorf("%s: %q means %v, want %v", v.Name, spelled, got, words[word])
			}
		}
	}
	if unknown := unknown.List(); len(unknown) > 0 {
		t.Errorf("%s does not know %v", v.Name, unknown)
	}
	for range 2 {
		if got := v.Of(unknown, unknownWord); got != other {
			t.Errorf("%s: an unknown word means %v, want %v", v.Name, got, other)
		}
	}
	if n := unknown.Counts()[translate.UnknownWord{Vocabulary: v.Name, Word: unknownWord}]; n != 2 || v.Name == "" {
		t.Errorf("%s: an unknown word was met twice and counted %d times", v.Name, n)
	}
	if n := strings.Count(logged.String(), unknownWord); n != 1 {
		t.Errorf("%s: an unknown word was logged %d times, want once", v.Name, n)
	}
}
