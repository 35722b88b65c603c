package jira

import (
	"cmp"
	"encoding/json"
	"time"

	"prodsec_exporter/internal/record"
)

// issue is an issue as far as it is read.
type issue struct {
	id, key string
	// identity is what its record is known by; firstKey the key that the changelog says it was created under, firstKeyAt the place of that entry.
	identity     string
	firstKey     string
	firstKeyAt   int64
	summary      string
	status       status
	resolution   string
	resolutionID string
	created      time.Time
	updated      time.Time
	resolved     time.Time
	raw          map[string]json.RawMessage
	fields       resolved
	// zone is where plain dates are days; read is when the issue was.
	zone *time.Location
	read time.Time

	followed followed
	// changes are the changes of status, oldest first; edits those of the other fields that are followed, by id.
	changes []change
	edits   map[string][]edit
	// partial says that the changelog was not given, or not all of it.
	partial bool

	// warnings are what is not understood in its fields.
	warnings []warning
	// answered is the first response, of mappings that ask for it.
	answered time.Time
	// garbled says that the issue's changes or comments, which are asked for apart, cannot be understood.
	garbled bool
}

// loose is a text of which nothing depends on its form: null is no text, and what is none is kept as it is written.
type loose string

// UnmarshalJSON never fails.
func (l *loose) UnmarshalJSON(data []byte) error {
	var s *string
	switch err := json.Unmarshal(data, &s); {
	case err != nil:
		*l = loose(data)
	case s == nil:
		*l = ""
	default:
		*l = loose(*s)
	}
	return nil
}

// readIssue decodes one issue, or says why it cannot be taken up. What f names is kept of its changelog, if that came along.
func readIssue(data json.RawMessage, r resolved, f followed) (*issue, record.RejectReason) {
	var wire struct {
		ID        string                     `json:"id"`
		Key       string                     `json:"key"`
		Fields    map[string]json.RawMessage `json:"fields"`
		Changelog *struct {
			Total     int               `json:"total"`
			Histories []json.RawMessage `json:"histories"`
		} `json:"changelog"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return nil, record.RejectDecode
	}
	if wire.Key == "" {
		return nil, record.RejectNoID
	}
	i := &issue{id: cmp.Or(wire.ID, wire.Key), key: record.Text(wire.Key), raw: wire.Fields, fields: r, followed: f}
	if reason := i.readFields(); reason != "" {
		return nil, reason
	}
	if wire.Changelog == nil {
		i.partial = true
		return i, ""
	}
	i.partial = wire.Changelog.Total > len(wire.Changelog.Histories)
	for _, raw := range wire.Changelog.Histories {
		if !i.addHistory(raw) {
			return nil, record.RejectDecode
		}
	}
	i.sortChanges()
	return i, ""
}

// readFields decodes the fields that every mapping has.
func (i *issue) readFields() record.RejectReason {
	for _, t := range []struct {
		name string
		into *time.Time
	}{{"created", &i.created}, {"updated", &i.updated}, {"resolutiondate", &i.resolved}} {
		var m moment
		if raw := i.raw[t.name]; len(raw) > 0 {
			if err := m.UnmarshalJSON(raw); err != nil {
				return record.RejectTimestamp
			}
		}
		*t.into = m.Time
	}
	var resolution struct {
		ID   loose  `json:"id"`
		Name string `json:"name"`
	}
	for _, part := range []struct {
		name string
		into any
	}{{"summary", &i.summary}, {"status", &i.status}, {"resolution", &resolution}} {
		if raw := i.raw[part.name]; len(raw) > 0 {
			if err := json.Unmarshal(raw, part.into); err != nil {
				return record.RejectDecode
			}
		}
	}
	i.resolution, i.resolutionID = resolution.Name, string(resolution.ID)
	return ""
}

// known is what the issue's record is known by.
func (i *issue) known() string { return cmp.Or(i.identity, i.key) }

// text and list read a field of the mapping; a field that is not there has no values.
func (i *issue) list(f *field) []string { return f.values(i.raw[i.fields[f]]) }

func (i *issue) text(f *field) string {
	if all := i.list(f); len(all) > 0 {
		return record.Text(all[0])
	}
	return ""
}

// issueKey reads a field that names another issue: the key of the parent, of the first linked issue, or what a text field says.
func (i *issue) issueKey(f *field) string {
	var parent struct {
		Key string `json:"key"`
	}
	if raw := i.raw[i.fields[f]]; len(raw) > 0 && json.Unmarshal(raw, &parent) == nil && parent.Key != "" {
		return record.Text(parent.Key)
	}
	return i.text(f)
}

// moment reads a field that holds a time, or an SLA of which the purpose of the field tells an instant.
func (i *issue) moment(f *field) (moment, error) {
	var m moment
	raw := i.raw[i.fields[f]]
	if len(raw) == 0 {
		return m, nil
	}
	if s := slaOf(raw); s != nil {
		m.Time = s.at(edgeOf(f.purpose))
		return m, nil
	}
	values := f.values(raw)
	if len(values) == 0 {
		return m, nil
	}
	return m, m.parse(values[0])
}
