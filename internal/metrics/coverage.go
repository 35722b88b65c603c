package metrics

import (
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// coverage lists the families of the board "Coverage": where do we have controls?
var coverage = []*Family{
	{
		Name: "prodsec_service_info",
		Help: "One for each service in the catalog, and one for unattributed where something is: facts to join with on the owner " +
			"labels. Over the series budget the value of service_name=\"other\" stays 1.",
		Type: Info, Stability: Stable,
		Labels:  append(owner(), "product_area", "crown_jewel", "internet_facing", "lifecycle"),
		Unbound: []string{"product_area", "lifecycle"},
		Source:  "Service",
		Refresh: refreshPosture,
		Example: `count by (trust_tier) (prodsec_service_info{crown_jewel="true"})`,
		Combine: Once,
		Collect: serviceInfo,
	},
	{
		Name: "prodsec_protected_repositories",
		Help: "Repositories by the result of each protection check. Protection is the union of classic branch protection and " +
			"active rulesets; required passes when all checks that policy requires pass. Scope branch is the worst of the default " +
			"branch and listed release branches; scope environment is the worst of the production environments, and repositories " +
			"without one are not counted. What could not be read is unknown. Archived repositories and forks are left out.",
		Type: Gauge, Stability: Stable,
		Labels:  []string{"check", "scope", "privileged", "business_unit", "team", "trust_tier", "status"},
		Source:  "Repository.Branches, Repository.Environments",
		Refresh: refreshPosture,
		Example: `sum by (business_unit, status) (prodsec_protected_repositories{check="required", scope="branch"})`,
		Collect: protectedRepositories,
	},
	{
		Name: "prodsec_repository_protection_gap",
		Help: "One for each check that fails or is unknown on a privileged repository (policy.protection.privileged). Over the " +
			"series budget service_name and repository become \"other\" and the value is the number of gaps.",
		Type: Gauge, Stability: Stable,
		Labels:  append(owner(), "repository", "check", "scope", "status"),
		Detail:  []string{"repository"},
		Source:  "Repository.Branches, Repository.Environments, Repository.Topics",
		Refresh: refreshPosture,
		Example: `prodsec_repository_protection_gap{check="required", status="fail"}`,
		Collect: repositoryProtectionGap,
	},
	{
		Name: "prodsec_unmapped_repositories",
		Help: "Repositories that belong to no service, by reason: no catalog mentions it, its service names no team, or it is " +
			"archived and no catalog mentions it.",
		Type: Gauge, Stability: Stable,
		Labels:  []string{"reason"},
		Source:  "Repository.Name, Service.Repositories",
		Refresh: refreshPosture,
		Example: `sum(prodsec_unmapped_repositories{reason!="archived"})`,
		Collect: unmappedRepositories,
	},
	{
		Name: "prodsec_catalog_conflicts",
		Help: "Services of which two catalogs know a fact differently, by fact. The catalog that policy.catalog_precedence puts first " +
			"counts; a catalog that leaves a fact open contradicts nobody. A trust tier or an owner that is disputed here decides SLA " +
			"targets and who is alerted.",
		Type: Gauge, Stability: Stable,
		Labels:  []string{"field"},
		Source:  "Service",
		Refresh: refreshPosture,
		Example: `prodsec_catalog_conflicts{field=~"team|trust_tier"} > 0`,
		Collect: catalogConflicts,
	},
	{
		Name: "prodsec_scan_repositories",
		Help: "Repositories by how fresh the last successful scan of a class is, over all tools that report it: current within " +
			"policy.scan_max_age or where a tool that looks at every change by itself is switched on, stale beyond, never if no tool has scanned it, unknown if a source that would know could not be read. " +
			"Classes that no source says anything about are absent. Archived repositories and forks are left out.",
		Type: Gauge, Stability: Stable,
		Labels:  []string{"class", "business_unit", "team", "trust_tier", "status"},
		Source:  "Scan",
		Refresh: refreshFindings,
		Example: `sum by (class, business_unit) (prodsec_scan_repositories{status!="current"})`,
		Collect: scanRepositories,
	},
}

// owner is a fresh copy of the OWNER labels, to append to.
func owner() []string { return append([]string(nil), ownerLabels...) }

// boolean is the label value of an answer.
func boolean(a record.Answer) string {
	switch a {
	case record.AnswerYes:
		return "true"
	case record.AnswerNo:
		return "false"
	case record.AnswerUnknown:
		return "unknown"
	default:
		return "unknown"
	}
}

func serviceInfo(in *Input, out *Sink) {
	if catalogs := in.shared.sources.of(record.KindService); catalogs.ever && !catalogs.now {
		return // every catalog is too old to be shown
	}
	for _, i := range in.shared.inService {
		s := &in.Snapshot.Services[i]
		dim := out.Dim(named(s.ProductArea, none), boolean(s.CrownJewel), boolean(s.InternetFacing), named(s.Lifecycle, none))
		out.Add(s.Owner, dim, 1)
	}
}

func protectedRepositories(in *Input, out *Sink) {
	dims := postureDims(out)
	for i := range in.shared.postures {
		p := &in.shared.postures[i]
		group := in.shared.own.groupOf[p.owner]
		for check, status := range p.status {
			switch {
			case status == notApplicable:
			case p.dropped:
				out.Unknown(group, dims(check, p.privileged, status))
			default:
				out.Add(group, dims(check, p.privileged, status), 1)
			}
		}
	}
	if in.shared.sources.of(record.KindRepository).complete() {
		zeroPostures(in, out, dims)
	}
}

// postureDims declares every combination of check, privileged and status, and returns where each is.
func postureDims(out *Sink) func(check int, privileged bool, status result) int {
	for _, c := range protectionChecks {
		for _, privileged := range []string{"false", "true"} {
			for _, status := range results {
				out.NewDim(string(c.check), c.scope, privileged, string(status))
			}
		}
	}
	return func(check int, privileged bool, status result) int {
		at := check * 2
		if privileged {
			at++
		}
		return at*len(results) + int(status)
	}
}

// zeroPostures shows 0 for the results that no repository of a group has, so that shares can be computed by status.
func zeroPostures(in *Input, out *Sink, dims func(check int, privileged bool, status result) int) {
	width := dims(len(protectionChecks), false, 0)
	seen := make([]bool, len(in.shared.own.groups.labels)*width)
	for i := range in.shared.postures {
		p := &in.shared.postures[i]
		group := in.shared.own.groupOf[p.owner]
		for check, status := range p.status {
			first := dims(check, p.privileged, 0)
			at := int(group)*width + first
			if status == notApplicable || seen[at] {
				continue
			}
			seen[at] = true
			for status := range results {
				out.Zero(group, first+status)
			}
		}
	}
}

func repositoryProtectionGap(in *Input, out *Sink) {
	for i := range in.shared.postures {
		p := &in.shared.postures[i]
		if !p.privileged {
			continue
		}
		repository := labelValue(string(p.repository))
		for check, status := range p.status {
			if status == notApplicable || results[status] == policy.StatusPass {
				continue
			}
			c := protectionChecks[check]
			dim := out.NewDim(repository, string(c.check), c.scope, string(results[status]))
			if p.dropped {
				out.Unknown(p.owner, dim)
				continue
			}
			out.Add(p.owner, dim, 1)
		}
	}
}

func unmappedRepositories(in *Input, out *Sink) {
	read := in.shared.sources.of(record.KindRepository)
	if !read.ever {
		return
	}
	for i := range in.Snapshot.Repositories {
		r := &in.Snapshot.Repositories[i]
		switch {
		case r.Unmapped == "":
		case in.shared.sources.isDropped(r.Scope):
			out.Unknown(noEntity, out.Dim(string(r.Unmapped)))
		default:
			out.Add(noEntity, out.Dim(string(r.Unmapped)), 1)
		}
	}
	if !read.complete() {
		return
	}
	for _, reason := range snapshot.UnmappedReasons() {
		out.Zero(noEntity, out.Dim(string(reason)))
	}
}

// catalogConflicts counts a service once for each fact. A catalog that was never read or is too old may contradict the others, so only
// what is in dispute is shown then, and no zero.
func catalogConflicts(in *Input, out *Sink) {
	read := in.shared.sources.of(record.KindService)
	if read.ever && !read.now || !read.ever && len(in.Snapshot.Services) < 2 {
		return
	}
	for i := range in.Snapshot.CatalogConflicts {
		out.Add(noEntity, out.Dim(string(in.Snapshot.CatalogConflicts[i].Field)), 1)
	}
	if read.partly {
		return
	}
	for _, field := range snapshot.CatalogFields() {
		out.Zero(noEntity, out.Dim(string(field)))
	}
}
