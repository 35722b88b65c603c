package ledger

import (
	"maps"
	"slices"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// snapshot is the state in its immutable form. Tables share what did not change with the snapshot before.
func (s *state) snapshot() *snapshot.Snapshot {
	h := s.shelves
	made := &snapshot.Snapshot{
		At: timeOf(s.at), Founded: s.founded,
		Services: s.catalog.services, CatalogConflicts: s.catalog.conflicts, Owners: slices.Clip(s.owners.values), Repositories: slices.Clip(s.listed),
		Strings: slices.Clip(s.texts.values), Scopes: s.listScopes(),
		Weaknesses: s.weaknesses.Freeze(), Events: s.events.Freeze(), Pauses: maps.Clone(s.pauses),
		Exceptions: h.exceptions.held, Reviews: h.reviews.held, Followups: h.followups.held, Incidents: h.incidents.held,
		Deployments: h.deployments.held, Releases: h.releases.held, Escalations: h.escalations.held, Evidence: h.evidence.held,
		Answered: h.reviews.reached[0], Decided: h.exceptions.reached[0], Completed: h.followups.reached[0], Raised: h.escalations.reached[0],
		Deployed: h.deployments.reached[0], Opened: h.incidents.reached[0], Restored: h.incidents.reached[1], Bypassed: h.bypasses.reached[0],
		Pipelines: h.pipelines.held, Runners: h.runners.held, CloudIdentities: h.identities.held, Bypasses: h.bypasses.held,
		Scans: h.scans.held, Records: s.counts(), CountingChanges: slices.Clone(s.countingChanges),
	}
	for _, p := range s.policies {
		made.PolicyVersions = append(made.PolicyVersions, snapshot.PolicyVersion{Version: p.version, Since: timeOf(p.since)})
	}
	return made
}

// listScopes is the snapshot's form of the scopes.
func (s *state) listScopes() []snapshot.Scope {
	scopes := make([]snapshot.Scope, 0, len(s.scopeOrder))
	for _, number := range s.scopeOrder {
		sc := &s.scopes[number]
		source := s.configured[sc.source]
		classes := slices.Concat(sc.classes, source.Classes)
		slices.Sort(classes)
		scopes = append(scopes, snapshot.Scope{
			Collector: sc.source.collector, Instance: sc.source.instance, Name: sc.name, Kind: sc.kind(),
			Classes: slices.Compact(classes), Kinds: slices.Clone(sc.kinds), LastSuccess: sc.lastSuccess, LastFull: sc.lastFull, LastError: sc.lastError,
			StaleAfter: source.StaleAfter, StaleFrom: source.StaleFrom,
		})
	}
	return scopes
}

// counts are the records held, by kind: findings as reports, open and closed, before folding; repositories once, however many
// scopes speak of them.
func (s *state) counts() map[record.Kind]int {
	counts := map[record.Kind]int{}
	for _, h := range s.shelves.all() {
		kind, n := h.size()
		counts[kind] = n
	}
	counts[record.KindFinding] = s.reports.Len()
	counts[record.KindRepository] = len(s.hosts)
	return counts
}
