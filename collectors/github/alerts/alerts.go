// Package alerts reads what GitHub's scanners find (Dependabot, code scanning, secret scanning), which of them run in each repository and when they last did.
//
// It may import api, part and inventory. A further field of an alert goes into the file of its kind (dependabot.go, code_scanning.go, secret_scanning.go), with
// a case in its test; a further kind of alert is a file and a line in alertSources.
package alerts

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/collectors/github/part"
	"prodsec_exporter/internal/record"
)

// Kind names a kind of security alert in the configuration.
type Kind string

// The kinds of alert. A kind is also the first part of its scopes' names.
const (
	Dependabot     Kind = "dependabot"
	CodeScanning   Kind = "code_scanning"
	SecretScanning Kind = "secret_scanning"
)

// Kinds lists every kind of alert.
func Kinds() []Kind { return []Kind{Dependabot, CodeScanning, SecretScanning} }

// The first parts of the names of the other scopes.
const (
	scopeAnalyses               = "scanning"
	scopeSecurityConfigurations = "security_configurations"
	scopeReviewRequests         = "review_requests"
)

// securityEventsPermission is what reading code scanning needs.
const securityEventsPermission = "security_events=read"

// Config is the part of the configuration about alerts and scans.
type Config struct {
	// Kinds are the kinds of alert to read; all by default.
	Kinds []Kind `yaml:"alerts,omitempty"`
	// GenericSecretTypes are the types of secret that GitHub lists only where they are named: generic patterns and passwords. Those that are known by default.
	GenericSecretTypes []string `yaml:"generic_secret_types,omitempty"`
	// CodeQuality takes in code scanning alerts of rules that are not about security; off by default.
	CodeQuality bool `yaml:"code_quality"`
	// ExcludeClassifications leave out code scanning alerts in code of these kinds, such as test or generated; none by default.
	ExcludeClassifications []string `yaml:"exclude_classifications,omitempty"`
	// Manifests looks whether the default branch still has what open Dependabot alerts are about; on by default.
	Manifests bool `yaml:"manifests"`
	// Scanning switches when each repository was last scanned by what uploads to code scanning; it needs the list of repositories.
	Scanning bool `yaml:"scanning"`
	// SecurityConfigurations is off by default, because it takes a permission that others do not.
	SecurityConfigurations bool `yaml:"security_configurations"`
	// ReviewRequests reads requests to push a secret past push protection, and to dismiss the alert about one, as reviews; off by default, because it takes permissions that others
	// do not.
	ReviewRequests bool `yaml:"review_requests"`
}

// Default reads all but security configurations.
func Default() Config {
	return Config{Kinds: Kinds(), Manifests: true, Scanning: true, GenericSecretTypes: genericSecretTypes()}
}

// Validate returns an error that names the key that is wrong.
func (c *Config) Validate() error {
	for i, kind := range c.Kinds {
		if !slices.Contains(Kinds(), kind) {
			return fmt.Errorf("alerts[%d]: %q is not one of %v", i, kind, Kinds())
		}
	}
	for i, name := range c.GenericSecretTypes {
		if !secretTypeName.MatchString(name) {
			return fmt.Errorf("generic_secret_types[%d]: %q is not the name of a secret type, such as rsa_private_key", i, name)
		}
	}
	for i, name := range c.ExcludeClassifications {
		if strings.TrimSpace(name) == "" {
			return fmt.Errorf("exclude_classifications[%d] is empty: name a classification, such as test or generated", i)
		}
	}
	return nil
}

// Collector reads alerts and scans.
type Collector struct {
	part.Env
	config    Config
	inventory *inventory.Inventory
	state     *part.State[organisation]
}

var _ part.Collector = (*Collector)(nil)

// organisation is what is remembered of an organisation.
type organisation struct {
	// sweepPages is how many pages the last full sweep of each kind of alert took.
	sweepPages map[Kind]int
	// spent is the mean of what looks for changes of each kind took of late.
	spent map[Kind]float64
	// deleted are the manifests that were gone at the last sweep, and when they went; manifests is how many were looked for.
	deleted   map[manifest]time.Time
	manifests int
}

// New makes a collector that remembers nothing yet.
func New(config Config, env part.Env, repositories *inventory.Inventory) *Collector {
	return &Collector{
		Env: env, config: config, inventory: repositories,
		state: part.NewState(func() organisation { return organisation{sweepPages: map[Kind]int{}, spent: map[Kind]float64{}} }),
	}
}

// manifest is a file that alerts are about.
type manifest struct {
	repository record.RepositoryName
	path       string
}

// genericSecretTypes are the types of secret that GitHub's lists leave out unless they are named: patterns of no provider, and passwords.
func genericSecretTypes() []string {
	return []string{
		"ec_private_key", "generic_private_key", "http_basic_authentication_header", "http_bearer_authentication_header", "mongodb_connection_string", "mysql_connection_string",
		"openssh_private_key", "password", "pgp_private_key", "postgres_connection_string", "rsa_private_key",
	}
}

// secretTypeName is the form of a secret type's name.
var secretTypeName = regexp.MustCompile(`^[a-z0-9_]{1,100}$`)
