// Package jira reads what an organisation tracks in Jira about its product security: exceptions, security reviews, incidents and their
// follow-up actions, blocked releases and urgent escalations.
//
// It reads Jira Cloud and Jira Data Center through go-jira's client, with requests and structs of its own: go-jira's typed issues
// lose pages on dates and documents that Jira does send. An issue that cannot be understood is left out alone and counted.
//
// A mapping turns issues into records. To read another kind of record from Jira: a mapping in a file of its own, named in Config.mappings.
package jira

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	gojira "github.com/andygrunwald/go-jira"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

const kindName = "jira"

// gateway is the host that scoped tokens, the only kind of token that service accounts have, must be sent to.
const gateway = "https://api.atlassian.com/ex/jira/"

// Deployment says which of Jira's two products answers.
type Deployment string

// The deployments.
const (
	DeploymentAuto       Deployment = "auto"
	DeploymentCloud      Deployment = "cloud"
	DeploymentDataCenter Deployment = "data_center"
)

// Config is the section of one Jira.
type Config struct {
	collectors.Common `yaml:",inline"`
	// URL is where people open Jira, e.g. https://acme.atlassian.net or https://jira.acme.example/jira.
	URL string `yaml:"url"`
	// Deployment is found out by asking Jira unless it is set.
	Deployment Deployment `yaml:"deployment,omitempty"`
	// CloudID sends requests through the gateway for scoped tokens.
	CloudID string     `yaml:"cloud_id,omitempty"`
	Auth    AuthConfig `yaml:"auth"`
	// Exceptions says which issues are exceptions and how to read them.
	Exceptions *ExceptionsConfig `yaml:"exceptions,omitempty"`
	// Reviews, Followups, Incidents and Escalations say the same of the other kinds of record; each entry is a scope of its own.
	Reviews     []ReviewsConfig     `yaml:"reviews,omitempty"`
	Followups   []FollowupsConfig   `yaml:"followups,omitempty"`
	Incidents   []IncidentsConfig   `yaml:"incidents,omitempty"`
	Escalations []EscalationsConfig `yaml:"escalations,omitempty"`
}

// mapping turns issues into records of one kind.
type mapping interface {
	// scope is the name of the mapping's scope.
	scope() string
	// jql selects the issues.
	jql() string
	// fields are the fields to be resolved and asked for.
	fields() []*field
	// start prepares an empty, not nil, list of records in a batch.
	start(*record.Batch)
	// add reads one issue. An empty reason means that it was taken up.
	add(*issue, *record.Batch) record.RejectReason
	// unknown says what stays unknown while the scope cannot be read.
	unknown() string
}

// completer is a mapping that needs more of its issues than a search and the changelog tell.
type completer interface {
	mapping
	// prepare reads what does not depend on issues; anew at each full sweep.
	prepare(ctx context.Context, c *Collector, s *session, anew bool) error
	// complete adds to the issues, which are all of the query if whole is set, and tells of how many it had to ask Jira.
	complete(ctx context.Context, c *Collector, s *session, issues []*issue, whole bool) (asked int, err error)
}

// mappings makes all that is configured. Scopes must differ, else one would replace the records of the other.
func (c *Config) mappings() ([]mapping, error) {
	site := strings.TrimRight(c.URL, "/")
	var exceptional []ExceptionsConfig
	if c.Exceptions != nil {
		exceptional = append(exceptional, *c.Exceptions)
	}
	var all []mapping
	err := errors.Join(
		mapEach(&all, "exceptions", exceptional, site, newExceptions), mapEach(&all, "reviews", c.Reviews, site, newReviews),
		mapEach(&all, "followups", c.Followups, site, newFollowups), mapEach(&all, "incidents", c.Incidents, site, newIncidents),
		mapEach(&all, "escalations", c.Escalations, site, newEscalations),
	)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errors.New("nothing is mapped: say under exceptions, reviews, followups, incidents or escalations which issues are what")
	}
	scopes := map[string]bool{}
	for _, m := range all {
		if scopes[m.scope()] {
			return nil, fmt.Errorf("two mappings have the scope %s: give each a name of its own", m.scope())
		}
		scopes[m.scope()] = true
	}
	return all, nil
}

func mapEach[C any, M mapping](into *[]mapping, key string, configs []C, site string, build func(C, string) (M, error)) error {
	var errs []error
	for _, config := range configs {
		m, err := build(config, site)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
			continue
		}
		*into = append(*into, m)
	}
	return errors.Join(errs...)
}

// Collector reads one Jira. It implements collectors.Collector, collectors.Checker and collectors.Forecaster.
type Collector struct {
	config   Config
	env      collectors.Env
	client   *apiclient.Client
	sdk      *gojira.Client
	mappings []mapping

	mu    sync.Mutex
	known *session
	// bound are the fields that were found by name.
	bound map[*field]fieldRef
	// sight is what the credential sees.
	sight visibility
	// assets are the names of Assets objects.
	assets assets
	// lastWarning is what was last logged about a scope's issues that are not understood.
	lastWarning map[string]string
	// keys are the first keys of issues.
	keys firstKeys
	// former are the names that statuses had before.
	former formerNames
	// extra are the requests that completing issues took in the last collection that was not a full sweep.
	extra float64
}

// New checks the configuration; it sends nothing.
func New(config Config, env collectors.Env) (*Collector, error) {
	auth, err := config.Auth.auth()
	if err != nil {
		return nil, fmt.Errorf("jira: auth: %w", err)
	}
	u, err := url.Parse(config.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errors.New("jira: url must be a full address such as https://acme.atlassian.net")
	}
	switch config.Deployment {
	case "":
		config.Deployment = DeploymentAuto
	case DeploymentAuto, DeploymentCloud, DeploymentDataCenter:
	default:
		return nil, fmt.Errorf("jira: deployment %q is none of auto, cloud, data_center", config.Deployment)
	}
	if (!config.Auth.Bearer.IsZero() || config.Auth.OAuth != nil) && config.CloudID == "" && isCloudSite(u) {
		return nil, errors.New("jira: Jira Cloud takes OAuth tokens through its gateway alone: set cloud_id, which " + u.JoinPath("_edge/tenant_info").String() + " tells")
	}
	base := config.URL
	if config.CloudID != "" {
		if config.Deployment == DeploymentDataCenter {
			return nil, errors.New("jira: cloud_id is for Jira Cloud; remove it or the deployment data_center")
		}
		config.Deployment = DeploymentCloud
		base = gateway + url.PathEscape(config.CloudID)
	}
	client, err := env.Client(apiclient.Options{BaseURL: base, Auth: auth, CacheBytes: -1})
	if err != nil {
		return nil, fmt.Errorf("jira: url: %w", err)
	}
	sdk, err := gojira.NewClient(client.HTTP(), client.BaseURL())
	if err != nil {
		return nil, fmt.Errorf("jira: url: %w", err)
	}
	mappings, err := config.mappings()
	if err != nil {
		return nil, fmt.Errorf("jira: %w", err)
	}
	return &Collector{
		config: config, env: env, client: client, sdk: sdk, mappings: mappings, bound: map[*field]fieldRef{}, lastWarning: map[string]string{},
		sight: visibility{projects: map[string]map[string]bool{}, issues: map[string]int{}},
	}, nil
}

// Kind is the entry for the list of collector kinds.
func Kind() collectors.Kind {
	return collectors.Kind{
		Name:    kindName,
		Summary: "exceptions, security reviews, incidents, follow-ups and escalations from Jira Cloud or Data Center issues",
		Defaults: collectors.Common{
			Interval:     collectors.Duration(5 * time.Minute),
			FullInterval: collectors.Duration(6 * time.Hour),
			StaleAfter:   collectors.Duration(48 * time.Hour),
			Timeout:      collectors.Duration(10 * time.Minute),
		},
		New: collectors.Builder(collectors.Zero[Config], New),
	}
}

// Forecast estimates the requests per hour: a collection without news is one request for the user and one for each mapping; what the
// last one needed for comments on reviews is added.
func (c *Collector) Forecast() map[string]float64 {
	interval := c.config.Interval.Std()
	if interval <= 0 {
		interval = Kind().Defaults.Interval.Std()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return map[string]float64{"": (float64(1+len(c.mappings)) + c.extra) * float64(time.Hour) / float64(interval)}
}
