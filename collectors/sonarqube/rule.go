package sonarqube

import (
	"context"
	"fmt"
	"net/url"
	"strings"

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
