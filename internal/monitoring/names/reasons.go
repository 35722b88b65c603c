package names

import "prodsec_exporter/internal/snapshot"

// ReasonsUnowned are the values of the label "reason" of UnmappedRepositories for repositories that prodsec_scope_size{kind="repositories"} counts: the others are archived, forks,
// or listed by no source host.
func ReasonsUnowned() []string {
	return []string{string(snapshot.UnmappedNoCatalogEntry), string(snapshot.UnmappedNoOwner)}
}
