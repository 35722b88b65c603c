package derivation

import (
	"time"

	"prodsec_exporter/internal/ledger/records"
	"prodsec_exporter/internal/ledger/store"
)

// placement is the state as its tables of records see it.
type placement struct{ s *State }

// Service says which service a record is about and who owns that now.
func (p placement) Service(about records.Subject) (service, owner int32) {
	if about.Service != "" {
		if p := p.s.serviceNamed(about.Service); p >= 0 {
			service = p
		}
	} else if rule := p.s.catalog.Rules[about.Repository]; rule != nil {
		if name := rule.Sole(); name != "" {
			service = max(0, p.s.services.find(name))
		}
	}
	if int(service) >= len(p.s.catalog.Services) {
		return 0, 0
	}
	return service, p.s.catalog.Services[service].Owner
}

func (p placement) Scope(number int32) (source store.SourceID, position int32) {
	return p.s.scopes[number].Source, p.s.scopePositionOf(number)
}

func (p placement) ReadLater(service int32, observed int64) bool {
	first, late := p.s.readLater[service]
	return late && first > observed
}

func (p placement) Founded() time.Time { return p.s.founded }
