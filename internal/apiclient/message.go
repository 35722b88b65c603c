package apiclient

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"prodsec_exporter/internal/record"
)

// StatusError is an answer that is not 2xx.
type StatusError struct {
	Code int
	// Message is what the source says about it, in its own words; empty if it says nothing that can be read.
	Message string

	text string
}

// Error names the request, the status and the message.
func (e *StatusError) Error() string { return e.text }

// messageKeys are where APIs say what went wrong, the most telling first. The value is text, or holds it further down.
var messageKeys = []string{"message", "msg", "detail", "details", "errorMessages", "error_description", "description", "errors", "error", "reason", "title", "non_field_errors"}

// maxMessages bounds how many of several messages are kept.
const maxMessages = 3

// messageOf finds what an API says about an error: {"message"}, {"detail"} (Django), {"errors": [{"msg"}]} (SonarQube), {"errors": [{"title", "detail"}]} (JSON:API),
// {"error": {"message"}} (Backstage), {"title", "detail"} (RFC 9457), {"errorMessages": [...]} (Jira), {"field": ["..."]} (Django) and plain text.
func messageOf(h http.Header, data []byte) string {
	if hint := notJSON(h, data); hint != "" {
		return hint
	}
	var answer any
	if json.Unmarshal(data, &answer) != nil {
		if text := strings.TrimSpace(string(data)); strings.HasPrefix(h.Get("Content-Type"), "text/plain") && utf8.ValidString(text) {
			return record.Text(text)
		}
		return ""
	}
	found := messagesIn(answer, 0)
	if len(found) == 0 {
		found = fieldMessages(answer)
	}
	return record.Text(strings.Join(found, "; "))
}

// messagesIn are the texts of an answer, or of a part of one.
func messagesIn(v any, depth int) []string {
	const deepest = 3
	switch v := v.(type) {
	case string:
		if text := strings.TrimSpace(v); text != "" {
			return []string{text}
		}
	case []any:
		var all []string
		for _, item := range v {
			if all = append(all, messagesIn(item, depth+1)...); len(all) >= maxMessages {
				return all[:maxMessages]
			}
		}
		return all
	case map[string]any:
		if depth > deepest {
			return nil
		}
		for _, key := range messageKeys {
			if found := messagesIn(v[key], depth+1); len(found) > 0 {
				return titled(v, key, found)
			}
		}
	}
	return nil
}

// titled puts the title of an error before its detail.
func titled(v map[string]any, key string, found []string) []string {
	if title, ok := v["title"].(string); ok && key == "detail" && title != "" && len(found) == 1 && !strings.Contains(found[0], title) {
		return []string{title + ": " + found[0]}
	}
	return found
}

// fieldMessages are the texts of an object whose keys are fields of the request.
func fieldMessages(v any) []string {
	fields, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	var all []string
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		list, ok := fields[field].([]any)
		if !ok {
			continue
		}
		for _, text := range messagesIn(list, 0) {
			if all = append(all, field+": "+text); len(all) == maxMessages {
				return all
			}
		}
	}
	return all
}

var (
	// credentialKind finds that a kind of credential is refused, credential that the message is about one, permission that one lacks a permission, and echoed a
	// credential that was sent back.
	echoed         = regexp.MustCompile(`(?i)\b\w+\s+` + regexp.QuoteMeta(redacted))
	credentialKind = regexp.MustCompile(`(?i)\b(analysis|scanner|installation|registration|refresh|session|personal access|user|group|bot|static|service)[ -]tokens?\b|` +
		`\b(type|kind) of (token|credential|account|key)\b|\b(token|credential|account|key) (type|kind)\b|\b(token|credential|key|account)s? (cannot|can not|may not) be used\b|` +
		`\b(token|credential|key|account)s? (is|are) not (allowed|supported|enabled|accepted)\b`)
	credential = regexp.MustCompile(`(?i)\b(token|credential|api[ _-]?key|authentication)s?\b`)
	permission = regexp.MustCompile(`(?i)\b(permission|scope|role|privilege)s?\b`)
)

// RefusesCredential reports whether a source says that it refuses the credential itself, or a credential of its kind, and not that a permission is missing.
func (e *StatusError) RefusesCredential() bool {
	message := echoed.ReplaceAllString(e.Message, "")
	return credentialKind.MatchString(message) || credential.MatchString(message) && !permission.MatchString(message)
}
