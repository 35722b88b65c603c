package trust

import (
	"testing"
)

func TestRolesOfFiles(t *testing.T) {
	for name, want := range map[string]assetRole{
		"app-1.2.tar.gz": assetArtifact, "app.exe": assetArtifact, "spdx-viewer.tar.gz": assetArtifact, "bomber.json": assetArtifact, "bundle.js": assetArtifact,
		"app.tar.gz.asc": assetSignature, "app.sigstore.json": assetSignature, "cosign.pem": assetSignature, "SBOM.SPDX.JSON.sig": assetSignature, "app.cosign.bundle": assetSignature,
		"sbom.json": assetSBOM, "app-sbom.cyclonedx.xml": assetSBOM, "bom.xml": assetSBOM, "app.spdx": assetSBOM, "app_1.2_linux.sbom.json": assetSBOM, "app.cdx.json": assetSBOM,
		"multiple.intoto.jsonl": assetProvenance, "provenance.json": assetProvenance, "app.zip.provenance": assetProvenance,
		"SHA256SUMS": assetChecksum, "checksums.txt": assetChecksum, "app.zip.sha256": assetChecksum, "app_checksums.txt": assetChecksum, "app.md5": assetChecksum,
	} {
		if got := roleOf(name); got != want {
			t.Errorf("roleOf(%q) = %q, want %q", name, got, want)
		}
	}
}
