package translate

import (
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"

	"prodsec_exporter/internal/record"
)

// Vocabulary maps the words of one enumeration of a vendor, in lower case, to what they mean in records.
type Vocabulary[T any] struct {
	// Name says which words these are, e.g. "snyk issue type".
	Name string
	// Words are all that the vendor documents. The empty word may be one of them.
	Words map[string]T
	// Other is the meaning of every word that is not documented.
	Other T
}

// Of is the meaning of a word, without regard to case. A word that is not in the table is told to unknown, which may be nil.
func (v Vocabulary[T]) Of(unknown *UnknownWords, word string) T {
	folded := strings.ToLower(strings.TrimSpace(word))
	if meaning, ok := v.Words[folded]; ok {
		return meaning
	}
	if unknown != nil {
		unknown.notice(v.Name, folded)
	}
	return v.Other
}

// maxUnknownWords bounds what is remembered, since the words come from outside.
const maxUnknownWords = 256

// UnknownWords counts the words that no vocabulary knows, and logs each once. It is safe for concurrent use.
type UnknownWords struct {
	logger *slog.Logger

	mu   sync.Mutex
	seen map[UnknownWord]int
}

// UnknownWord is an unknown word and the vocabulary that lacks it.
type UnknownWord struct {
	Vocabulary string
	Word       string
}

// NewUnknownWords makes a counter that warns to a logger.
func NewUnknownWords(logger *slog.Logger) *UnknownWords {
	return &UnknownWords{logger: logger, seen: map[UnknownWord]int{}}
}

func (s *UnknownWords) notice(vocabulary, word string) {
	key := UnknownWord{Vocabulary: vocabulary, Word: record.Text(word)}
	s.mu.Lock()
	count, known := s.seen[key]
	if !known && len(s.seen) >= maxUnknownWords {
		key = UnknownWord{Vocabulary: vocabulary, Word: "(many)"}
		count, known = s.seen[key]
	}
	s.seen[key] = count + 1
	s.mu.Unlock()
	if !known {
		s.logger.Warn("The source uses a word that this collector does not know", "vocabulary", key.Vocabulary, "word", key.Word)
	}
}

// Counts is how often each unknown word was met.
func (s *UnknownWords) Counts() map[UnknownWord]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.seen)
}

// List is the unknown words in a stable order, for people.
func (s *UnknownWords) List() []UnknownWord {
	counts := s.Counts()
	return slices.SortedFunc(maps.Keys(counts), func(a, b UnknownWord) int {
		return strings.Compare(a.Vocabulary+"\x00"+a.Word, b.Vocabulary+"\x00"+b.Word)
	})
}
