package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"prodsec_exporter/internal/policy"
)

// UnknownReferences tells the names in the policy that nothing of the configuration answers to: they are no mistake in form, and would be without effect. built are
// the instances of the configuration.
func (c *Config) UnknownReferences(built []Built) Problems {
	d := &decoder{file: c.File}
	settings := c.Policy.Config()
	kinds, instances := map[string]bool{}, map[string]bool{}
	for _, b := range built {
		kinds[b.Kind.Name] = true
		instances[b.Kind.Name+"/"+b.Settings.Name] = true
	}
	known := append(sortedKeys(kinds), sortedKeys(instances)...)
	for i, name := range settings.Precedence {
		if !slices.Contains(known, name) {
			d.unanswered(c, fmt.Sprintf("policy.catalog_precedence[%d]", i), "%q is no configured collector; write KIND or KIND/NAME", name, known)
		}
	}
	for i, tool := range settings.Exceptions.VendorAcceptances {
		if !kinds[strings.ToLower(tool)] {
			d.unanswered(c, fmt.Sprintf("policy.exceptions.vendor_acceptances[%d]", i), "%q is no kind of a configured collector, so that no acceptance is its", tool, sortedKeys(kinds))
		}
	}
	d.repeatedTargets(c, settings.SLA.Targets)
	return d.problems
}

// unanswered notes a name that nothing answers to, and the one that was probably meant.
func (d *decoder) unanswered(c *Config, path, message, name string, known []string) {
	message = fmt.Sprintf(message, name)
	meant := suggest(name, known)
	if _, instance, ok := strings.Cut(meant, "/"); !ok || instance == "" { // the name alone of an instance
		for _, k := range known {
			if strings.HasSuffix(k, "/"+name) {
				meant = k
			}
		}
	}
	if meant != "" && meant != name {
		message += fmt.Sprintf("; did you mean %q?", meant)
	} else {
		message += "; known here: " + strings.Join(known, ", ")
	}
	d.fail(nearest(c.root, path), path, "%s", message)
}

// repeatedTargets notes SLA rules whose conditions another rule has, too: the shorter one decides, whichever comes last.
func (d *decoder) repeatedTargets(c *Config, targets []policy.Target) {
	for i, t := range targets {
		t.Within = 0
		for j, other := range targets[:i] {
			other.Within = 0
			if reflect.DeepEqual(t, other) {
				path := fmt.Sprintf("policy.sla.targets[%d]", i)
				d.fail(nearest(c.root, path), path, "has the conditions of targets[%d], and of the two the shorter time decides; remove one", j)
				break
			}
		}
	}
}
