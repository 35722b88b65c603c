package backstage

import (
	"errors"
	"fmt"
	"strings"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// Field says where a fact stands for which Backstage has no field of its own.
type Field struct {
	// From are places, the first that says something decides: "annotation:<key>", "label:<key>" or "tag:<name>". A tag may end
	// in *, which stands for the value: "tag:tier-*".
	From []string `yaml:"from,omitempty"`
	// Values translates Backstage's words, without regard to case, into those of trust_tiers or into yes and no.
	Values map[string]string `yaml:"values,omitempty"`
}

// field is a checked Field.
type field struct {
	name   string
	places []place
	values map[string]string
}

// place is where a value may stand.
type place struct {
	kind placeKind
	key  string
	// rest says that the key is the beginning of a tag and the value what follows.
	rest bool
}

type placeKind string

const (
	placeAnnotation placeKind = "annotation"
	placeLabel      placeKind = "label"
	placeTag        placeKind = "tag"
)

// newField checks a field. The values of a flag are yes or no.
func newField(name string, from Field, flag bool) (field, error) {
	f := field{name: name, values: map[string]string{}}
	if len(from.From) == 0 && len(from.Values) > 0 {
		return f, errors.New(`values translate nothing without a place; add "from"`)
	}
	for _, text := range from.From {
		p, err := newPlace(text)
		if err != nil {
			return f, err
		}
		f.places = append(f.places, p)
	}
	for word, meaning := range from.Values {
		if flag && !answers[strings.ToLower(meaning)].Known() {
			return f, fmt.Errorf("values: %q must be \"yes\" or \"no\"", meaning)
		}
		f.values[strings.ToLower(word)] = meaning
	}
	return f, nil
}

func newPlace(text string) (place, error) {
	kind, key, _ := strings.Cut(text, ":")
	p := place{kind: placeKind(kind), key: key}
	switch p.kind {
	case placeTag:
		p.key, p.rest = strings.CutSuffix(strings.ToLower(key), "*")
	case placeAnnotation, placeLabel:
	default:
		key = ""
	}
	if key == "" || strings.Contains(p.key, "*") {
		return p, fmt.Errorf(`from: %q is not a place such as "annotation:example.com/tier", "label:tier", "tag:public" or "tag:tier-*"`, text)
	}
	return p, nil
}

// in is the value that a place has in an entity, empty if it has none.
func (p place) in(e *entity) string {
	switch p.kind {
	case placeAnnotation:
		return e.Metadata.Annotations[p.key]
	case placeLabel:
		return e.Metadata.Labels[p.key]
	case placeTag:
		for _, tag := range e.Metadata.Tags {
			if rest, ok := strings.CutPrefix(strings.ToLower(tag), p.key); ok && p.rest && rest != "" {
				return rest
			} else if ok && !p.rest && rest == "" {
				return tag
			}
		}
	}
	return ""
}

// text is the fact in the organisation's words; empty if no place says anything.
func (f field) text(e *entity) string {
	for _, p := range f.places {
		word := record.Text(p.in(e))
		if word == "" {
			continue
		}
		if meaning, ok := f.values[strings.ToLower(word)]; ok {
			return record.Text(meaning)
		}
		return word
	}
	return ""
}

// answers are the words for yes and no.
var answers = map[string]record.Answer{
	"yes": record.AnswerYes, "true": record.AnswerYes, "1": record.AnswerYes, "on": record.AnswerYes,
	"no": record.AnswerNo, "false": record.AnswerNo, "0": record.AnswerNo, "off": record.AnswerNo,
	"": record.AnswerUnknown, "unknown": record.AnswerUnknown,
}

// answer is the fact as a yes or no. A plain tag that is there means yes; one that is not there means nothing: nobody has to tag
// what is not so.
func (f field) answer(e *entity, unknown *translate.UnknownWords) record.Answer {
	words := translate.Vocabulary[record.Answer]{Name: "backstage " + f.name, Words: answers, Other: record.AnswerUnknown}
	for _, p := range f.places {
		word := p.in(e)
		meaning, translated := f.values[strings.ToLower(word)]
		switch {
		case word == "":
			continue
		case translated:
			return answers[strings.ToLower(meaning)]
		case p.kind == placeTag && !p.rest:
			return record.AnswerYes
		default:
			return words.Of(unknown, word)
		}
	}
	return record.AnswerUnknown
}
