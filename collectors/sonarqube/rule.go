package sonarqube

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// addCWEs sets the category of findings to the CWE of their rule, where it has one. Each rule is read once in the life of the process.
func (c *Collector) addCWEs(ctx context.Context, findings []record.Finding) error {
	for i := range findings {
		f := &findings[i]
		if f.Rule == "" || strings.HasPrefix(f.Category, "CWE-") {
			continue
		}
		cwe, err := c.cweOf(ctx, f.Rule)
		if err != nil {
			return fmt.Errorf("rule %s: %w", f.Rule, err)
		}
		switch {
		case cwe != "":
			f.Category = cwe
		case f.Category == "":
			f.Category = f.Rule
		}
	}
	return nil
}

// cweOf is the first CWE that a rule names: in its standards, else in its description. A rule that is gone has none.
func (c *Collector) cweOf(ctx context.Context, rule string) (string, error) {
	c.mu.Lock()
	cwe, known := c.rules[rule]
	c.mu.Unlock()
	if known {
		return cwe, nil
	}
	var shown struct {
		Rule struct {
			Standards []string `json:"securityStandards"`
			Tags      []string `json:"sysTags"`
			HTML      string   `json:"htmlDesc"`
			Sections  []struct {
				Content string `json:"content"`
			} `json:"descriptionSections"`
		} `json:"rule"`
	}
	query := url.Values{"key": {rule}}
	if c.config.Organization != "" {
		query.Set("organization", c.config.Organization)
	}
	_, err := c.Source.Get(ctx, "api/rules/show", query, &shown)
	switch {
	case err != nil && record.ReasonOf(err) != record.ReasonNotFound:
		return "", err
	case err == nil:
		texts := append(shown.Rule.Standards, shown.Rule.Tags...)
		texts = append(texts, shown.Rule.HTML)
		for _, section := range shown.Rule.Sections {
			texts = append(texts, section.Content)
		}
		cwe = translate.CWE(texts...)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rules[rule] = cwe
	return cwe, nil
}

// ownerOf is where a project belongs: by a rule of the configuration, else by its binding to GitHub. A binding is read anew when
// the project is read whole.
func (c *Collector) ownerOf(ctx context.Context, key string, fresh bool) (translate.Owner, error) {
	if owner := c.Projects.Of(key); owner != (translate.Owner{}) || !c.config.ALMBindings {
		return owner, nil
	}
	c.mu.Lock()
	owner, known := c.bindings[key]
	c.mu.Unlock()
	if known && !fresh {
		return owner, nil
	}
	owner = translate.Owner{}
	var binding struct {
		ALM        string `json:"alm"`
		Repository string `json:"repository"`
		URL        string `json:"url"`
	}
	_, err := c.Source.Get(ctx, "api/alm_settings/get_binding", url.Values{"project": {key}}, &binding)
	switch {
	case err != nil && record.ReasonOf(err) != record.ReasonNotFound: // Not found: bound to nothing.
		return owner, translate.Needs(err, browse)
	case err == nil && strings.EqualFold(binding.ALM, "github"):
		// The others name repositories by numbers or without their owner.
		owner.Repository = boundRepository(binding.URL, binding.Repository)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bindings[key] = owner
	return owner, nil
}

// boundRepository is a GitHub repository on the host of an API such as https://api.github.com or https://git.example.com/api/v3.
func boundRepository(api, repository string) record.RepositoryName {
	u, err := url.Parse(api)
	if err != nil || strings.Count(repository, "/") != 1 {
		return ""
	}
	name := record.RepositoryOn(u.Hostname(), repository)
	if _, err := record.ParseRepository(string(name)); err != nil {
		return ""
	}
	return name
}

// Check asks for the version, the projects and, of the first project, everything that is read.
func (c *Collector) Check(ctx context.Context) ([]collectors.CheckResult, error) {
	_, versionErr := c.securityBy(ctx)
	keys, err := c.projectKeys(ctx)
	if err == nil && len(keys) == 0 {
		err = &record.Error{Reason: record.ReasonPermission, Permission: browse, Err: fmt.Errorf("the token sees no project")}
	}
	results := []collectors.CheckResult{
		{Subject: "version", Err: versionErr, Unknown: "everything this server knows"},
		{Subject: "projects", Err: err, Unknown: "everything this server knows"},
	}
	if len(keys) == 0 {
		return results, ctx.Err()
	}
	try := func(subject, path, parameter, unknown string) {
		query := url.Values{parameter: {keys[0]}, "p": {"1"}, "ps": {"1"}}
		if c.config.Organization != "" {
			query.Set("organization", c.config.Organization)
		}
		_, err := c.Source.Get(ctx, path, query, nil)
		results = append(results, collectors.CheckResult{Subject: "project " + keys[0] + ": " + subject, Err: translate.Needs(err, browse), Unknown: unknown})
	}
	try("issues", issuesPath, "componentKeys", "security issues")
	if !c.config.WithoutHotspots {
		try("hotspots", hotspotsPath, "projectKey", "security hotspots")
	}
	try("analyses", "api/project_analyses/search", "project", "when projects were analysed")
	return results, ctx.Err()
}
