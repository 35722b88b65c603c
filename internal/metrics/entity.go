package metrics

import (
	"cmp"
	"slices"
	"strings"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// other is the label value under which what exceeds a series budget is folded.
const other = "other"

// none is the label value for what a source leaves empty.
const none = "none"

// entities are the things that own: services, or the groups, teams or business units they belong to. A family refers to them by
// position.
type entities struct {
	// names are the label names that identify an entity, widest first except for trust_tier, which is last if present.
	names  []string
	labels [][]string
	weight []weight
	// ordered are all positions by importance, for a counter and for anything else; made when first needed.
	ordered map[bool][]int32
	// ranked are the ranks, and folded what becomes of the entities when so many of their labels do; both made when first needed.
	ranked []int32
	folded map[int]*foldedEntities
}

// weight says how much an entity matters when not all can be shown.
type weight struct {
	tier policy.TierIndex
	// exposed: it is, or holds, a crown jewel or something that faces the Internet.
	exposed bool
	// urgent is the number of open criticals and highs.
	urgent uint32
}

// join is the weight of several entities taken together.
func (w weight) join(o weight) weight {
	return weight{tier: min(w.tier, o.tier), exposed: w.exposed || o.exposed, urgent: w.urgent + o.urgent}
}

// byImportance lists positions, the most important first. Counters must not move to and fro between their own series and
// "other", so for them what is open today does not count.
func (e *entities) byImportance(counter bool) []int32 {
	if order, ok := e.ordered[counter]; ok {
		return order
	}
	order := make([]int32, len(e.labels))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		x, y := e.weight[a], e.weight[b]
		if c := cmp.Compare(x.tier, y.tier); c != 0 {
			return c
		}
		if x.exposed != y.exposed {
			if x.exposed {
				return -1
			}
			return 1
		}
		if c := cmp.Compare(y.urgent, x.urgent); c != 0 && !counter {
			return c
		}
		return slices.Compare(e.labels[a], e.labels[b])
	})
	if e.ordered == nil {
		e.ordered = map[bool][]int32{}
	}
	e.ordered[counter] = order
	return order
}

// ownership holds the four kinds of entities and how owners map to the wider ones. Positions in owners are those of
// Snapshot.Owners.
type ownership struct {
	owners, groups, teams, units entities
	// groupOf, teamOf, unitOf are by position in owners.
	groupOf, teamOf, unitOf []int32
	// present lists the owners of the services there are now, unattributed only if something is.
	present []int32
}

func newOwnership(s *snapshot.Snapshot, p *policy.Policy) *ownership {
	o := &ownership{
		owners: entities{names: ownerLabels},
		groups: entities{names: groupLabels},
		teams:  entities{names: groupLabels[:2]},
		units:  entities{names: groupLabels[:1]},
	}
	groups, teams, units := newIndex(&o.groups), newIndex(&o.teams), newIndex(&o.units)
	for _, owner := range s.Owners {
		l := []string{
			named(owner.BusinessUnit, record.Unattributed), named(owner.Team, record.Unattributed),
			named(owner.Service, record.Unattributed), named(owner.TrustTier, policy.TierUnknown),
		}
		w := weight{tier: p.Tier(owner.TrustTier)}
		o.owners.labels = append(o.owners.labels, l)
		o.owners.weight = append(o.owners.weight, w)
		o.groupOf = append(o.groupOf, groups.of(w, l[0], l[1], l[3]))
		o.teamOf = append(o.teamOf, teams.of(w, l[0], l[1]))
		o.unitOf = append(o.unitOf, units.of(w, l[0]))
	}
	return o
}

// weigh adds what is known of today's services to the weights. Owners of the past keep their tier alone.
func (o *ownership) weigh(s *snapshot.Snapshot, urgent []uint32) {
	for i := range s.Services {
		service := &s.Services[i]
		w := weight{tier: service.Facts.Tier, exposed: service.Facts.InternetFacing || service.Facts.CrownJewel, urgent: urgent[i]}
		at := service.Owner
		o.owners.weight[at] = o.owners.weight[at].join(w)
		o.groups.weight[o.groupOf[at]] = o.groups.weight[o.groupOf[at]].join(w)
		o.teams.weight[o.teamOf[at]] = o.teams.weight[o.teamOf[at]].join(w)
		o.units.weight[o.unitOf[at]] = o.units.weight[o.unitOf[at]].join(w)
	}
}

// presentOf lists the wider entities of the present owners, each once; widen is groupOf, teamOf or unitOf.
func (o *ownership) presentOf(widen []int32) []int32 {
	var wider []int32
	seen := make([]bool, len(o.owners.labels)) // there are never more wider entities than owners
	for _, owner := range o.present {
		if at := widen[owner]; !seen[at] {
			seen[at] = true
			wider = append(wider, at)
		}
	}
	return wider
}

// of picks the entities that the labels of a family name, and where among the labels they stand; nil if the family is not
// about owners.
func (o *ownership) of(names []string) (e *entities, at int) {
	for _, e := range []*entities{&o.owners, &o.groups, &o.teams, &o.units} {
		for at := 0; at+len(e.names) <= len(names); at++ {
			if slices.Equal(names[at:at+len(e.names)], e.names) {
				return e, at
			}
		}
	}
	return nil, 0
}

// index finds or adds entities by their labels.
type index struct {
	in *entities
	at map[string]int32
	// key is room for a key of at.
	key []byte
}

func newIndex(e *entities) *index { return &index{in: e, at: map[string]int32{}} }

// of finds or adds an entity and joins a weight to its own. It keeps a copy of the labels.
func (x *index) of(w weight, labels ...string) int32 {
	x.key = x.key[:0]
	for _, label := range labels {
		x.key = append(append(x.key, label...), separator)
	}
	at, ok := x.at[string(x.key)]
	if !ok {
		at = int32(len(x.in.labels))
		x.at[string(x.key)] = at
		x.in.labels = append(x.in.labels, slices.Clone(labels))
		x.in.weight = append(x.in.weight, w)
	}
	x.in.weight[at] = x.in.weight[at].join(w)
	return at
}

// separator stands between label values in map keys. They are valid UTF-8, in which this byte does not occur.
const separator = '\xff'

// joined is a map key for label values.
func joined(labels []string) string { return strings.Join(labels, "\xff") }

// named is a label value for untrusted text: valid UTF-8, bounded, and the given word where there is none.
func named(text, empty string) string {
	text = labelValue(text)
	if text == "" {
		return empty
	}
	return text
}

// maxLabelValue bounds the bytes of a label value.
const maxLabelValue = 128

// labelValue makes any text fit for a label: valid UTF-8 without control characters and at most maxLabelValue bytes.
func labelValue(text string) string {
	text = record.Text(text)
	if len(text) <= maxLabelValue {
		return text
	}
	cut := maxLabelValue
	for cut > 0 && text[cut]&0xC0 == 0x80 {
		cut--
	}
	return text[:cut]
}
