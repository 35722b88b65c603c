package jira

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/internal/demo/answer"
)

// jql is a parsed query: which issues it selects and how they are sorted.
type jql struct {
	matches func(issue) bool
	// bounded says that some clause narrows the result, which Jira Cloud demands.
	bounded bool
	byField string
	order   answer.Order
}

// parseJQL reads the part of JQL that the demo understands: comparisons of project, issuetype, status, key, created and updated, joined by AND, OR and
// NOT, and ORDER BY. Anything else is an error, as an unknown field is in Jira.
func parseJQL(text string, now time.Time) (*jql, error) {
	words, err := jqlWords(text)
	if err != nil {
		return nil, err
	}
	p := &jqlParser{words: words, now: now}
	q := &jql{matches: func(issue) bool { return true }, byField: "created"}
	if len(words) > 0 && !p.is("order") {
		q.bounded = true
		if q.matches, err = p.any(); err != nil {
			return nil, err
		}
	}
	if p.accept("order") {
		if err := p.orderBy(q); err != nil {
			return nil, err
		}
	}
	if !p.done() {
		return nil, jqlErrorf("Error in the JQL Query: Expecting either 'OR' or 'AND' but got '%s'.", p.words[0].text)
	}
	q.order.Updated = q.byField == "updated"
	return q, nil
}

// jqlError is what Jira says about a wrong query, in its own words.
type jqlError string

// Error is the message.
func (e jqlError) Error() string { return string(e) }

func jqlErrorf(format string, args ...any) error { return jqlError(fmt.Sprintf(format, args...)) }

// word is a token of JQL; a quoted one is never an operator.
type word struct {
	text   string
	quoted bool
}

func jqlWords(text string) ([]word, error) {
	var words []word
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '"' || c == '\'':
			end := strings.IndexByte(text[i+1:], c)
			if end < 0 {
				return nil, jqlError("Error in the JQL Query: The quoted string has not been completed.")
			}
			words = append(words, word{text[i+1 : i+1+end], true})
			i += end + 2
		case strings.IndexByte("(),", c) >= 0:
			words = append(words, word{text: string(c)})
			i++
		default:
			operator := strings.IndexByte("=<>!~", c) >= 0
			end := i + 1
			for end < len(text) && strings.IndexByte(" \t\r\n(),\"'", text[end]) < 0 && strings.IndexByte("=<>!~", text[end]) >= 0 == operator {
				end++
			}
			words = append(words, word{text: text[i:end]})
			i = end
		}
	}
	return words, nil
}

type jqlParser struct {
	words []word
	now   time.Time
}

func (p *jqlParser) done() bool { return len(p.words) == 0 }

func (p *jqlParser) is(keyword string) bool {
	return !p.done() && !p.words[0].quoted && strings.EqualFold(p.words[0].text, keyword)
}

func (p *jqlParser) accept(keyword string) bool {
	if p.is(keyword) {
		p.words = p.words[1:]
		return true
	}
	return false
}

func (p *jqlParser) next() (word, error) {
	if p.done() {
		return word{}, jqlError("Error in the JQL Query: The query ends too early.")
	}
	w := p.words[0]
	p.words = p.words[1:]
	return w, nil
}

func (p *jqlParser) any() (func(issue) bool, error) {
	left, err := p.all()
	for err == nil && p.accept("or") {
		var right func(issue) bool
		if right, err = p.all(); err == nil {
			before := left
			left = func(i issue) bool { return before(i) || right(i) }
		}
	}
	return left, err
}

func (p *jqlParser) all() (func(issue) bool, error) {
	left, err := p.one()
	for err == nil && p.accept("and") {
		var right func(issue) bool
		if right, err = p.one(); err == nil {
			before := left
			left = func(i issue) bool { return before(i) && right(i) }
		}
	}
	return left, err
}

func (p *jqlParser) one() (func(issue) bool, error) {
	switch {
	case p.accept("not"):
		inner, err := p.one()
		return func(i issue) bool { return !inner(i) }, err
	case p.accept("("):
		inner, err := p.any()
		if err == nil && !p.accept(")") {
			err = jqlError("Error in the JQL Query: Expecting ')'.")
		}
		return inner, err
	default:
		return p.clause()
	}
}

// clause reads a comparison.
func (p *jqlParser) clause() (func(issue) bool, error) {
	field, err := p.next()
	if err != nil {
		return nil, err
	}
	operator, err := p.next()
	if err != nil {
		return nil, err
	}
	negated := strings.EqualFold(operator.text, "not")
	if negated {
		if operator, err = p.next(); err != nil {
			return nil, err
		}
	}
	values, err := p.values(strings.EqualFold(operator.text, "in"))
	if err != nil {
		return nil, err
	}
	name := strings.ToLower(field.text)
	if name == "updated" || name == "created" {
		return p.dated(name, operator.text, values[0])
	}
	read, ok := issueTexts[name]
	if !ok {
		return nil, jqlErrorf("Field '%s' does not exist or you do not have permission to view it.", field.text)
	}
	switch strings.ToLower(operator.text) {
	case "=", "in":
	case "!=":
		negated = !negated
	default:
		return nil, jqlErrorf("The operator '%s' is not supported by the '%s' field.", operator.text, field.text)
	}
	return func(i issue) bool {
		return negated != slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, read(i)) })
	}, nil
}

func (p *jqlParser) values(list bool) ([]string, error) {
	if !list {
		w, err := p.next()
		return []string{w.text}, err
	}
	if !p.accept("(") {
		return nil, jqlError("Error in the JQL Query: Expecting '('.")
	}
	var values []string
	for {
		w, err := p.next()
		if err != nil {
			return nil, err
		}
		values = append(values, w.text)
		if p.accept(")") {
			return values, nil
		}
		if !p.accept(",") {
			return nil, jqlError("Error in the JQL Query: Expecting ')'.")
		}
	}
}

// dated compares a date, which Jira does by the minute.
func (p *jqlParser) dated(field, operator, value string) (func(issue) bool, error) {
	at, err := p.date(value)
	if err != nil {
		return nil, err
	}
	compare, ok := map[string]func(int) bool{
		">=": func(c int) bool { return c >= 0 }, ">": func(c int) bool { return c > 0 },
		"<=": func(c int) bool { return c <= 0 }, "<": func(c int) bool { return c < 0 },
	}[operator]
	if !ok {
		return nil, jqlErrorf("The operator '%s' is not supported by the '%s' field.", operator, field)
	}
	return func(i issue) bool {
		when := i.created
		if field == "updated" {
			when = i.updated
		}
		return compare(when.Truncate(time.Minute).Compare(at))
	}, nil
}

func (p *jqlParser) date(value string) (time.Time, error) {
	for _, form := range []string{"2006-01-02 15:04", "2006/01/02 15:04", "2006-01-02", "2006/01/02"} {
		if at, err := time.Parse(form, value); err == nil {
			return at, nil
		}
	}
	units := map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}
	var n int
	var unit string
	if _, err := fmt.Sscanf(value, "%d%s", &n, &unit); err == nil && units[unit] > 0 {
		return p.now.Add(time.Duration(n) * units[unit]).Truncate(time.Minute), nil
	}
	return time.Time{}, jqlErrorf("Date value '%s' for field is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm'.", value)
}

func (p *jqlParser) orderBy(q *jql) error {
	if !p.accept("by") {
		return jqlError("Error in the JQL Query: Expecting 'by'.")
	}
	q.order.Ascending = true
	for first := true; ; first = false {
		w, err := p.next()
		if err != nil {
			return err
		}
		name := strings.ToLower(w.text)
		if !slices.Contains([]string{"updated", "created", "key", "id"}, name) {
			return jqlErrorf("Not able to sort using field '%s'.", w.text)
		}
		descending := p.accept("desc")
		if !descending {
			p.accept("asc")
		}
		if first {
			q.byField, q.order.Ascending = name, !descending
		}
		if !p.accept(",") {
			return nil
		}
	}
}
