package backstage

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"prodsec_exporter/internal/platform"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// listPath is the catalog's list of entities that has a cursor; the older /entities is deprecated.
const listPath = "api/catalog/entities/by-query"

// The kinds of entity that are read, in lower case.
const (
	kindComponent = "component"
	kindGroup     = "group"
	kindSystem    = "system"
)

// wanted are the parts of entities to ask for; without them Backstage sends everything, including whole API definitions.
var wanted = strings.Join([]string{
	"kind", "metadata.name", "metadata.namespace", "metadata.annotations", "metadata.labels", "metadata.tags",
	"spec.type", "spec.owner", "spec.lifecycle", "spec.system", "spec.domain", "spec.parent", "relations",
}, ",")

// entity is a Component, Group or System as the API sends it.
type entity struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name        string            `json:"name"`
		Namespace   string            `json:"namespace"`
		Annotations map[string]string `json:"annotations"`
		Labels      map[string]string `json:"labels"`
		Tags        []string          `json:"tags"`
	} `json:"metadata"`
	Spec struct {
		Type      string `json:"type"`
		Owner     string `json:"owner"`
		Lifecycle string `json:"lifecycle"`
		System    string `json:"system"`
		Domain    string `json:"domain"`
		Parent    string `json:"parent"`
	} `json:"spec"`
	Relations []relation `json:"relations"`
}

type relation struct {
	Type      string `json:"type"`
	TargetRef string `json:"targetRef"`
}

// decodeEntity reads one item of a page.
func decodeEntity(raw json.RawMessage) (*entity, error) {
	e, err := translate.Decode[entity](raw)
	if err != nil {
		return nil, err
	}
	if e.Kind == "" || e.Metadata.Name == "" {
		return nil, translate.ErrNoID
	}
	return e, nil
}

// ref is the entity's own reference.
func (e *entity) ref() ref {
	return ref{Kind: e.Kind, Namespace: e.Metadata.Namespace, Name: e.Metadata.Name}.folded()
}

// target is the first reference by a relation of a type, in the order of the answer, that satisfies a condition.
func (e *entity) target(kind string, fits func(ref) bool) (ref, bool) {
	for _, r := range e.Relations {
		if !strings.EqualFold(r.Type, kind) {
			continue
		}
		if to, ok := parseRef(r.TargetRef, kindGroup, e.Metadata.Namespace); ok && fits(to) {
			return to, true
		}
	}
	return ref{}, false
}

// found is what one reading of the catalog brought.
type found struct {
	components      []*entity
	groups, systems map[ref]*entity
	rejected        map[record.RejectReason]int
}

// filters are the conditions of the one list that is read: repeated filters mean "or", a comma means "and".
func (c *Config) filters() []string {
	var filters []string
	for _, t := range c.Types {
		filter := "kind=" + kindComponent + ",spec.type=" + t
		for _, namespace := range c.Namespaces {
			// The same key twice means "or" inside a filter, too.
			filter += ",metadata.namespace=" + namespace
		}
		filters = append(filters, filter)
	}
	filters = append(filters, "kind="+kindGroup)
	if c.ProductArea == ProductAreaDomain {
		filters = append(filters, "kind="+kindSystem)
	}
	return filters
}

// entities reads components, groups and, where they are needed, systems to the end of the list.
func (c *Collector) entities(ctx context.Context) (*found, error) {
	var f *found
	err := platform.Again(func() error {
		f = &found{groups: map[ref]*entity{}, systems: map[ref]*entity{}, rejected: map[record.RejectReason]int{}}
		return platform.List{Name: "the catalog", ID: entityKey, Take: func(raw json.RawMessage) { c.take(f, raw) }, Page: func(ctx context.Context, cursor string) (platform.Page, error) {
			page, err := c.page(ctx, cursor)
			if err != nil {
				return platform.Page{}, err
			}
			return platform.Page{Items: page.Items, Next: page.PageInfo.NextCursor, Total: page.TotalItems}, nil
		}}.Read(ctx)
	})
	return f, err
}

// entityKey tells entities apart; empty for what cannot be read.
func entityKey(raw json.RawMessage) string {
	e, err := decodeEntity(raw)
	if err != nil {
		return ""
	}
	return e.ref().String()
}

// page is one page of the list.
type page struct {
	Items      []json.RawMessage `json:"items"`
	TotalItems *int              `json:"totalItems"`
	PageInfo   struct {
		NextCursor string `json:"nextCursor"`
	} `json:"pageInfo"`
}

// page reads the first page by filters and every other one by its cursor, which carries them.
func (c *Collector) page(ctx context.Context, cursor string) (*page, error) {
	query := url.Values{"fields": {wanted}, "limit": {strconv.Itoa(c.PageSize)}}
	if cursor == "" {
		query["filter"] = c.config.filters()
	} else {
		query.Set("cursor", cursor)
	}
	var answer page
	if _, err := c.Source.Get(ctx, listPath, query, &answer); err != nil {
		return nil, err
	}
	if answer.Items == nil {
		return nil, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf(
			`the answer has no list "items"; see whether url is Backstage's backend and its version knows by-query (1.14 and later)`)}
	}
	return &answer, nil
}

// take sorts one entity, or counts it as rejected. What was not asked for is left alone: a server that ignores a filter must not
// turn libraries into services.
func (c *Collector) take(f *found, raw json.RawMessage) {
	e, err := decodeEntity(raw)
	if err != nil {
		f.rejected[translate.Reason(err)]++
		return
	}
	switch own := e.ref(); own.Kind {
	case kindGroup:
		f.groups[own] = e
	case kindSystem:
		f.systems[own] = e
	case kindComponent:
		if oneOf(e.Spec.Type, c.config.Types) && (len(c.config.Namespaces) == 0 || oneOf(own.Namespace, c.config.Namespaces)) {
			f.components = append(f.components, e)
		}
	}
}
