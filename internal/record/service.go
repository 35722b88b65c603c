package record

// Unattributed is the service, team and business unit of everything that no catalog claims.
const Unattributed = "unattributed"

// Service is a unit of software that somebody owns, as a catalog describes it. Source: the YAML catalog,
// Backstage components, or GitHub custom properties.
type Service struct {
	// Name identifies the service across all catalogs.
	Name string
	// RenamedFrom are names that the service had before, the latest first: what names one of them means this service.
	RenamedFrom []string `json:",omitempty"`
	// Identity is what stays the same within its source when the service is renamed, e.g. Backstage's metadata.uid; empty where the source has no such thing. A
	// service that comes under another name with the identity of one that is gone is that one, renamed.
	Identity string `json:",omitempty"`
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
	// Contradictions are the facts of which the catalog itself says two things, e.g. by two repositories of one service.
	Contradictions []Contradiction `json:",omitempty"`
}

// ServiceField is a fact about a service that a catalog states.
type ServiceField string

// The fields.
const (
	FieldBusinessUnit   ServiceField = "business_unit"
	FieldTeam           ServiceField = "team"
	FieldTrustTier      ServiceField = "trust_tier"
	FieldProductArea    ServiceField = "product_area"
	FieldLifecycle      ServiceField = "lifecycle"
	FieldCrownJewel     ServiceField = "crown_jewel"
	FieldInternetFacing ServiceField = "internet_facing"
	FieldRepositories   ServiceField = "repositories"
)

// Contradiction is a fact of which a catalog says two things: Used is the one that the service has.
type Contradiction struct {
	Field         ServiceField
	Used, Ignored string
}

// Contradict notes that the catalog says something else about a field, too. Of several, the first is kept.
func (s *Service) Contradict(field ServiceField, used, ignored string) {
	for _, c := range s.Contradictions {
		if c.Field == field {
			return
		}
	}
	s.Contradictions = append(s.Contradictions, Contradiction{field, used, ignored})
}

// RepositoryPath says that a repository, or only the files below some paths of it, belong to a service.
type RepositoryPath struct {
	Repository RepositoryName
	// Paths are glob patterns as in CODEOWNERS' directory form ("services/api/**"); none means the whole
	// repository, which makes the service its default.
	Paths []string
}
