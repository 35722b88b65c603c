package snapshot

// CatalogConflict is a fact about a service that two catalogs know differently.
type CatalogConflict struct {
	// Service is an index into Snapshot.Services.
	Service int32
	Field   CatalogField
	// Used is what counts, and UsedBy the catalog instance, "kind/name", that policy believes; Ignored is what IgnoredBy says
	// instead. Of several catalogs that say something else, the one that comes first by precedence is named.
	Used, UsedBy       string
	Ignored, IgnoredBy string
}

// CatalogField is a fact about a service that a catalog states. It is the label "field" of prodsec_catalog_conflicts.
type CatalogField string

// The fields.
const (
	FieldBusinessUnit   CatalogField = "business_unit"
	FieldTeam           CatalogField = "team"
	FieldTrustTier      CatalogField = "trust_tier"
	FieldProductArea    CatalogField = "product_area"
	FieldLifecycle      CatalogField = "lifecycle"
	FieldCrownJewel     CatalogField = "crown_jewel"
	FieldInternetFacing CatalogField = "internet_facing"
	FieldRepositories   CatalogField = "repositories"
)

// CatalogFields lists every field, the owner first.
func CatalogFields() []CatalogField {
	return []CatalogField{
		FieldBusinessUnit, FieldTeam, FieldTrustTier, FieldProductArea, FieldLifecycle, FieldCrownJewel, FieldInternetFacing, FieldRepositories,
	}
}
