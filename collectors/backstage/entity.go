package backstage

import (
	"cmp"
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
	"kind", "metadata.uid", "metadata.name", "metadata.namespace", "metadata.annotations", "metadata.labels", "metadata.tags",
	"metadata.title", "spec.type", "spec.owner", "spec.lifecycle", "spec.system", "spec.domain", "spec.parent", "spec.profile.displayName", "relations",
}, ",")

// entity is a Component, Group, System or User as the API sends it.
type entity struct {
	Kind     string `json:"kind"`
	Metadata struct {
		UID         string            `json:"uid"`
		Name        string            `json:"name"`
		Namespace   string            `json:"namespace"`
		Title       string            `json:"title"`
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
		Profile   struct {
			DisplayName string `json:"displayName"`
		} `json:"profile"`
		MemberOf []string `json:"memberOf"`
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
	// users are those who were read, and members the groups of users by what the groups say.
	users   map[ref]*entity
	members map[ref][]ref
	// names are how groups are shown.
	names    map[ref]string
	rejected map[record.RejectReason]int
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
		f = &found{
			groups: map[ref]*entity{}, systems: map[ref]*entity{}, users: map[ref]*entity{}, members: map[ref][]ref{}, rejected: map[record.RejectReason]int{},
		}
		return platform.List{Name: "the catalog", ID: entityKey, Take: func(raw json.RawMessage) { c.take(f, raw) }, Page: func(ctx context.Context, cursor string) (platform.Page, error) {
			return c.page(ctx, url.Values{"fields": {wanted}, "limit": {strconv.Itoa(c.PageSize)}}, c.config.filters(), cursor)
		}}.Read(ctx)
	})
	if err == nil {
		err = c.readMembers(ctx, f)
	}
	f.names = groupNames(f.groups, c.config.GroupNames)
	return f, err
}

// groupNames are how groups are shown: by the name that people gave them, where no two have one, else by the name in references.
func groupNames(groups map[ref]*entity, by GroupNames) map[ref]string {
	names, count := make(map[ref]string, len(groups)), map[string]int{}
	for own, g := range groups {
		name := record.Text(g.Metadata.Name)
		if by != GroupNamesName {
			name = cmp.Or(record.Text(g.Spec.Profile.DisplayName), record.Text(g.Metadata.Title), name)
		}
		names[own] = own.short(name)
		count[strings.ToLower(names[own])]++
	}
	for own, name := range names {
		if count[strings.ToLower(name)] > 1 {
			names[own] = own.short(record.Text(groups[own].Metadata.Name))
		}
	}
	return names
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
func (c *Collector) page(ctx context.Context, query url.Values, filters []string, cursor string) (platform.Page, error) {
	if cursor == "" {
		query["filter"] = filters
	} else {
		query.Set("cursor", cursor)
	}
	var answer page
	if _, err := c.Source.Get(ctx, listPath, query, &answer); err != nil {
		return platform.Page{}, err
	}
	if answer.Items == nil {
		return platform.Page{}, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf(
			`the answer has no list "items"; see whether url is Backstage's backend and its version knows by-query (1.14 and later)`)}
	}
	return platform.Page{Items: answer.Items, Next: answer.PageInfo.NextCursor, Total: answer.TotalItems}, nil
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
		if f.groups != nil {
			f.groups[own] = e
		}
	case kindSystem:
		if f.systems != nil {
			f.systems[own] = e
		}
	case kindUser:
		f.users[own] = e
	case kindComponent:
		if oneOf(e.Spec.Type, c.config.Types) && (len(c.config.Namespaces) == 0 || oneOf(own.Namespace, c.config.Namespaces)) {
			f.components = append(f.components, e)
		}
	}
}
