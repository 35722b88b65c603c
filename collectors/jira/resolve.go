package jira

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"prodsec_exporter/internal/record"
)

// fieldRef is a field as Jira lists it.
type fieldRef struct{ ID, Name string }

func (f fieldRef) String() string { return fmt.Sprintf("%s (%q)", f.ID, f.Name) }

// resolved are the ids of fields by their purpose, e.g. "expires" → "customfield_10107". A purpose without a field is absent.
type resolved map[*field]string

// resolve finds the ids of fields. What was found by its name is remembered: a field that is renamed, deleted or joined by another one of its name does not
// become absent, or another field, in silence.
func (c *Collector) resolve(s *session, fields []*field) (resolved, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := resolved{}
	for _, f := range fields {
		id, err := s.idOf(f, c.bound[f])
		if err != nil {
			c.known = nil // somebody may fix it in Jira: read the fields again next time
			return nil, err
		}
		if id == "" {
			continue
		}
		found[f] = id
		if f.byName() {
			c.bound[f] = fieldRef{id, s.names[id]}
		}
	}
	return found, nil
}

// idOf is the id of a field, which was found as bound before; empty if it is not configured and nothing is called by one of its usual names.
func (s *session) idOf(f *field, bound fieldRef) (string, error) {
	if !f.byName() {
		return f.id, nil
	}
	id := ""
	for _, name := range f.names {
		ids := s.ids[fold(name)]
		if len(ids) > 1 {
			return "", &record.Error{Reason: record.ReasonRejected, Err: fmt.Errorf(
				"field %s: %d fields are named %q (%s); configure the id of the right one as fields.%s", f.purpose, len(ids), name, record.Text(strings.Join(ids, ", ")), f.purpose)}
		}
		if len(ids) == 1 {
			id = ids[0]
			break
		}
	}
	switch {
	case bound.ID != "" && id != bound.ID:
		return "", s.moved(f, bound, id)
	case id == "" && !f.guessed:
		return "", &record.Error{Reason: record.ReasonNotFound, Err: fmt.Errorf(
			"field %s: no field is named %q; check the name, and that the credential's user may see the field", f.purpose, f.names[0])}
	case id == "" && f.likely != nil:
		return "", s.unnamed(f)
	}
	return id, nil
}

// moved says what became of a field that was found by its name before, and which ids there are to choose from.
func (s *session) moved(f *field, bound fieldRef, id string) error {
	what := "does not exist any more, or the credential's user may no longer see it"
	choices := s.likely(f)
	if name, ok := s.names[bound.ID]; ok {
		what = fmt.Sprintf("is named %q now", record.Text(name))
		choices = append([]fieldRef{{bound.ID, name}}, choices...)
	}
	if id != "" {
		what += fmt.Sprintf(", and %s has a name that is looked for", id)
		choices = append(choices, fieldRef{id, s.names[id]})
	}
	return &record.Error{Reason: record.ReasonNotFound, Err: fmt.Errorf("field %s: %s, which was found as %q, %s; configure the id of the right one as fields.%s%s",
		f.purpose, bound.ID, record.Text(bound.Name), what, f.purpose, oneOf(choices))}
}

// unnamed is the error about a field without which records would say too much, where none has a usual name but some may be it.
func (s *session) unnamed(f *field) error {
	choices := s.likely(f)
	if len(choices) == 0 {
		return nil
	}
	return &record.Error{Reason: record.ReasonNotFound, Err: fmt.Errorf("field %s: no field has a usual name (%s), but some look like it; configure the id of the right one as fields.%s%s, or %s if there is none",
		f.purpose, strings.Join(f.names, ", "), f.purpose, oneOf(choices), noField)}
}

// likely are the fields whose names look like the one that is looked for, in the order of their ids.
func (s *session) likely(f *field) []fieldRef {
	var all []fieldRef
	for id, name := range s.names {
		if f.likely != nil && customID.MatchString(id) && slices.Contains(timelike, s.types[id]) && f.likely.MatchString(name) && !f.unlikely.MatchString(name) {
			all = append(all, fieldRef{id, name})
		}
	}
	slices.SortFunc(all, func(a, b fieldRef) int { return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), strings.Compare(a.ID, b.ID)) })
	return all
}

// timelike are the types of fields that can hold a time; where Jira does not tell the type, any can.
var timelike = []string{"", "date", "datetime", "string", "any"}

const mostChoices = 10

// oneOf is the end of a sentence that offers fields.
func oneOf(choices []fieldRef) string {
	slices.SortFunc(choices, func(a, b fieldRef) int { return strings.Compare(a.ID, b.ID) })
	choices = slices.Compact(choices)
	if len(choices) == 0 {
		return ""
	}
	texts := make([]string, 0, mostChoices)
	for _, choice := range choices[:min(len(choices), mostChoices)] {
		texts = append(texts, record.Text(choice.String()))
	}
	return ": " + strings.Join(texts, ", ")
}

// The names that fields for an end have, and those of fields that end something else.
var (
	endWords  = regexp.MustCompile(`(?i)\bexpir|\bends?$|\bends? (date|day|time|on|at)\b|\bend of (the )?(exception|acceptance|approval|validity|waiver)|\buntil\b|\bvalid (through|to)\b|ablauf|gültig bis|befrist|échéance|vencimiento|有效期|到期|期限`)
	otherEnds = regexp.MustCompile(`(?i)\b(target|actual|planned|change|sprint|requested|front|back|high|low|week|month|quarter|year|phase|project|baseline)[- ]?end\b`)
)

// noField is what is configured for a field that there is not.
const noField = "none"
