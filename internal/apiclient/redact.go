package apiclient

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// redactor knows the credentials that were sent last and removes them from texts that a server or a library may have put them into, in whatever encoding.
type redactor struct {
	mu      sync.Mutex
	secrets []secretForms
}

// secretForms is a secret and the forms in which it may be found, the longest first.
type secretForms struct {
	value string
	forms []string
}

const (
	// redactedSecrets bounds what is remembered: an App has a token for each installation.
	redactedSecrets = 64
	shortestSecret  = 6
	redacted        = "<redacted>"
)

// credentialHeader matches the names of headers that carry a credential, whoever sets them.
var credentialHeader = regexp.MustCompile(`(?i)authorization|cookie|token|secret|passw|api-?key|\bkey\b|credential|signature`)

// learnRequest takes up the credentials in the headers of a request: in those named, and in every other that is named like one.
func (r *redactor) learnRequest(header http.Header, named []string) {
	for name, values := range header {
		if !slices.Contains(named, name) && !credentialHeader.MatchString(name) {
			continue
		}
		for _, value := range values {
			r.learn(value)
		}
	}
}

// learn takes up the value of a header: the whole, and what follows its scheme; of Basic also the password.
func (r *redactor) learn(header string) {
	found := []string{header}
	if scheme, value, ok := strings.Cut(header, " "); ok {
		found = []string{value}
		if decoded, err := base64.StdEncoding.DecodeString(value); err == nil && strings.EqualFold(scheme, "Basic") {
			if _, password, ok := strings.Cut(string(decoded), ":"); ok {
				found = append(found, string(decoded), password)
			}
		}
	}
	for _, secret := range found {
		r.add(secret)
	}
}

// add takes up a secret.
func (r *redactor) add(secret string) {
	if len(secret) < shortestSecret {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.ContainsFunc(r.secrets, func(s secretForms) bool { return s.value == secret }) {
		return
	}
	r.secrets = append(r.secrets, secretForms{secret, formsOf(secret)})
	if len(r.secrets) > redactedSecrets {
		r.secrets = slices.Delete(r.secrets, 0, 1)
	}
}

// formsOf are the encodings of a secret that can be written down; clean looks for others.
func formsOf(secret string) []string {
	forms := []string{secret, url.QueryEscape(secret), url.PathEscape(secret)}
	if quoted, err := json.Marshal(secret); err == nil {
		forms = append(forms, strings.Trim(string(quoted), `"`))
	}
	forms = append(forms, base64Cores(secret)...)
	for _, form := range slices.Clone(forms) {
		forms = append(forms, lowerEscapes(form))
	}
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(forms)
}

var escapeSequence = regexp.MustCompile(`%[0-9A-F]{2}`)

func lowerEscapes(s string) string { return escapeSequence.ReplaceAllStringFunc(s, strings.ToLower) }

// shortestCore bounds base64Cores: what is shorter may be a part of any word.
const shortestCore = 8

// base64Cores is what every base64 text that holds a secret contains, wherever in it the secret begins: three bytes make four characters, so there are
// three ways, and the characters at either end that depend on the neighbours are left out.
func base64Cores(secret string) []string {
	var cores []string
	for offset := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", offset) + secret))
		first := (offset*8 + 5) / 6
		last := (offset + len(secret)) * 8 / 6
		if last-first < shortestCore {
			continue
		}
		core := encoded[first:last]
		cores = append(cores, core, strings.NewReplacer("+", "-", "/", "_").Replace(core))
	}
	return cores
}

var (
	// address matches an address with what may hold a secret: the user part and the query.
	address = regexp.MustCompile(`(?i)\b([a-z][a-z0-9+.-]*://)([^\s/?#"'<>@]*@)?([^\s?#"'<>]*)(\?[^\s"'<>]*)?`)
	// encodedText matches what may be a text in percent encoding or base64.
	encodedText = regexp.MustCompile(`[A-Za-z0-9%+/_.~=-]{8,}`)
)

// clean removes the known secrets in any encoding, and the user parts and queries of addresses.
func (r *redactor) clean(text string) string {
	text = address.ReplaceAllStringFunc(text, cleanAddress)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, secret := range r.secrets {
		for _, form := range secret.forms {
			text = strings.ReplaceAll(text, form, redacted)
		}
	}
	return encodedText.ReplaceAllStringFunc(text, func(word string) string {
		if r.hides(word) {
			return redacted
		}
		return word
	})
}

func cleanAddress(found string) string {
	parts := address.FindStringSubmatch(found)
	scheme, user, rest, query := parts[1], parts[2], parts[3], parts[4]
	if user != "" {
		user = redacted + "@"
	}
	if query != "" {
		query = "?" + redacted
	}
	return scheme + user + rest + query
}

// hides reports whether a word is a secret in percent encoding, once or several times over, or base64, of whatever alphabet.
func (r *redactor) hides(word string) bool {
	candidates := []string{word}
	for range 3 {
		last := candidates[len(candidates)-1]
		decoded, err := url.QueryUnescape(strings.ReplaceAll(last, "+", "%2B"))
		if err != nil || decoded == last {
			break
		}
		candidates = append(candidates, decoded)
	}
	for _, candidate := range slices.Clone(candidates) {
		plain := strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(candidate), "=")
		if decoded, err := base64.RawStdEncoding.DecodeString(plain); err == nil {
			candidates = append(candidates, string(decoded))
		}
	}
	for _, candidate := range candidates[1:] {
		for _, secret := range r.secrets {
			if strings.Contains(candidate, secret.value) {
				return true
			}
		}
	}
	return false
}
