package tallies

import (
	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// The label names of owners, and of the groups that owners of one trust tier and team form. Callers must not change them.
var (
	OwnerLabels = []string{"business_unit", "team", "service_name", "trust_tier"}
	GroupLabels = []string{"business_unit", "team", "trust_tier"}
)

// Ownership holds the four kinds of entities that own things, and how owners map to the wider ones. Positions in Owners are those of
// Snapshot.Owners.
type Ownership struct {
	Owners, Groups, Teams, Units frame.Entities
	// GroupOf, TeamOf and UnitOf are by position in Owners.
	GroupOf, TeamOf, UnitOf []int32
	// Present lists the owners of the services there are now, unattributed only if something is.
	Present []int32
}

// NewOwnership reads the owners of a snapshot. The weights are those of tiers alone until weigh adds the rest.
func NewOwnership(s *snapshot.Snapshot, p *policy.Policy) *Ownership {
	o := &Ownership{
		Owners: frame.Entities{Names: OwnerLabels, Fixed: 1},
		Groups: frame.Entities{Names: GroupLabels, Fixed: 1},
		Teams:  frame.Entities{Names: GroupLabels[:2]},
		Units:  frame.Entities{Names: GroupLabels[:1]},
	}
	groups, teams, units := frame.NewIndex(&o.Groups), frame.NewIndex(&o.Teams), frame.NewIndex(&o.Units)
	for _, owner := range s.Owners {
		l := []string{
			frame.Named(owner.BusinessUnit, record.Unattributed), frame.Named(owner.Team, record.Unattributed),
			frame.Named(owner.Service, record.Unattributed), frame.Named(owner.TrustTier, policy.TierUnknown),
		}
		w := frame.Weight{Rank: uint8(p.Tier(owner.TrustTier))}
		o.Owners.Labels = append(o.Owners.Labels, l)
		o.Owners.Weights = append(o.Owners.Weights, w)
		o.GroupOf = append(o.GroupOf, groups.Of(w, l[0], l[1], l[3]))
		o.TeamOf = append(o.TeamOf, teams.Of(w, l[0], l[1]))
		o.UnitOf = append(o.UnitOf, units.Of(w, l[0]))
	}
	return o
}

// Entities are those that families can be about.
func (o *Ownership) Entities() []*frame.Entities {
	return []*frame.Entities{&o.Owners, &o.Groups, &o.Teams, &o.Units}
}

// weigh adds what is known of today's services to the weights; urgent is the number of open criticals and highs by service. Owners of the
// past keep their tier alone.
func (o *Ownership) weigh(s *snapshot.Snapshot, urgent []uint32) {
	for i := range s.Services {
		service := &s.Services[i]
		w := frame.Weight{Rank: uint8(service.Facts.Tier), Exposed: service.Facts.InternetFacing || service.Facts.CrownJewel, Urgent: urgent[i]}
		at := service.Owner
		for _, wider := range []struct {
			weights []frame.Weight
			at      int32
		}{{o.Owners.Weights, at}, {o.Groups.Weights, o.GroupOf[at]}, {o.Teams.Weights, o.TeamOf[at]}, {o.Units.Weights, o.UnitOf[at]}} {
			wider.weights[wider.at] = wider.weights[wider.at].Join(w)
		}
	}
}

// PresentGroups are the groups that own a service now, each once.
func (o *Ownership) PresentGroups() []int32 { return o.presentOf(o.GroupOf) }

// PresentUnits are the business units that own a service now, each once.
func (o *Ownership) PresentUnits() []int32 { return o.presentOf(o.UnitOf) }

// presentOf lists the wider entities of the present owners, each once; widen is GroupOf, TeamOf or UnitOf.
func (o *Ownership) presentOf(widen []int32) []int32 {
	var wider []int32
	seen := make([]bool, len(o.Owners.Labels)) // there are never more wider entities than owners
	for _, owner := range o.Present {
		if at := widen[owner]; !seen[at] {
			seen[at] = true
			wider = append(wider, at)
		}
	}
	return wider
}
