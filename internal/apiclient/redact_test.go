package apiclient

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestCredentialsAreRedactedInAnyEncoding: whatever a server does to a credential before it writes it into an error, no form of it is shown.
func TestCredentialsAreRedactedInAnyEncoding(t *testing.T) {
	percent := func(s string, format string) string {
		var b strings.Builder
		for _, c := range []byte(s) {
			fmt.Fprintf(&b, format, c)
		}
		return b.String()
	}
	encodings := map[string]func(string) string{
		"plain":              func(s string) string { return s },
		"query":              url.QueryEscape,
		"path":               url.PathEscape,
		"lower-case escapes": func(s string) string { return lowerEscapes(url.QueryEscape(s)) },
		"every byte":         func(s string) string { return percent(s, "%%%02X") },
		"twice":              func(s string) string { return url.QueryEscape(percent(s, "%%%02x")) },
		"base64":             func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"base64 for URLs":    func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
		"base64 after one":   func(s string) string { return base64.StdEncoding.EncodeToString([]byte("a" + s + "bc")) },
		"base64 after two":   func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte("ab" + s + "c")) },
		"base64 in a path":   func(s string) string { return "/x/" + base64.StdEncoding.EncodeToString([]byte("user:"+s)) },
		"base64 in percent":  func(s string) string { return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte("user:" + s))) },
		"JSON":               func(s string) string { quoted, _ := json.Marshal(s); return string(quoted) }, //nolint:errchkjson // A text.
	}
	for _, secret := range []string{testToken, `p&ss w/rd+"=%`, "ünïcödé-geheim", "ATATT3xFfGF0-abc_def=ABCDEF12"} {
		for name, encode := range encodings {
			r := &redactor{}
			r.learn("Bearer " + secret)
			text := "the token " + encode(secret) + " is not known"
			got := r.clean(text)
			if !strings.Contains(got, redacted) || strings.Contains(got, encode(secret)) || !strings.HasPrefix(got, "the token ") || !strings.HasSuffix(got, " is not known") {
				t.Errorf("%s of %q: %q became %q", name, secret, text, got)
			}
		}
	}
}

func TestWhatIsNoCredentialIsKept(t *testing.T) {
	r := &redactor{}
	r.learn("Bearer " + testToken)
	for _, text := range []string{
		"GET https://api.example/repos/acme/api: Not Found (404)", "field customfield_10107: no field is named \"Expires on\"", "dG8gYmUgb3Igbm90IHRvIGJl 100% of acme/api, a+b=c",
	} {
		if got := r.clean(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestAddressesLoseUsersAndQueries(t *testing.T) {
	for text, want := range map[string]string{
		`Get "https://files.example/r.json?sig=abc&se=1": refused`: `Get "https://files.example/r.json?<redacted>": refused`,
		"see https://u:p@proxy.example:3128/x and http://a/b":      "see https://<redacted>@proxy.example:3128/x and http://a/b",
		"postgres://app:hunter2@db/ledger?sslmode=off":             "postgres://<redacted>@db/ledger?<redacted>",
		"what? no address": "what? no address",
	} {
		if got := (&redactor{}).clean(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// TestEveryCredentialHeaderIsLearned: a credential is redacted in whatever header it was sent, also by a vendor's SDK that sets its own.
func TestEveryCredentialHeaderIsLearned(t *testing.T) {
	for _, name := range []string{"Authorization", "X-Api-Key", "X-Auth-Token", "Private-Token", "Cookie", "Proxy-Authorization", "Job-Token", "X-Vault-Secret"} {
		var sent string
		c, _ := newClient(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
			sent = r.Header.Get(name)
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"message": "you sent `+base64.StdEncoding.EncodeToString([]byte("="+testToken))+` and `+testToken+`"}`)
		})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.BaseURL()+"/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(name, testToken)
		if _, err = c.Send(req, nil); err == nil || strings.Contains(err.Error(), testToken) || strings.Count(err.Error(), redacted) != 2 || sent != testToken {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzRedaction: no text shows a secret that was learned, whatever surrounds it.
func FuzzRedaction(f *testing.F) {
	f.Add("before ", " after", uint8(0))
	f.Add("https://x/?a=", "&b", uint8(1))
	f.Add("%41", "%", uint8(2))
	f.Fuzz(func(t *testing.T, before, after string, offset uint8) {
		r := &redactor{}
		r.learn("token " + testToken)
		pad := strings.Repeat("x", int(offset%3))
		for _, form := range []string{testToken, base64.StdEncoding.EncodeToString([]byte(pad + testToken + pad))} {
			if got := r.clean(before + form + after); strings.Contains(got, form) {
				t.Fatalf("%q shows it", got)
			}
		}
	})
}

func TestRedactionIsBounded(t *testing.T) {
	r := &redactor{}
	for n := range 3 * redactedSecrets {
		r.learn(fmt.Sprintf("Bearer token-%d-%d", n, rand.Int64())) //nolint:gosec // Not a credential.
	}
	if len(r.secrets) != redactedSecrets {
		t.Errorf("remembers %d secrets, want %d", len(r.secrets), redactedSecrets)
	}
}
