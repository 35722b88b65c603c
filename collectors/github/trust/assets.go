package trust

import (
	"regexp"
	"strings"
)

// assetRole is what a file of a release is for, by its name.
type assetRole string

// The roles. What is none of the others is what people came for.
const (
	assetArtifact   assetRole = "artifact"
	assetSignature  assetRole = "signature"
	assetSBOM       assetRole = "sbom"
	assetProvenance assetRole = "provenance"
	assetChecksum   assetRole = "checksum"
)

// assetRoles are the names of files that are not artifacts themselves, in lower case; the first that matches decides, so that the signature of an SBOM is a signature.
var assetRoles = []struct {
	role assetRole
	name *regexp.Regexp
}{
	{assetSignature, regexp.MustCompile(`\.(sig|asc|sigstore|sigstore\.json|pem|minisig|p7s|cosign\.bundle)$`)},
	{assetSBOM, regexp.MustCompile(`(^|[._-])(sbom|spdx|cdx|cyclonedx|bom)([._-].*)?\.(json|jsonl|xml|rdf|ya?ml|tag)(\.gz)?$|\.(spdx|sbom)$`)},
	{assetProvenance, regexp.MustCompile(`\.intoto\.jsonl?$|(^|[._-])provenance(\.json|\.jsonl)?$`)},
	{assetChecksum, regexp.MustCompile(`\.(sha\d+(sum)?s?|md5(sum)?|digest)$|(^|[._-])(checksums?|sha\d+sums?|md5sums?)(\.txt)?$`)},
}

func roleOf(name string) assetRole {
	name = strings.ToLower(name)
	for _, known := range assetRoles {
		if known.name.MatchString(name) {
			return known.role
		}
	}
	return assetArtifact
}
