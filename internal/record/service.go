package record

// Unattributed is the service, team and business unit of everything that no catalog claims.
const Unattributed = "unattributed"

// Service is a unit of software that somebody owns, as a catalog describes it. Source: the YAML catalog,
// Backstage components, or GitHub custom properties.
type Service struct {
	// Name identifies the service across all catalogs.
	Name string
	// BusinessUnit and Team own the service; empty means that the catalog names none.
	BusinessUnit string
	Team         string
	// TrustTier is the organisation's own word for how much depends on the service, e.g. "tier0".
	TrustTier string
	// ProductArea groups services for questions about products.
	ProductArea string
	// Lifecycle is the catalog's word, e.g. "production", "experimental", "deprecated".
	Lifecycle string
	// CrownJewel and InternetFacing are the two facts about exposure that SLA targets and risk weigh.
	CrownJewel     Answer
	InternetFacing Answer
	// Repositories host the service's code. A repository may appear under several services.
	Repositories []RepositoryPath
	// Facts are further catalog fields that may serve as control evidence (e.g. "threat_model": "2026-03-01").
	Facts map[string]string
}

// RepositoryPath says that a repository, or only the files below some paths of it, belong to a service.
type RepositoryPath struct {
	Repository RepositoryName
	// Paths are glob patterns as in CODEOWNERS' directory form ("services/api/**"); none means the whole
	// repository, which makes the service its default.
	Paths []string
}
