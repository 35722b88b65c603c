package inventory

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"prodsec_exporter/internal/record"
)

// propertyRow is a repository and what its properties say.
type propertyRow struct {
	repository record.RepositoryName
	values     map[string]propertyValue
}

// serviceTable makes services of repositories.
type serviceTable struct {
	collector *Inventory
	rows      []propertyRow
	byName    map[string]*record.Service
	rejected  map[record.RejectReason]int
}

// services are ordered by name. Repositories are taken in the order of their names, so that the order in which GitHub lists them makes no difference.
func (t *serviceTable) services() []record.Service {
	slices.SortFunc(t.rows, func(a, b propertyRow) int { return cmp.Compare(a.repository, b.repository) })
	for _, row := range t.rows {
		for _, name := range row.values[t.collector.config.Catalog.Service] {
			t.add(record.Text(name), row)
		}
	}
	services := make([]record.Service, 0, len(t.byName))
	for _, name := range slices.Sorted(maps.Keys(t.byName)) {
		s := t.byName[name]
		s.Identity = identityOf(s.Repositories)
		services = append(services, *s)
	}
	return services
}

// identityOf is what stays the same when the value of the property is changed in every repository of a service: the repositories.
func identityOf(repositories []record.RepositoryPath) string {
	sum := sha256.New()
	for _, r := range repositories {
		sum.Write([]byte(string(r.Repository) + "\n")) // ordered as the rows are
	}
	return "repositories:" + hex.EncodeToString(sum.Sum(nil)[:16])
}

// add takes up what one repository says about one of its services.
func (t *serviceTable) add(name string, row propertyRow) {
	if name == "" {
		return
	}
	folded := strings.ToLower(name)
	s := t.byName[folded]
	switch {
	case slices.Contains(reservedServices, folded):
		t.refuse(name, row, "the name is reserved for what no catalog claims")
		return
	case s != nil && s.Name != name:
		t.refuse(name, row, "another repository names the service "+s.Name)
		return
	case s == nil:
		s = &record.Service{Name: name}
		t.byName[folded] = s
	}
	s.Repositories = append(s.Repositories, record.RepositoryPath{Repository: row.repository})
	config := &t.collector.config.Catalog
	take := func(field record.ServiceField, into *string, values []string) {
		for _, value := range values {
			if value = record.Text(value); *into == "" {
				*into = value
			} else if value != "" && value != *into {
				s.Contradict(field, *into, value)
			}
		}
	}
	take(record.FieldTeam, &s.Team, row.values[config.Team])
	take(record.FieldBusinessUnit, &s.BusinessUnit, row.values[config.BusinessUnit])
	take(record.FieldProductArea, &s.ProductArea, row.values[config.ProductArea])
	take(record.FieldLifecycle, &s.Lifecycle, row.values[config.Lifecycle])
	take(record.FieldTrustTier, &s.TrustTier, config.TrustTier.texts(row.values))
	t.answer(s, record.FieldCrownJewel, &s.CrownJewel, &config.CrownJewel, row)
	t.answer(s, record.FieldInternetFacing, &s.InternetFacing, &config.InternetFacing, row)
}

// refuse leaves a name out, and says so.
func (t *serviceTable) refuse(name string, row propertyRow, why string) {
	t.rejected[record.RejectOutOfRange]++
	t.collector.Logger.Warn("A custom property names a service that is left out", "service", name, "repository", row.repository, "why", why)
}

// texts are the values of a fact in the organisation's words.
func (f *Fact) texts(values map[string]propertyValue) []string {
	texts := make([]string, 0, 1)
	for _, value := range values[f.Property] {
		if meaning, ok := f.meaning(value); ok {
			value = meaning
		}
		texts = append(texts, value)
	}
	return texts
}

func (f *Fact) meaning(value string) (string, bool) {
	for word, meaning := range f.Values {
		if strings.EqualFold(word, value) {
			return meaning, true
		}
	}
	return "", false
}

// answer takes up a yes or no. Where repositories of one service differ it is yes: what one of them exposes, the service exposes.
func (t *serviceTable) answer(s *record.Service, field record.ServiceField, into *record.Answer, f *Fact, row propertyRow) {
	for _, value := range f.texts(row.values) {
		answer, known := yesOrNo[strings.ToLower(value)]
		switch {
		case !known:
			t.collector.UnknownValue("custom property "+f.Property, value)
		case *into != record.AnswerUnknown && answer != *into:
			s.Contradict(field, string(record.AnswerYes), string(record.AnswerNo))
			*into = record.AnswerYes
		default:
			*into = answer
		}
	}
}

// propertyValue is the values of a property: none for null, several for a property that may have several.
type propertyValue []string

// UnmarshalJSON reads any form of value. A boolean or number, which GitHub does not send today, becomes its text.
func (v *propertyValue) UnmarshalJSON(data []byte) error {
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return err
	}
	*v = nil
	switch value := value.(type) {
	case nil:
	case []any:
		for _, item := range value {
			*v = append(*v, fmt.Sprint(item))
		}
		slices.Sort(*v)
	case map[string]any:
		return fmt.Errorf("a property's value is an object")
	default:
		*v = propertyValue{fmt.Sprint(value)}
	}
	return nil
}
