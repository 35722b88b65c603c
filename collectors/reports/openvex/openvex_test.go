package openvex

import (
	"prodsec_exporter/collectors/reports/formattest"
	"testing"
)

func FuzzOpenVEX(f *testing.F) {
	formattest.Fuzz(f, Format{}, `{"@context": "https://openvex.dev/ns/v0.2.0", "@id": "x", "statements": [{"vulnerability": {"name": "CVE-2026-1111"}, "products": [{"@id": "pkg:oci/a", "subcomponents": [{"@id": "pkg:npm/x@1"}]}], "status": "fixed"}]}`,
		`{"@context": "openvex", "statements": [{"vulnerability": "CVE-2026-1111", "products": ["pkg:npm/x@1"], "subcomponents": ["y"], "status": "not_affected"}]}`)
}
