package sarif

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/internal/record"
)

// finding turns a result into a finding and says what identifies it within the report, and whether only the level of its rule says how severe it is.
func (run *runReading) finding(result *resultObject, rule *reportingDescriptor, id string, n nature) (f record.Finding, identity []string, levelled bool) {
	file, line, repository, context := run.where(result)
	message := result.message(rule)
	f = record.Finding{
		Tool: run.tool.Name, Class: n.class, Repository: repository, Rule: record.Text(id), URL: format.WebLink(string(rule.HelpURI)),
		Category: run.cwe(result, rule), Aliases: n.advisories, FirstSeen: format.ParseDate(string(result.Provenance.FirstDetectionTimeUTC)),
		Place: record.Text(file), Line: line, Closure: result.closure(),
	}
	f.Severity, levelled = result.severity(rule)
	f.Title = record.Text(cmp.Or(message, string(rule.ShortDescription.Text), id))
	switch f.Class {
	case record.ClassSecret:
		// A message may quote the secret; the rule's words cannot.
		f.Title = record.Text(cmp.Or(string(rule.ShortDescription.Text), string(rule.Name), id))
		context = "" // it holds the secret, and not even a hash of that may be kept
	case record.ClassSCA, record.ClassContainer:
		result.component(&f, rule, message)
		if urls := result.packageURLs(); len(f.Aliases) == 0 && len(urls) > 0 {
			f.Aliases = record.Advisories(id)
		}
	default:
	}
	if f.Category == "" {
		f.Category = record.CategoryOfPackage(f.Package)
	}
	if f.Category == "" && len(f.Aliases) == 0 {
		f.Category = f.Rule // an advisory does not recur, a rule does
	}
	return f, result.identity(id, file, context, message), levelled
}

// packageURLs are the packages that a result names itself.
func (result *resultObject) packageURLs() []string {
	urls := result.Properties.packageURLs()
	for i := range result.Locations {
		for _, l := range result.Locations[i].Logical {
			if record.PackageOfURL(string(l.FullyQualifiedName)) != "" {
				urls = append(urls, string(l.FullyQualifiedName))
			}
		}
	}
	return urls
}

var (
	// grypeMessage is how Grype says which package it means.
	grypeMessage = regexp.MustCompile(`reports (\S+) at version (\S+)\s+which (?:is|would result in) a vulnerable \(([^)]*)\) package`)
	// trivyMessage is how Trivy does.
	trivyMessage = regexp.MustCompile(`(?m)^Package: (\S+)\s*\nInstalled Version: (\S*)`)
	// osvMessage is how osv-scanner does.
	osvMessage = regexp.MustCompile(`^Package '(.+)@([^'@]*)' is vulnerable`)
	// versioned is how Snyk names packages in logical locations.
	versioned = regexp.MustCompile(`^([^\s@]\S*)@([^\s@]+)$`)
	// imagePlace is how Grype names the image of a place: "acme/api:1@sha256:...:/usr/lib/x".
	imagePlace = regexp.MustCompile(`^(.+)@(?:sha256:[0-9a-f]{64})?:(/.*)$`)
)

// component fills in the package, and where it is in an image, from what properties, places and messages of results about packages say.
func (result *resultObject) component(f *record.Finding, rule *reportingDescriptor, message string) {
	if urls := append(result.packageURLs(), rule.Properties.packageURLs()...); len(urls) > 0 {
		f.Package, f.Version = record.PackageOfURL(urls[0]), record.Text(record.VersionOfURL(urls[0]))
	}
	if m := grypeMessage.FindStringSubmatch(message); m != nil && f.Package == "" {
		f.Package, f.Version = record.Package(m[3], m[1]), record.Text(m[2])
	}
	if m := trivyMessage.FindStringSubmatch(message); m != nil && f.Package == "" {
		f.Package, f.Version = record.Package(record.EcosystemOfFile(f.Place), m[1]), record.Text(m[2])
	}
	if m := osvMessage.FindStringSubmatch(message); m != nil && f.Package == "" {
		f.Package, f.Version = record.Package(record.EcosystemOfFile(f.Place), m[1]), record.Text(m[2])
	}
	for i := range result.Locations {
		for _, l := range result.Locations[i].Logical {
			name := string(l.FullyQualifiedName)
			if m := versioned.FindStringSubmatch(name); m != nil && f.Package == "" {
				f.Package, f.Version = record.Package(rule.ecosystem(), m[1]), record.Text(m[2])
			}
			if m := imagePlace.FindStringSubmatch(name); m != nil {
				f.Place = record.Text(imagePlaceOf(f.Class, m[1], m[2]))
				return
			}
		}
	}
	// Without the image's name there is a place in it, which Grype puts into a folder "image".
	if rest, ok := strings.CutPrefix(f.Place, "image/"); ok && f.Tool == "grype" {
		f.Place = "/" + strings.TrimLeft(rest, "/")
	}
}

func imagePlaceOf(class record.Class, reference, path string) string {
	image := format.ImageName(reference)
	if class == record.ClassContainer {
		return image
	}
	return format.InImage(image, path)
}

// ecosystem is the tag of a rule that is the name of an ecosystem, empty if none is.
func (rule *reportingDescriptor) ecosystem() string {
	for _, tag := range rule.Properties.Tags {
		if record.IsEcosystem(string(tag)) {
			return string(tag)
		}
	}
	return ""
}

// severity is the security severity of result or rule, else what the level says; a level that is nowhere given is "warning" for a failure and "none" for
// what may be one, as the standard says. byRule says that the rule's level decided, which an invocation may override.
func (result *resultObject) severity(rule *reportingDescriptor) (severity record.Severity, byRule bool) {
	for _, s := range []string{string(result.Properties.SecuritySeverity), string(rule.Properties.SecuritySeverity)} {
		if severity := format.SeverityOfProperty(s); severity != record.SeverityUnknown {
			return severity, false
		}
	}
	switch {
	case result.Level != "":
		return severityOfLevel(string(result.Level)), false
	case result.Kind != "" && result.Kind != "fail":
		return record.SeverityUnknown, false
	default:
		return severityOfLevel(cmp.Or(string(rule.DefaultConfiguration.Level), "warning")), true
	}
}

func severityOfLevel(level string) record.Severity {
	switch level {
	case "error":
		return record.SeverityHigh
	case "warning":
		return record.SeverityMedium
	case "note":
		return record.SeverityLow
	default:
		return record.SeverityUnknown
	}
}

// override rates again what a rule's level rated and an invocation configured otherwise: the invocation that a result names, else the only one, else the
// first that has an override.
func (run *runReading) override(r *format.Report) {
	overrides := make([]map[*reportingDescriptor]string, len(run.invocations))
	some := false
	for i := range run.invocations {
		overrides[i] = map[*reportingDescriptor]string{}
		for j := range run.invocations[i].Overrides {
			o := &run.invocations[i].Overrides[j]
			if rule := run.descriptor(&o.Descriptor); rule != nil && o.Configuration.Level != "" {
				overrides[i][rule] = string(o.Configuration.Level)
				some = true
			}
		}
	}
	if !some {
		return
	}
	for _, rated := range run.rated {
		candidates := overrides
		if one := at(overrides, rated.invocation); one != nil {
			candidates = []map[*reportingDescriptor]string{*one}
		}
		for _, levels := range candidates {
			if level, ok := levels[rated.rule]; ok {
				r.Findings[rated.finding].Severity = severityOfLevel(level)
				break
			}
		}
	}
}

// closure: a baseline that no longer has the result means fixed; a suppression counts unless somebody rejected it or has not yet decided. An
// empty list of suppressions says "not suppressed".
func (result *resultObject) closure() record.Closure {
	if result.BaselineState == "absent" {
		return record.ClosureFixed
	}
	words := ""
	for _, s := range result.Suppressions {
		status := cmp.Or(s.Status, s.State, "accepted")
		if status != "accepted" {
			return record.ClosureNone
		}
		words += " " + string(s.Justification)
	}
	if len(result.Suppressions) == 0 {
		return record.ClosureNone
	}
	return format.ClosureOfWords(words)
}

// message is the result's own text, or the rule's message with the arguments filled in.
func (result *resultObject) message(rule *reportingDescriptor) string {
	if result.Message.Text != "" || result.Message.ID == "" {
		return string(result.Message.Text)
	}
	message := string(rule.MessageStrings[string(result.Message.ID)].Text)
	for i, argument := range result.Message.Arguments {
		message = strings.ReplaceAll(message, "{"+strconv.Itoa(i)+"}", string(argument))
	}
	return message
}
