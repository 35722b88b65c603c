package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUnreadableSecretsHavePlaceAndRemedy(t *testing.T) {
	dir := t.TempDir()
	good, empty, absent := filepath.Join(dir, "good"), filepath.Join(dir, "empty"), filepath.Join(dir, "absent")
	for path, text := range map[string]string{good: "hunter2\n", empty: "\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PRODSEC_TEST_SET", "hunter2")
	t.Setenv("PRODSEC_TEST_EMPTY", "")
	for _, tt := range []struct{ name, token, want string }{
		{"readable file", "{file: " + good + "}", ""},
		{"variable that is set", "{env: PRODSEC_TEST_SET}", ""},
		{"no secret", "{}", ""},
		{"absent file", "{file: " + absent + "}", absent + ": no such file or directory: name a file that this process may read"},
		{"folder", "{file: " + dir + "}", dir + ": is a directory: name a file that holds the secret"},
		{"empty file", "{file: " + empty + "}", "secret file " + empty + " is empty: write the secret into it"},
		{"empty variable", "{env: PRODSEC_TEST_EMPTY}", "environment variable PRODSEC_TEST_EMPTY is not set or empty: set it to the secret"},
		{"unset variable", "{env: PRODSEC_TEST_UNSET}", "environment variable PRODSEC_TEST_UNSET is not set or empty"},
		{"both", "{file: " + good + ", env: PRODSEC_TEST_SET}", "a secret is named twice"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, built, _, err := load("s.yml", []byte("collectors:\n  plain:\n    - {name: first}\n    - name: second\n      token: "+tt.token+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			if got := built[0].UnreadableSecrets(); len(got) > 0 {
				t.Errorf("an instance without secrets: %v", got)
			}
			got := built[1].UnreadableSecrets()
			if tt.want == "" {
				if len(got) > 0 {
					t.Errorf("got %v, want no problem", got)
				}
				return
			}
			if len(got) != 1 || got[0].Line != 5 || got[0].Path != "collectors.plain[1].token" || !strings.Contains(got[0].Message, tt.want) || strings.Contains(got.Error(), "hunter2") {
				t.Errorf("got %v, want s.yml:5 collectors.plain[1].token: %s", got, tt.want)
			}
		})
	}
}

// TestSecretsThatDoNotLookLikeSecrets: what people put into the file instead of the bare value, told without the value.
func TestSecretsThatDoNotLookLikeSecrets(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"bare value", "hunter2\n", ""},
		{"value with a byte order mark", "\ufeffhunter2\n", ""},
		{"value of base64", "aHVudGVyMg==\n", ""},
		{"key in PEM form", "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----\n", ""},
		{"line of an environment file", "GITHUB_TOKEN=hunter2\n", "looks like NAME=value"},
		{"line of a shell script", "export TOKEN=hunter2\n", "looks like NAME=value"},
		{"value in quotes", "\"hunter2\"\n", "is in quotes"},
		{"value in typographic quotes", "“hunter2”\n", "word processor"},
		{"two lines", "hunter2\nhunter2\n", "more than one line"},
		{"line breaks of another system twice", "hunter2\r\n\r\n", "more than one line"},
		{"space behind it", "hunter2 \n", "white space"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, built, _, err := load("s.yml", []byte("collectors:\n  plain:\n    - name: acme\n      token: {file: "+path+"}\n"))
			if err != nil {
				t.Fatal(err)
			}
			got := built[0].DoubtfulSecrets()
			if tt.want == "" {
				if len(got) > 0 {
					t.Errorf("got %v, want no doubt", got)
				}
				return
			}
			if len(got) != 1 || !strings.Contains(got[0].Message, tt.want) || got[0].Line != 4 || strings.Contains(got[0].Error(), "hunter2") {
				t.Errorf("got %v, want %q in line 4 without the secret", got, tt.want)
			}
		})
	}
}

// TestPlacesOfSecretsThatAreWrittenAsInAShell: the remedy is named.
func TestPlacesOfSecretsThatAreWrittenAsInAShell(t *testing.T) {
	for token, want := range map[string]string{
		"{env: $TOKEN}": "without $ and braces", "{env: \"${TOKEN}\"}": "without $ and braces", "{file: ~/token}": "~ is not expanded",
		"{file: $HOME/token}": "variables are not expanded", "{file: “token”}": "typographic quotes",
	} {
		_, built, _, err := load("s.yml", []byte("collectors:\n  plain:\n    - name: acme\n      token: "+token+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := built[0].UnreadableSecrets(); len(got) != 1 || !strings.Contains(got[0].Message, want) {
			t.Errorf("%s: got %v, want %q", token, got, want)
		}
	}
}
