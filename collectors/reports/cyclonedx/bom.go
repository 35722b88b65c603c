package cyclonedx

import (
	"cmp"
	"strings"
	"time"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

// bom is kept until the end, because vulnerabilities refer to components that may come later.
type bom struct {
	metadata struct {
		Timestamp stream.Text `json:"timestamp"`
		Component component   `json:"component"`
		Tools     toolNames   `json:"tools"`
	}
	components      map[stream.Text]component
	vulnerabilities []vulnerability
	// listed says that there is a list of vulnerabilities, described that there are components.
	listed, described bool
}

type component struct {
	Ref     stream.Text `json:"bom-ref"`
	Type    stream.Text `json:"type"`
	Group   stream.Text `json:"group"`
	Name    stream.Text `json:"name"`
	Version stream.Text `json:"version"`
	PURL    stream.Text `json:"purl"`
	// Components are the parts of a component, and of these.
	Components []component `json:"components"`
}

type vulnerability struct {
	ID          stream.Text   `json:"id"`
	Source      source        `json:"source"`
	References  []reference   `json:"references"`
	Ratings     []rating      `json:"ratings"`
	CWEs        []stream.Text `json:"cwes"`
	Description stream.Text   `json:"description"`
	Rejected    stream.Text   `json:"rejected"`
	Analysis    analysis      `json:"analysis"`
	Affects     []affected    `json:"affects"`
}

type source struct {
	Name stream.Text `json:"name"`
	URL  stream.Text `json:"url"`
}

type reference struct {
	ID stream.Text `json:"id"`
}

type rating struct {
	Source   source        `json:"source"`
	Score    stream.Number `json:"score"`
	Severity stream.Text   `json:"severity"`
	Method   stream.Text   `json:"method"`
	Vector   stream.Text   `json:"vector"`
}

// analysis is what a VEX says about a vulnerability.
type analysis struct {
	State         stream.Text `json:"state"`
	Justification stream.Text `json:"justification"`
	Detail        stream.Text `json:"detail"`
	Response      stream.List `json:"response"`
	FirstIssued   stream.Text `json:"firstIssued"`
	LastUpdated   stream.Text `json:"lastUpdated"`
}

type affected struct {
	Ref      stream.Text       `json:"ref"`
	Versions []affectedVersion `json:"versions"`
}

type affectedVersion struct {
	Version stream.Text `json:"version"`
	Range   stream.Text `json:"range"`
	Status  stream.Text `json:"status"`
}

// unaffected reports whether a version is said not to be affected: by its own entry, else by all that there are.
func (a *affected) unaffected(version stream.Text) bool {
	all := len(a.Versions) > 0
	for _, v := range a.Versions {
		if v.Version != "" && v.Version == version {
			return v.Status == "unaffected"
		}
		all = all && v.Status == "unaffected"
	}
	return all
}

func (b *bom) index(component component) {
	if component.Ref != "" {
		part := component
		part.Components = nil
		b.components[component.Ref] = part
	}
	for _, part := range component.Components {
		b.index(part)
	}
}

// targets are what a vulnerability affects; one without a name where it does not say.
func (v *vulnerability) targets() []affected {
	if len(v.Affects) == 0 {
		return []affected{{}}
	}
	return v.Affects
}

// component finds what a reference means: a bom-ref, a link to another document that ends in one, or a package URL.
func (b *bom) component(ref stream.Text) component {
	if found, ok := b.components[ref]; ok {
		return found
	}
	if _, fragment, ok := strings.Cut(string(ref), "#"); ok && strings.HasPrefix(string(ref), "urn:cdx:") {
		if found, ok := b.components[stream.Text(fragment)]; ok {
			return found
		}
		ref = stream.Text(fragment)
	}
	return component{PURL: ref}
}

// at is when a judgement was made last, zero if that is not said.
func (a *analysis) at() time.Time {
	return cmp.Or(format.ParseDate(string(a.LastUpdated)), format.ParseDate(string(a.FirstIssued)))
}

// closure reads the VEX state; "exploitable" and "in_triage" are open. What is not affected only because something stands before it is
// mitigated.
func (a *analysis) closure() record.Closure {
	switch a.State {
	case "not_affected":
		if strings.HasPrefix(string(a.Justification), "protected_") {
			return record.ClosureMitigated
		}
		return record.ClosureFalsePositive
	case "false_positive":
		return record.ClosureFalsePositive
	case "resolved", "resolved_with_pedigree":
		return record.ClosureFixed
	}
	for _, reply := range a.Response {
		if reply == "will_not_fix" {
			return record.ClosureWontFix
		}
	}
	return record.ClosureNone
}
