package families

import (
	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// coverage lists the families of the board "Coverage": where do we have controls?
var coverage = []*Family{
	{Collect: serviceInfo, Family: frame.Family{
		Name: "prodsec_service_info",
		Help: "One series for each service in the catalog, and one for unattributed if anything is unattributed. Join with it on the owner labels. Over " +
			"the series budget, the series with service_name=\"other\" stays 1.",
		Type: frame.Info, Stability: frame.Stable,
		Labels:  append(owner(), "product_area", "crown_jewel", "internet_facing", "lifecycle"),
		Unbound: []string{"product_area", "lifecycle"},
		Source:  "Service",
		Refresh: refreshPosture,
		Example: `count by (trust_tier) (prodsec_service_info{crown_jewel="true"})`,
		Combine: frame.Once,
	}},
	{Collect: protectedRepositories, Family: frame.Family{
		Name: "prodsec_protected_repositories",
		Help: "Repositories by the result of each protection check. A check reads classic branch protection and active rulesets together. " +
			"check=\"required\" passes when all checks that policy requires pass. scope=\"branch\" is the worst result of the default branch and the listed " +
			"release branches; scope=\"environment\" is the worst result of the production environments, and repositories without one are not counted. " +
			"status is unknown where settings could not be read. Archived repositories and forks are not counted.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"check", "scope", "privileged", "business_unit", "team", "trust_tier", "status"},
		Source:  "Repository.Branches, Repository.Environments",
		Refresh: refreshPosture,
		Example: `sum by (business_unit, status) (prodsec_protected_repositories{check="required", scope="branch"})`,
	}},
	{Collect: repositoryProtectionGap, Withheld: true, Family: frame.Family{
		Name: "prodsec_repository_protection_gap",
		Help: "1 for each protection check that fails or is unknown on a privileged repository (policy.protection.privileged). Over the series budget, " +
			"service_name and repository become \"other\" and the value is the number of gaps.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  append(owner(), "repository", "check", "scope", "status"),
		Detail:  []string{"repository"},
		Source:  "Repository.Branches, Repository.Environments, Repository.Topics",
		Refresh: refreshPosture,
		Example: `prodsec_repository_protection_gap{check="required", status="fail"}`,
	}},
	{Collect: unmappedRepositories, Family: frame.Family{
		Name: "prodsec_unmapped_repositories",
		Help: "Repositories without an owner, by reason: no_catalog_entry (no catalog lists the repository) or no_owner (its service, or a service that " +
			"has a part of it, has no team), and three that prodsec_scope_size does not count: archived, fork, and no_source_host (findings name it and " +
			"no source host lists it). The share of mapped repositories is 1 minus the first two over prodsec_scope_size{kind=\"repositories\"}.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"reason"},
		Source:  "Repository.Name, Service.Repositories",
		Refresh: refreshPosture,
		Example: `sum(prodsec_unmapped_repositories{reason=~"no_catalog_entry|no_owner"})`,
	}},
	{Collect: catalogConflicts, Family: frame.Family{
		Name: "prodsec_catalog_conflicts",
		Help: "Services about which two catalogs disagree, by field. The value of the catalog that comes first in policy.catalog_precedence is used; a " +
			"catalog that leaves a field empty conflicts with none. The trust tier and the owner decide SLA targets and who is alerted, so check " +
			"conflicts in them first.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"field"},
		Source:  "Service",
		Refresh: refreshPosture,
		Example: `prodsec_catalog_conflicts{field=~"team|trust_tier"} > 0`,
	}},
	{Collect: scanRepositories, Family: frame.Family{
		Name: "prodsec_scan_repositories",
		Help: "Repositories by the age of the last successful scan of a class, over all tools that report scans: current if it is within " +
			"policy.scan_max_age or if a tool that scans every change is enabled, stale if it is older, never if no tool has scanned the repository, " +
			"unknown if a source that may know of a scan could not be read. A class without any reported scan is absent. Archived repositories and " +
			"forks are not counted.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"class", "business_unit", "team", "trust_tier", "status"},
		Source:  "Scan",
		Refresh: refreshFindings,
		Example: `sum by (class, business_unit) (prodsec_scan_repositories{status!="current"})`,
	}},
}

func serviceInfo(in *tallies.Tallies, out *frame.Sink) {
	if catalogs := in.Sources.Of(record.KindService); catalogs.Ever && !catalogs.Now {
		return // every catalog is too old to be shown
	}
	for _, i := range in.Services {
		s := &in.Snapshot.Services[i]
		dim := out.Dim(frame.Named(s.ProductArea, frame.None), boolean(s.CrownJewel), boolean(s.InternetFacing), frame.Named(s.Lifecycle, frame.None))
		out.Add(s.Owner, dim, 1)
	}
}

func protectedRepositories(in *tallies.Tallies, out *frame.Sink) {
	dims := postureDims(out)
	for i := range in.Postures {
		p := &in.Postures[i]
		group := in.Owners.GroupOf[p.Owner]
		for check, status := range p.Results {
			switch {
			case status == tallies.NotApplicable:
			case p.Dropped:
				out.Unknown(group, dims(check, p.Privileged, status))
			default:
				out.Add(group, dims(check, p.Privileged, status), 1)
			}
		}
	}
	if in.Sources.Of(record.KindRepository).Complete() {
		zeroPostures(in, out, dims)
	}
}

// postureDims declares every combination of check, privileged and status, and returns where each is.
func postureDims(out *frame.Sink) func(check int, privileged bool, status tallies.ProtectionResult) int {
	for _, c := range tallies.ProtectionChecks {
		for _, privileged := range []string{"false", "true"} {
			for _, status := range tallies.ProtectionResults {
				out.NewDim(string(c.Check), c.Scope, privileged, string(status))
			}
		}
	}
	return func(check int, privileged bool, status tallies.ProtectionResult) int {
		at := check * 2
		if privileged {
			at++
		}
		return at*len(tallies.ProtectionResults) + int(status)
	}
}

// zeroPostures shows 0 for the results that no repository of a group has, so that shares can be computed by status.
func zeroPostures(in *tallies.Tallies, out *frame.Sink, dims func(check int, privileged bool, status tallies.ProtectionResult) int) {
	width := dims(len(tallies.ProtectionChecks), false, 0)
	seen := make([]bool, len(in.Owners.Groups.Labels)*width)
	for i := range in.Postures {
		p := &in.Postures[i]
		group := in.Owners.GroupOf[p.Owner]
		for check, status := range p.Results {
			first := dims(check, p.Privileged, 0)
			at := int(group)*width + first
			if status == tallies.NotApplicable || seen[at] {
				continue
			}
			seen[at] = true
			for status := range tallies.ProtectionResults {
				out.Zero(group, first+status)
			}
		}
	}
}

func repositoryProtectionGap(in *tallies.Tallies, out *frame.Sink) {
	for i := range in.Postures {
		p := &in.Postures[i]
		if !p.Privileged {
			continue
		}
		repository := frame.LabelValue(string(p.Repository))
		for check, status := range p.Results {
			if status == tallies.NotApplicable || tallies.ProtectionResults[status] == policy.StatusPass {
				continue
			}
			c := tallies.ProtectionChecks[check]
			dim := out.NewDim(repository, string(c.Check), c.Scope, string(tallies.ProtectionResults[status]))
			if p.Dropped {
				out.Unknown(p.Owner, dim)
				continue
			}
			out.Add(p.Owner, dim, 1)
		}
	}
}

func unmappedRepositories(in *tallies.Tallies, out *frame.Sink) {
	read := in.Sources.Of(record.KindRepository)
	if !read.Ever {
		return
	}
	for i := range in.Snapshot.Repositories {
		r := &in.Snapshot.Repositories[i]
		switch {
		case r.Unmapped == "":
		case in.Sources.IsDropped(r.Scope):
			out.Unknown(frame.NoEntity, out.Dim(string(r.Unmapped)))
		default:
			out.Add(frame.NoEntity, out.Dim(string(r.Unmapped)), 1)
		}
	}
	if !read.Complete() {
		return
	}
	for _, reason := range snapshot.UnmappedReasons() {
		out.Zero(frame.NoEntity, out.Dim(string(reason)))
	}
}

// catalogConflicts counts a service once for each fact. A catalog that was never read or is too old may contradict the others, so only
// what is in dispute is shown then, and no zero.
func catalogConflicts(in *tallies.Tallies, out *frame.Sink) {
	read := in.Sources.Of(record.KindService)
	if read.Ever && !read.Now || !read.Ever && len(in.Snapshot.Services) < 2 {
		return
	}
	for i := range in.Snapshot.CatalogConflicts {
		out.Add(frame.NoEntity, out.Dim(string(in.Snapshot.CatalogConflicts[i].Field)), 1)
	}
	if read.Partly {
		return
	}
	for _, field := range snapshot.CatalogFields() {
		out.Zero(frame.NoEntity, out.Dim(string(field)))
	}
}

// scanStatuses are the values of the label "status" of prodsec_scan_repositories, by tallies.ScanFreshness.
var scanStatuses = []string{"current", "stale", "never", "unknown"}

// scanRepositories counts repositories by class and freshness.
func scanRepositories(in *tallies.Tallies, out *frame.Sink) {
	classes := record.Classes()
	out.Product(classValues, scanStatuses)
	shown := map[int32]bool{}
	for _, at := range tallies.RepositoriesToScan(&in.Input, in.Sources) {
		r := &in.Snapshot.Repositories[at]
		group := in.Owners.GroupOf[in.Snapshot.Services[r.Service].Owner]
		dropped := in.Sources.IsDropped(r.Scope)
		for class := range classes {
			scans := &in.Scans[class]
			if !scans.Reported {
				continue
			}
			status := scans.Freshness(&in.Input, classes[class], r.Name)
			dim := class*len(scanStatuses) + int(status)
			if dropped {
				out.Unknown(group, dim)
			} else {
				out.Add(group, dim, 1)
			}
			if !shown[group] {
				for status := range scanStatuses {
					out.Zero(group, class*len(scanStatuses)+status)
				}
			}
		}
		shown[group] = true
	}
}
