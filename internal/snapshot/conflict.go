package snapshot

import "prodsec_exporter/internal/record"

// CatalogConflict is a fact about a service that two catalogs know differently, or one in two places.
type CatalogConflict struct {
	// Service is an index into Snapshot.Services.
	Service int32
	Field   CatalogField
	// Used is what counts, and UsedBy the catalog instance, "kind/name", that policy prefers; Ignored is the value of IgnoredBy
	// instead. Of several catalogs with other values, the one that comes first by precedence is named. It is UsedBy itself where one catalog has two values.
	Used, UsedBy       string
	Ignored, IgnoredBy string
}

// CatalogField is a fact about a service that a catalog states. It is the label "field" of prodsec_catalog_conflicts.
type CatalogField = record.ServiceField

// CatalogFields lists every field, the owner first.
func CatalogFields() []CatalogField {
	return []CatalogField{
		record.FieldBusinessUnit, record.FieldTeam, record.FieldTrustTier, record.FieldProductArea, record.FieldLifecycle, record.FieldCrownJewel,
		record.FieldInternetFacing, record.FieldRepositories,
	}
}
