package ledgertest

import (
	"fmt"
	"reflect"
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// words are what fields of a type may say. A type that is not listed is free text.
var words = map[reflect.Type][]string{
	typeOf[record.RepositoryName]():   {"acme/api", "acme/web", "acme/mono", "acme/old", ""},
	typeOf[record.Answer]():           {"", "yes", "no"},
	typeOf[record.Class]():            namesOf(record.Classes()),
	typeOf[record.Visibility]():       {"", "public", "internal", "private"},
	typeOf[record.ExceptionState]():   {"requested", "approved", "rejected", "ended", "other"},
	typeOf[record.ReviewKind]():       {"threat_model", "design", "code", "other"},
	typeOf[record.ReviewState]():      {"waiting", "in_progress", "blocked", "done"},
	typeOf[record.DeploymentStatus](): {"pending", "succeeded", "succeeded", "failed", "other"},
	typeOf[record.Approval]():         {"approved", "bypassed", "none", "unknown"},
	typeOf[record.EvidenceKind]():     {"provenance", "sbom", "signature", "approval"},
	typeOf[record.EscalationKind]():   {"release_block", "urgent"},
	typeOf[record.BypassResult]():     {"bypass", "fail", "other"},
	typeOf[record.RunnerVisibility](): {"", "all", "selected", "private", "repository"},
	typeOf[record.SecretScope]():      {"organization", "repository", "environment"},
}

// fields are what fields of a name may say, whatever their type.
var fields = map[string][]string{
	"ID":          {"x0", "x1", "x2", "x3", "x4"},
	"Service":     {"api", "web", "jobs", "nobody", "", ""},
	"Environment": {"production", "prod-eu", "staging", ""},
	"Branch":      {"main", "release"},
	"Pipeline":    {"x0", "x1", ""},
	"Commit":      {"c0", "c1", "c2", "c3"},
	"Tool":        {"alpha", "beta"},
	"Control":     {"sast", "owner", "logging"},
	"Category":    {"legacy", "CWE-79", ""},
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

func namesOf[T ~string](values []T) []string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = string(v)
	}
	return names
}

// apart are the kinds that batch makes with more sense.
var apart = map[string]bool{"Services": true, "Findings": true}

// everything is a batch that covers some kinds of record, whichever there are, with whatever their fields can hold. A kind that is
// new takes part by being a field of record.Batch.
func (h *history) everything() record.Batch {
	b := record.Batch{Scope: pick(h, "all:x", "all:y"), Mode: pick(h, record.Full, record.Delta)}
	v := reflect.ValueOf(&b).Elem()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Type.Kind() != reflect.Slice || field.Type.Elem().Kind() != reflect.Struct || apart[field.Name] || !h.chance(3) {
			continue
		}
		records := reflect.MakeSlice(field.Type, 0, 0)
		for range h.rng.IntN(4) {
			one := reflect.New(field.Type.Elem()).Elem()
			h.fill(one, "", 0)
			records = reflect.Append(records, one)
		}
		v.Field(i).Set(records)
	}
	return b
}

// fill puts something plausible into a value.
func (h *history) fill(v reflect.Value, name string, depth int) {
	if listed, ok := words[v.Type()]; ok {
		v.SetString(pick(h, listed...))
		return
	}
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(h.date(name)))
		return
	case time.Duration:
		v.SetInt(int64(pick(h, 0, time.Minute)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		if listed, ok := fields[name]; ok {
			v.SetString(pick(h, listed...))
		} else {
			v.SetString(pick(h, "", "one", "two"))
		}
	case reflect.Bool:
		v.SetBool(h.chance(4))
	case reflect.Int:
		v.SetInt(int64(h.rng.IntN(4) - 1))
	case reflect.Float64:
		v.SetFloat(h.rng.Float64())
	case reflect.Struct:
		for i := range v.NumField() {
			h.fill(v.Field(i), v.Type().Field(i).Name, depth+1)
		}
	case reflect.Slice:
		if h.chance(3) {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		for range h.rng.IntN(3) {
			one := reflect.New(v.Type().Elem()).Elem()
			h.fill(one, name, depth+1)
			v.Set(reflect.Append(v, one))
		}
	case reflect.Map:
		if h.chance(3) {
			return
		}
		v.Set(reflect.MakeMap(v.Type()))
		for range h.rng.IntN(3) {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			h.fill(key, "", depth+1)
			h.fill(value, "", depth+1)
			v.SetMapIndex(key, value)
		}
	case reflect.Pointer:
		if h.chance(2) {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		h.fill(v.Elem(), name, depth+1)
	default:
		panic(fmt.Sprintf("a record holds a %s, and random histories know none", v.Type())) // a new kind of field: teach them
	}
}

// date is a date of the last weeks; an end may lie ahead.
func (h *history) date(name string) time.Time {
	switch {
	case h.chance(4):
		return time.Time{}
	case (name == "ExpiresAt" || name == "DueAt") && h.chance(2):
		return h.at.Add(pick(h, time.Hour, 3*policy.Day, 60*policy.Day))
	default:
		return h.at.Add(-time.Duration(h.rng.IntN(40*24)) * time.Hour)
	}
}
