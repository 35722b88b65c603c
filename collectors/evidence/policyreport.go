package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// PolicyReports says what the results of Kubernetes policy reports mean.
type PolicyReports struct {
	// Controls say which control a result speaks for; the first rule that matches decides, and kubernetes_baseline is what no rule matches.
	Controls []ControlRule `yaml:"controls,omitempty"`
	// Services say which service a resource belongs to; the first rule that matches decides. Without rules, the namespace is the service.
	Services []ServiceRule `yaml:"services,omitempty"`
	// Results say what words of results mean; they replace the default of the words they name.
	Results map[string]Meaning `yaml:"results,omitempty"`
}

// ControlRule names the control of the results that match everything that is set. Patterns are globs.
type ControlRule struct {
	// Control is the control, or "none" for results that are not to count.
	Control  string `yaml:"control"`
	Policy   string `yaml:"policy,omitempty"`
	Rule     string `yaml:"rule,omitempty"`
	Category string `yaml:"category,omitempty"`
	Source   string `yaml:"source,omitempty"`
}

// ServiceRule names the service of the resources that match everything that is set. Patterns are globs.
type ServiceRule struct {
	// Service is a name, in which {namespace}, {name}, {kind}, {label:KEY}, {annotation:KEY} and {property:KEY} stand for what the resource, the report's
	// labels and annotations, and the result's properties say. Where one of them says nothing the rule does not match.
	Service   string `yaml:"service"`
	Namespace string `yaml:"namespace,omitempty"`
	Kind      string `yaml:"kind,omitempty"`
	Name      string `yaml:"name,omitempty"`
}

// Meaning is what a word of results means.
type Meaning string

// The meanings.
const (
	MeaningPass    Meaning = "pass"
	MeaningFail    Meaning = "fail"
	MeaningUnknown Meaning = "unknown"
	// MeaningIgnore: a result with the word says nothing.
	MeaningIgnore Meaning = "ignore"
)

var meanings = []Meaning{MeaningPass, MeaningFail, MeaningUnknown, MeaningIgnore}

// defaultControl is the control of results that no rule is about.
const defaultControl = "kubernetes_baseline"

// noControl takes results out.
const noControl = "none"

// reportRules are PolicyReports, checked.
type reportRules struct {
	controls []ControlRule
	services []ServiceRule
	results  map[string]Meaning
}

// newReportRules checks the rules. By the specification of policy reports, warn is a result that does not count against the resource, skip one of a
// policy that was not applied, and error one of a policy that could not be.
func newReportRules(c PolicyReports) (*reportRules, error) {
	r := &reportRules{
		controls: append(slices.Clone(c.Controls), ControlRule{Control: defaultControl}),
		services: c.Services,
		results:  map[string]Meaning{"pass": MeaningPass, "fail": MeaningFail, "warn": MeaningIgnore, "error": MeaningUnknown, "skip": MeaningIgnore},
	}
	if len(r.services) == 0 {
		r.services = []ServiceRule{{Service: "{namespace}"}}
	}
	for word, meaning := range c.Results {
		if _, known := r.results[word]; !known {
			return nil, fmt.Errorf("results: %.40q is not a word of policy reports: pass, fail, warn, error, skip", word)
		}
		if !slices.Contains(meanings, meaning) {
			return nil, fmt.Errorf("results.%s: %.40q is not one of pass, fail, unknown, ignore", word, meaning)
		}
		r.results[word] = meaning
	}
	for i, rule := range r.controls {
		if rule.Control != noControl && !controlName.MatchString(rule.Control) {
			return nil, fmt.Errorf("controls[%d].control: %.60q is not the name of a control, such as kubernetes_baseline, and not none", i, rule.Control)
		}
		if err := patterns(rule.Policy, rule.Rule, rule.Category, rule.Source); err != nil {
			return nil, fmt.Errorf("controls[%d]: %w", i, err)
		}
	}
	for i, rule := range r.services {
		if err := checkTemplate(rule.Service); err != nil {
			return nil, fmt.Errorf("services[%d].service: %w", i, err)
		}
		if err := patterns(rule.Namespace, rule.Kind, rule.Name); err != nil {
			return nil, fmt.Errorf("services[%d]: %w", i, err)
		}
	}
	return r, nil
}

func patterns(all ...string) error {
	for _, p := range all {
		if _, err := path.Match(p, ""); err != nil {
			return fmt.Errorf("%.60q is not a glob pattern", p)
		}
	}
	return nil
}

var variable = regexp.MustCompile(`\{([^{}]*)\}`)

func checkTemplate(template string) error {
	if strings.TrimSpace(template) == "" {
		return errors.New("name a service, or {namespace}")
	}
	for _, found := range variable.FindAllStringSubmatch(template, -1) {
		kind, key, keyed := strings.Cut(found[1], ":")
		plain := !keyed && slices.Contains([]string{"namespace", "name", "kind"}, kind)
		if !plain && (!slices.Contains([]string{"label", "annotation", "property"}, kind) || key == "") {
			return fmt.Errorf("{%.40s} is none of {namespace}, {name}, {kind}, {label:KEY}, {annotation:KEY}, {property:KEY}", found[1])
		}
	}
	if rest := variable.ReplaceAllString(template, ""); strings.ContainsAny(rest, "{}") {
		return errors.New("a brace has no partner")
	}
	return nil
}

// report is a policy report of any of the known forms.
type report struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name        string            `json:"name"`
		Namespace   string            `json:"namespace"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	// Source is that of all results, in openreports.io.
	Source string `json:"source"`
	// Scope is the resource that all results are about.
	Scope   *resource         `json:"scope"`
	Results []json.RawMessage `json:"results"`
}

type resource struct {
	Kind      string `json:"kind"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}

// result is one result of a report.
type result struct {
	Source     string            `json:"source"`
	Policy     string            `json:"policy"`
	Rule       string            `json:"rule"`
	Category   string            `json:"category"`
	Result     string            `json:"result"`
	Resources  []resource        `json:"resources"`
	Properties map[string]string `json:"properties"`
	Timestamp  struct {
		Seconds int64 `json:"seconds"`
	} `json:"timestamp"`
}

// reportKinds are the kinds of report by API group.
var reportKinds = map[string][]string{
	"wgpolicyk8s.io": {"PolicyReport", "ClusterPolicyReport"},
	"openreports.io": {"Report", "ClusterReport"},
}

// isReport reports whether a kind of an API version is a policy report.
func isReport(apiVersion, kind string) bool {
	group, _, _ := strings.Cut(apiVersion, "/")
	return slices.Contains(reportKinds[group], kind)
}

// single reads a value that is neither a document nor a list. Other objects than reports, which a file of manifests may hold, say nothing.
func (r *reading) single(raw json.RawMessage) error {
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := json.Unmarshal(raw, &head); err != nil || head.Kind == "" || head.APIVersion == "" {
		return malformed("an object is neither an evidence document (which has statements) nor a Kubernetes object (which has apiVersion and kind)")
	}
	if !isReport(head.APIVersion, head.Kind) {
		return nil
	}
	r.recognised = true
	r.items++
	if err := r.report(raw); err != nil {
		r.reject(fmt.Sprintf("report %d", r.items), err)
	}
	return nil
}

// listed reads an item of a list. In lists of an API server the kind is that of the list.
func (r *reading) listed(raw json.RawMessage, list map[string]json.RawMessage) {
	r.items++
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	where := fmt.Sprintf("items[%d]", r.items-1)
	if err := json.Unmarshal(raw, &head); err != nil {
		r.reject(where, fmt.Errorf("it is no object: %w", err))
		return
	}
	if head.Kind == "" {
		head.Kind = strings.TrimSuffix(text(list["kind"]), "List")
		head.APIVersion = text(list["apiVersion"])
	}
	switch {
	case head.Kind == "":
		r.reject(where, errors.New("neither it nor the list before it says what kind it is"))
	case isReport(head.APIVersion, head.Kind):
		r.recognised = true
		if err := r.report(raw); err != nil {
			r.reject(where, err)
		}
	}
}

// text is a field that is a text, or nothing.
func text(raw json.RawMessage) (value string) {
	if err := json.Unmarshal(raw, &value); err != nil {
		return ""
	}
	return value
}

// report translates a policy report. Results that cannot be understood are left out alone; a report without results has none.
func (r *reading) report(raw json.RawMessage) error {
	var p report
	if err := json.Unmarshal(raw, &p); err != nil {
		return err
	}
	for i, raw := range p.Results {
		if err := r.result(&p, raw); err != nil {
			r.reject(fmt.Sprintf("%s %s/%s results[%d]", p.Kind, p.Metadata.Namespace, p.Metadata.Name, i), err)
		}
	}
	return nil
}

func (r *reading) result(p *report, raw json.RawMessage) error {
	var one result
	if err := json.Unmarshal(raw, &one); err != nil {
		return err
	}
	if one.Policy == "" {
		return fmt.Errorf("%w: it names no policy", translate.ErrNoID)
	}
	if one.Source == "" {
		one.Source = p.Source
	}
	rules := r.collector.reports
	control := rules.control(&one)
	meaning, known := rules.results[one.Result]
	if !known {
		r.collector.logStrange("result of a policy report", one.Result)
		meaning = MeaningUnknown
	}
	if control == noControl || meaning == MeaningIgnore {
		return nil
	}
	at, err := r.producedAt(&one)
	if err != nil {
		return err
	}
	about := one.Resources
	if len(about) == 0 && p.Scope != nil {
		about = []resource{*p.Scope}
	}
	if len(about) == 0 {
		about = []resource{{Namespace: p.Metadata.Namespace}}
	}
	var unowned error
	for _, res := range about {
		service := rules.service(p, &one, res)
		if service == "" {
			unowned = fmt.Errorf("%w: no rule of policy_reports.services says whose %s %s/%s is", translate.ErrNoTarget, res.Kind, res.Namespace, res.Name)
			continue
		}
		r.statements.add(&record.Evidence{Control: control, Service: service, Holds: meaning.answer(), ProducedAt: at, Source: record.Text(one.Source)})
	}
	return unowned
}

func (m Meaning) answer() record.Answer {
	switch m {
	case MeaningPass:
		return record.AnswerYes
	case MeaningFail:
		return record.AnswerNo
	case MeaningUnknown, MeaningIgnore:
		return record.AnswerUnknown
	default:
		return record.AnswerUnknown
	}
}

// producedAt is the date of a result, else that of the source.
func (r *reading) producedAt(one *result) (time.Time, error) {
	if one.Timestamp.Seconds == 0 {
		return r.written, nil
	}
	at := time.Unix(one.Timestamp.Seconds, 0).UTC()
	if one.Timestamp.Seconds < 0 || at.After(r.now.AddDate(0, 0, 1)) {
		return time.Time{}, fmt.Errorf("%w: the timestamp %d is not a past date in seconds", translate.ErrTimestamp, one.Timestamp.Seconds)
	}
	return at, nil
}

// control is the control that a result speaks for.
func (rules *reportRules) control(one *result) string {
	for _, rule := range rules.controls {
		if like(rule.Policy, one.Policy) && like(rule.Rule, one.Rule) && like(rule.Category, one.Category) && like(rule.Source, one.Source) {
			return rule.Control
		}
	}
	return noControl
}

// service is the service that a resource belongs to, empty if no rule says.
func (rules *reportRules) service(p *report, one *result, res resource) string {
	if res.Namespace == "" {
		res.Namespace = p.Metadata.Namespace
	}
	for _, rule := range rules.services {
		if !like(rule.Namespace, res.Namespace) || !like(rule.Kind, res.Kind) || !like(rule.Name, res.Name) {
			continue
		}
		complete := true
		service := variable.ReplaceAllStringFunc(rule.Service, func(found string) string {
			kind, key, _ := strings.Cut(strings.Trim(found, "{}"), ":")
			value := map[string]string{
				"namespace": res.Namespace, "name": res.Name, "kind": res.Kind,
				"label": p.Metadata.Labels[key], "annotation": p.Metadata.Annotations[key], "property": one.Properties[key],
			}[kind]
			complete = complete && value != ""
			return value
		})
		if complete {
			return record.Text(service)
		}
	}
	return ""
}

// like reports whether a pattern is empty or matches.
func like(pattern, value string) bool {
	if pattern == "" {
		return true
	}
	ok, err := path.Match(pattern, value)
	return err == nil && ok
}
