package apiclient

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"
)

// Secret says where a credential is kept. The credential itself is never part of it, so that configuration can be
// printed and compared. Exactly one field is set.
type Secret struct {
	// File is the path of a file that holds the secret; one line break at its end and a byte order mark at its beginning are ignored.
	File string `yaml:"file,omitempty" json:"file,omitempty"`
	// Env is the name of an environment variable that holds the secret.
	Env string `yaml:"env,omitempty" json:"env,omitempty"`
}

const maxSecret = 64 << 10

// tokenShaped recognises credentials that were written where their place should be named.
var tokenShaped = regexp.MustCompile(`^(gh[a-z]_|github_pat_|ATATT|ATCTT|glpat-|xox[a-z]-|sq[a-z]_|snyk_|-----BEGIN|Bearer |Basic )`)

// IsZero reports whether no place is named at all.
func (s Secret) IsZero() bool { return s == Secret{} }

// Validate checks that exactly one place is named, without looking there.
func (s Secret) Validate() error {
	switch {
	case s.File == "" && s.Env == "":
		return errors.New("no secret is named: set file or env")
	case s.File != "" && s.Env != "":
		return errors.New("a secret is named twice: set either file or env")
	case tokenShaped.MatchString(s.File) || tokenShaped.MatchString(s.Env):
		return errors.New("a secret was written into the configuration: put it into a file and name the file")
	}
	return nil
}

// Read returns the secret as it is now; it is read anew each time, so that a rotated secret is used at once. Errors
// name the place and the remedy, never the value.
func (s Secret) Read() (string, error) {
	if err := s.Validate(); err != nil {
		return "", err
	}
	if s.Env != "" {
		value := strings.TrimSuffix(os.Getenv(s.Env), "\n")
		if value == "" {
			return "", fmt.Errorf("environment variable %s is not set or empty: set it to the secret", s.Env)
		}
		return value, nil
	}
	return s.readFile()
}

func (s Secret) readFile() (string, error) {
	file, err := os.Open(s.File)
	if err != nil {
		return "", fmt.Errorf("read secret: %w: name a file that this process may read", err)
	}
	defer file.Close() //nolint:errcheck // Opened for reading only.
	data, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("read secret: %w: name a file that holds the secret", err)
	}
	// Editors of some systems begin a file with a byte order mark.
	value := strings.TrimPrefix(strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"), "\ufeff")
	switch {
	case value == "":
		return "", fmt.Errorf("secret file %s is empty: write the secret into it", s.File)
	case len(data) > maxSecret:
		return "", fmt.Errorf("secret file %s is larger than %d bytes: that is not a credential", s.File, maxSecret)
	}
	return value, nil
}

// String names the place.
func (s Secret) String() string {
	switch {
	case s.IsZero():
		return "<no secret>"
	case s.Validate() != nil:
		return "<secret, wrongly configured>"
	case s.File != "":
		return "<secret in file " + s.File + ">"
	default:
		return "<secret in environment variable " + s.Env + ">"
	}
}

// GoString is String, so that %#v shows no more.
func (s Secret) GoString() string { return s.String() }

// LogValue is String for logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalYAML writes the place, and hides a credential that was put there by mistake.
func (s Secret) MarshalYAML() (any, error) {
	type plain Secret
	if tokenShaped.MatchString(s.File) {
		s.File = "<masked>"
	}
	if tokenShaped.MatchString(s.Env) {
		s.Env = "<masked>"
	}
	return plain(s), nil
}
