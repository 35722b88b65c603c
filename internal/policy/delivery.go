package policy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"prodsec_exporter/internal/record"
)

// DeliveryConfig says when the way to production is to be trusted. Which environments are production is in ProtectionConfig.
type DeliveryConfig struct {
	// PathDeployments is how many of the last deployments of a service to a production environment must have come the protected way.
	PathDeployments int `yaml:"path_deployments" json:"path_deployments"`
	// Evidence is the release evidence that is asked for.
	Evidence EvidenceConfig `yaml:"evidence" json:"evidence"`
	// PrivilegedPipelines selects the pipelines that are privileged: any condition suffices.
	PrivilegedPipelines PipelinesConfig `yaml:"privileged_pipelines" json:"privileged_pipelines"`
	// DedicatedRepositories is the most repositories that may use a runner for it to count as dedicated.
	DedicatedRepositories int `yaml:"dedicated_repositories" json:"dedicated_repositories"`
	// StaticKeys are glob patterns, in capitals, of the names of secrets that hold a long-lived key of a cloud.
	StaticKeys []string `yaml:"static_keys" json:"static_keys"`
}

// EvidenceConfig says which evidence is asked for, by what carries it.
type EvidenceConfig struct {
	Releases    []record.EvidenceKind `yaml:"releases" json:"releases"`
	Deployments []record.EvidenceKind `yaml:"deployments" json:"deployments"`
	Pipelines   []record.EvidenceKind `yaml:"pipelines" json:"pipelines"`
	// TrustTiers are those of the services it is asked of; none means of all.
	TrustTiers []string `yaml:"trust_tiers,omitempty" json:"trust_tiers,omitempty"`
}

// PipelinesConfig selects pipelines.
type PipelinesConfig struct {
	// Production: those that deploy to a production environment.
	Production bool `yaml:"production" json:"production"`
	// Publishing: those that publish releases or artifacts.
	Publishing bool `yaml:"publishing" json:"publishing"`
	// Paths are glob patterns of the pipelines' files, e.g. ".github/workflows/release*".
	Paths []string `yaml:"paths,omitempty" json:"paths,omitempty"`
}

func defaultDelivery() DeliveryConfig {
	return DeliveryConfig{
		PathDeployments: 10,
		Evidence: EvidenceConfig{
			Releases:    []record.EvidenceKind{record.EvidenceProvenance, record.EvidenceSBOM, record.EvidenceSignature},
			Deployments: []record.EvidenceKind{record.EvidenceProvenance, record.EvidenceApproval},
			Pipelines:   []record.EvidenceKind{record.EvidenceProvenance, record.EvidenceApproval},
		},
		PrivilegedPipelines:   PipelinesConfig{Production: true, Publishing: true},
		DedicatedRepositories: 1,
		StaticKeys: []string{
			"*AWS_ACCESS_KEY*", "*AWS_SECRET*", "*AZURE_CREDENTIALS*", "*AZURE_CLIENT_SECRET*", "*ARM_CLIENT_SECRET*", "*AZURE_SP_PASSWORD*",
			"*GCP_CREDENTIALS*", "*GCP_KEY*", "*GCP_JSON*", "*GOOGLE_CREDENTIALS*", "*GOOGLE_APPLICATION_CREDENTIALS*", "*GCLOUD_*KEY*",
			"*SERVICE_ACCOUNT_KEY*", "*SERVICE_ACCOUNT_JSON*", "*_SA_KEY*", "*ALICLOUD_SECRET*", "*ALIBABA*SECRET*", "*DIGITALOCEAN_ACCESS_TOKEN*",
			"*IBMCLOUD_API_KEY*", "*IBM_CLOUD_API_KEY*", "*HCLOUD_TOKEN*", "*SCW_SECRET_KEY*",
		},
	}
}

// EvidenceKinds lists the kinds of release evidence.
func EvidenceKinds() []record.EvidenceKind {
	return []record.EvidenceKind{record.EvidenceProvenance, record.EvidenceSBOM, record.EvidenceSignature, record.EvidenceApproval}
}

func (p *Policy) checkDelivery(fail failFunc) {
	c := p.config.Delivery
	if c.PathDeployments < 1 {
		fail("delivery.path_deployments", "%d deployments show no path; use at least 1", c.PathDeployments)
	}
	if c.DedicatedRepositories < 1 {
		fail("delivery.dedicated_repositories", "a runner that fewer than 1 repository may use is of no use; use at least 1")
	}
	for key, kinds := range map[string][]record.EvidenceKind{
		"releases": c.Evidence.Releases, "deployments": c.Evidence.Deployments, "pipelines": c.Evidence.Pipelines,
	} {
		for i, kind := range kinds {
			at := fmt.Sprintf("delivery.evidence.%s[%d]", key, i)
			if !slices.Contains(EvidenceKinds(), kind) {
				fail(at, "%q is not one of %v", kind, EvidenceKinds())
			} else if slices.Index(kinds, kind) < i {
				fail(at, "%q is listed twice", kind)
			}
		}
	}
	p.checkTiers("delivery.evidence.trust_tiers", c.Evidence.TrustTiers, fail)
	checkPatterns("delivery.privileged_pipelines.paths", c.PrivilegedPipelines.Paths, fail)
	checkPatterns("delivery.static_keys", c.StaticKeys, fail)
	for i, pattern := range c.StaticKeys {
		if pattern != strings.ToUpper(pattern) {
			fail(fmt.Sprintf("delivery.static_keys[%d]", i), "%q would match nothing; names of secrets are compared in capitals", pattern)
		}
	}
}

// EvidenceCarrier is what release evidence is asked of.
type EvidenceCarrier uint8

// The carriers.
const (
	CarrierRelease EvidenceCarrier = iota
	CarrierDeployment
	CarrierPipeline
)

// EvidenceRequired is the evidence that is asked of a carrier of a service in a trust tier.
func (p *Policy) EvidenceRequired(of EvidenceCarrier, tier string) []record.EvidenceKind {
	c := p.config.Delivery.Evidence
	if len(c.TrustTiers) > 0 && !slices.Contains(c.TrustTiers, tier) {
		return nil
	}
	switch of {
	case CarrierRelease:
		return c.Releases
	case CarrierDeployment:
		return c.Deployments
	case CarrierPipeline:
		return c.Pipelines
	default:
		return nil
	}
}

// PrivilegedPipeline reports whether a pipeline is privileged. One of which nobody can say whether it publishes counts as publishing
// if its repository is privileged: leaving it out would hide it.
func (p *Policy) PrivilegedPipeline(pipeline *record.Pipeline, inPrivileged bool) bool {
	c := p.config.Delivery.PrivilegedPipelines
	return c.Production && slices.ContainsFunc(pipeline.Environments, p.Production) ||
		c.Publishing && (pipeline.Publishes == record.AnswerYes || pipeline.Publishes == record.AnswerUnknown && inPrivileged) ||
		slices.ContainsFunc(c.Paths, func(pattern string) bool {
			ok, err := path.Match(pattern, pipeline.Path)
			return err == nil && ok
		})
}

// PathStatus is the label "status" of prodsec_deployment_paths.
type PathStatus string

// The statuses of a path to production.
const (
	PathProtected   PathStatus = "protected"
	PathUnprotected PathStatus = "unprotected"
	PathUnknown     PathStatus = "unknown"
)

// PathStatuses lists the statuses of a path.
func PathStatuses() []PathStatus { return []PathStatus{PathProtected, PathUnprotected, PathUnknown} }

// Path is the status of a path: unprotected if one part of it fails, else unknown if one is unknown, else protected.
func (p *Policy) Path(parts ...Status) PathStatus {
	switch Worst(parts...) {
	case StatusPass, StatusExempt:
		return PathProtected
	case StatusFail:
		return PathUnprotected
	case StatusUnknown:
		return PathUnknown
	default:
		return PathUnknown
	}
}

// CameProtected says whether a deployment came the protected way: approved, and from a protected branch.
func (p *Policy) CameProtected(d *record.Deployment) Status {
	approved := record.AnswerUnknown
	switch d.Approval {
	case record.ApprovalApproved:
		approved = record.AnswerYes
	case record.ApprovalBypassed, record.ApprovalNone:
		approved = record.AnswerNo
	case record.ApprovalUnknown:
	}
	return StatusOf(approved.And(d.FromProtectedBranch))
}

// RunnerTrust is the label "trust" of prodsec_runners.
type RunnerTrust string

// How far a self-hosted runner is to be trusted.
const (
	RunnerDedicated     RunnerTrust = "dedicated"
	RunnerShared        RunnerTrust = "shared"
	RunnerPublicExposed RunnerTrust = "public_exposed"
	RunnerTrustUnknown  RunnerTrust = "unknown"
)

// RunnerTrusts lists the trust of runners.
func RunnerTrusts() []RunnerTrust {
	return []RunnerTrust{RunnerDedicated, RunnerShared, RunnerPublicExposed, RunnerTrustUnknown}
}

// RunnerTrust classifies a runner. Public says whether there is a public repository among those that may use it by name; unknown if they are not
// all listed, or the visibility of one is not known and no other is public.
//
// It is public_exposed if a public repository may use it: a pull request of somebody without write access could run on it. Otherwise it is dedicated if only
// listed workflows may use it, or no more than policy's few repositories; shared if more may; and unknown as long as nobody can
// rule out a public repository or say who may use it.
func (p *Policy) RunnerTrust(r *record.Runner, public record.Answer) RunnerTrust {
	exposed := r.PublicRepositories
	if exposed != record.AnswerNo && public.Known() {
		exposed = public // a permission that no public repository can use exposes nothing
	}
	few := listed(r) && len(r.Repositories) <= p.config.Delivery.DedicatedRepositories || r.Visibility == record.RunnerRepository
	switch {
	case exposed == record.AnswerYes:
		return RunnerPublicExposed
	case exposed == record.AnswerUnknown:
		return RunnerTrustUnknown
	case r.RestrictedToWorkflows == record.AnswerYes || few:
		return RunnerDedicated
	case r.Visibility == record.RunnerUnknown || r.RestrictedToWorkflows == record.AnswerUnknown:
		return RunnerTrustUnknown
	default:
		return RunnerShared
	}
}

// listed reports whether all repositories that may use the runner are known by name.
func listed(r *record.Runner) bool {
	return len(r.Repositories) > 0 && (r.Visibility == record.RunnerSelected || r.Visibility == record.RunnerRepository)
}

// CloudMethod is the label "method" of prodsec_cloud_identity_repositories.
type CloudMethod string

// How the pipelines of a repository prove who they are to a cloud.
const (
	CloudOIDC      CloudMethod = "oidc"
	CloudStaticKey CloudMethod = "static_key"
	CloudNone      CloudMethod = "none"
	CloudUnknown   CloudMethod = "unknown"
)

// CloudMethods lists the methods.
func CloudMethods() []CloudMethod {
	return []CloudMethod{CloudOIDC, CloudStaticKey, CloudNone, CloudUnknown}
}

// CloudMethod classifies a repository. A secret whose name looks like a key makes it static_key, whatever else it uses and although other
// secrets could not be read. Otherwise it is unknown unless all names were read: then oidc or none, as its workflows ask for a token or not.
func (p *Policy) CloudMethod(c *record.CloudIdentity) CloudMethod {
	for i := range c.Secrets {
		if p.StaticKey(c.Secrets[i].Name) {
			return CloudStaticKey
		}
	}
	switch {
	case c.SecretsKnown != record.AnswerYes:
		return CloudUnknown
	case c.OIDC == record.AnswerYes:
		return CloudOIDC
	case c.OIDC == record.AnswerNo:
		return CloudNone
	default:
		return CloudUnknown
	}
}

// StaticKey reports whether a secret's name is that of a long-lived key of a cloud.
func (p *Policy) StaticKey(name string) bool {
	name = strings.ToUpper(name)
	return slices.ContainsFunc(p.config.Delivery.StaticKeys, func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return err == nil && ok
	})
}
