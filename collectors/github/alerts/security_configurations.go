package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/internal/record"
)

// configurationsPermission is what reading security configurations needs.
const configurationsPermission = "organization_administration=read"

// securityConfiguration is a set of security features that an organisation attaches to repositories. Each feature is enabled, disabled or not_set.
type securityConfiguration struct {
	ID               int64  `json:"id"`
	Enforcement      string `json:"enforcement"`
	CodeScanning     string `json:"code_scanning_default_setup"`
	DependabotAlerts string `json:"dependabot_alerts"`
	SecretScanning   string `json:"secret_scanning"`
	PushProtection   string `json:"secret_scanning_push_protection"`
	PrivateReporting string `json:"private_vulnerability_reporting"`
}

// attachment is a repository in a configuration.
type attachment struct {
	Status     string               `json:"status"`
	Repository inventory.Repository `json:"repository"`
}

// readSecurityConfigurations reads which security configuration each repository has.
func (c *Collector) readSecurityConfigurations(ctx context.Context, org string) record.Batch {
	w := &configurationWalk{
		collector: c, at: map[record.RepositoryName]int{}, path: "orgs/" + url.PathEscape(org) + "/code-security/configurations",
		batch: record.Batch{Mode: record.Full, Repositories: []record.Repository{}, Cursor: c.ReadAt()}, rejected: map[record.RejectReason]int{},
	}
	listed := c.inventory.Repositories(org)
	if c.inventory.Listed() && listed == nil {
		return record.Batch{Err: &record.Error{Reason: record.ReasonOther, Err: errors.New("which repositories exist could not be read")}}
	}
	configurations, err := w.configurations(ctx)
	for i := 0; err == nil && i < len(configurations); i++ {
		err = w.repositories(ctx, &configurations[i])
	}
	if err != nil {
		return record.Batch{Err: api.ScopeError(err, configurationsPermission)}
	}
	if len(w.rejected) > 0 {
		w.batch.Rejected = w.rejected
		return w.batch
	}
	// All that every configuration has was understood, so what was listed and is in none has none.
	for _, h := range listed {
		if _, ok := w.at[h.Name]; !ok {
			r := record.Repository{Name: h.Name, Settings: map[string]record.Answer{inventory.SettingConfiguration: record.AnswerNo}}
			w.batch.Repositories = append(w.batch.Repositories, r)
		}
	}
	return w.batch
}

// configurationWalk gathers the repositories of an organisation's security configurations.
type configurationWalk struct {
	collector *Collector
	path      string
	batch     record.Batch
	at        map[record.RepositoryName]int
	rejected  map[record.RejectReason]int
}

func (w *configurationWalk) configurations(ctx context.Context) ([]securityConfiguration, error) {
	var list []securityConfiguration
	_, err := w.collector.API.Pages(ctx, w.path, url.Values{"per_page": {api.PageSize}}, func(items []json.RawMessage) bool {
		for _, item := range items {
			var s securityConfiguration
			if err := json.Unmarshal(item, &s); err != nil || s.ID <= 0 {
				w.rejected[record.RejectDecode]++
				continue
			}
			list = append(list, s)
		}
		return true
	})
	return list, err
}

// repositories reads the repositories of one configuration. A repository that moved may still be named by the configuration it left.
func (w *configurationWalk) repositories(ctx context.Context, s *securityConfiguration) error {
	address := w.path + "/" + strconv.FormatInt(s.ID, 10) + "/repositories"
	_, err := w.collector.API.Pages(ctx, address, url.Values{"per_page": {api.PageSize}}, func(items []json.RawMessage) bool {
		for _, item := range items {
			r, err := w.collector.attached(s, item)
			if err != nil {
				w.rejected[api.RejectReasonOf(err)]++
				continue
			}
			known, ok := w.at[r.Name]
			switch {
			case !ok:
				w.at[r.Name] = len(w.batch.Repositories)
				w.batch.Repositories = append(w.batch.Repositories, r)
			case r.Settings[inventory.SettingConfiguration] == record.AnswerYes:
				w.batch.Repositories[known] = r
			}
		}
		return true
	})
	return err
}

// attached is what a configuration says of a repository. Only an attached one says which features are on.
func (c *Collector) attached(s *securityConfiguration, item json.RawMessage) (record.Repository, error) {
	var a attachment
	if err := json.Unmarshal(item, &a); err != nil {
		return record.Repository{}, err
	}
	name, err := c.API.RepositoryName(a.Repository.HTMLURL, a.Repository.FullName)
	if err != nil {
		return record.Repository{}, api.Reject(record.RejectNoID, err)
	}
	if err := c.inventory.Selected(name, a.Repository.FullName); err != nil {
		return record.Repository{}, err
	}
	r := record.Repository{Name: name, Settings: map[string]record.Answer{}, Scanners: map[record.Class]record.Answer{}}
	switch a.Status {
	case "attached", "enforced":
	case "detached", "removed", "removed_by_enterprise", "failed":
		r.Settings[inventory.SettingConfiguration] = record.AnswerNo
		return r, nil
	case "attaching", "updating":
		return r, nil // Soon it is known.
	default:
		c.UnknownValue("security configuration status", a.Status)
		return r, nil
	}
	r.Settings[inventory.SettingConfiguration] = record.AnswerYes
	r.Settings[inventory.SettingConfigurationForced] = record.AnswerOf(s.Enforcement == "enforced")
	for class, feature := range map[record.Class]string{
		record.ClassSAST: s.CodeScanning, record.ClassSCA: s.DependabotAlerts, record.ClassSecret: s.SecretScanning,
	} {
		if answer := inventory.SwitchedOn(feature); answer.Known() {
			r.Scanners[class] = answer
		}
	}
	for key, feature := range map[string]string{inventory.SettingPushProtection: s.PushProtection, inventory.SettingPrivateReporting: s.PrivateReporting} {
		if answer := inventory.SwitchedOn(feature); answer.Known() {
			r.Settings[key] = answer
		}
	}
	return r, nil
}
