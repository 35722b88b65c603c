package cyclonedx

import (
	"prodsec_exporter/collectors/reports/formattest"
	"prodsec_exporter/internal/record"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const cyclonedxMarkupDocument = `<?xml version="1.0"?>
<bom xmlns="http://cyclonedx.org/schema/bom/1.6" version="1"><metadata><timestamp>2026-01-02T03:04:05Z</timestamp>
 <tools><components><component type="application"><name>cdxgen</name></component><component><name>Trivy</name></component></components></tools>
 <component type="container"><name>acme/api:1</name></component></metadata>
<components><component bom-ref="a"><group>com.x</group><name>jackson</name><version>2</version><purl>pkg:maven/com.x/jackson@2</purl>
 <components><component bom-ref="part"><name>inner</name><version>3</version></component></components></component></components>
<properties><property name="p">x<deep/></property></properties>
<vulnerabilities>
 <vulnerability><id>SNYK-1</id><source><name>NVD</name><url>https://nvd.example/1</url></source><references><reference><id>CVE-2026-11111</id></reference></references>
  <ratings><rating><source><name>other</name></source><severity>critical</severity></rating><rating><source><name>NVD</name></source><severity>medium</severity></rating></ratings>
  <cwes><cwe>502</cwe></cwes><description>bad&nbsp;thing</description>
  <analysis><state>not_affected</state><justification>protected_at_perimeter</justification></analysis>
  <affects><target><ref>a</ref></target><target><ref>urn:cdx:1/1#part</ref></target></affects></vulnerability>
 <vulnerability><id>CVE-2026-22222</id><ratings><rating><score>9.9</score><method>CVSSv2</method></rating></ratings><affects><target><ref>pkg:deb/debian/bash@5</ref></target></affects></vulnerability>
 <vulnerability><id>CVE-2026-33333</id><ratings><rating><severity>none</severity></rating></ratings><analysis><state>exploitable</state><responses><response>will_not_fix</response></responses></analysis></vulnerability>
 <vulnerability/>
</vulnerabilities></bom>`

func TestCycloneDXMarkup(t *testing.T) {
	r := formattest.MustRead(t, XML{}, cyclonedxMarkupDocument)
	base := record.Finding{Tool: "trivy", Class: record.ClassSCA, Place: "acme/api"}
	first := base
	first.Rule, first.Title, first.URL, first.Severity, first.Category = "SNYK-1", "bad\u00a0thing", "https://nvd.example/1", record.SeverityMedium, "CWE-502"
	first.Aliases, first.Package, first.Version, first.Closure = []string{"CVE-2026-11111"}, "maven/com.x:jackson", "2", record.ClosureMitigated
	inner := first
	inner.Package, inner.Version = "generic/inner", "3"
	system := base
	system.Class, system.Rule, system.Title, system.Severity = record.ClassContainer, "CVE-2026-22222", "CVE-2026-22222", record.SeverityHigh
	system.Category, system.Aliases, system.Package = "deb", []string{"CVE-2026-22222"}, "deb/bash"
	bare := base
	bare.Rule, bare.Title, bare.Severity = "CVE-2026-33333", "CVE-2026-33333", record.SeverityUnknown
	bare.Aliases, bare.Closure = []string{"CVE-2026-33333"}, record.ClosureWontFix
	if d := cmp.Diff([]record.Finding{first, inner, system, bare}, r.Findings, cmpopts.IgnoreFields(record.Finding{}, "ID")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if r.Rejected[record.RejectNoID] != 1 || r.Incomplete || r.ProducedAt.IsZero() {
		t.Errorf("rejected %v, incomplete %t, of %s; want one without an id, complete and dated", r.Rejected, r.Incomplete, r.ProducedAt)
	}
	nested := formattest.MustRead(t, XML{}, `<bom xmlns="http://cyclonedx.org/schema/bom/1.1" xmlns:v="http://cyclonedx.org/schema/ext/vulnerability/1.0"><components><component><name>x</name>
		<purl>pkg:npm/x@1</purl><v:vulnerabilities><v:vulnerability><v:id>CVE-2026-1111</v:id><v:ratings><v:rating><v:method>CVSSv3</v:method>
		<v:vector>AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H</v:vector></v:rating></v:ratings></v:vulnerability></v:vulnerabilities></component></components></bom>`)
	if len(nested.Findings) != 1 || nested.Findings[0].Package != "npm/x" || nested.Findings[0].Severity != record.SeverityCritical || nested.Incomplete {
		t.Errorf("vulnerabilities inside a component: got %+v", nested.Findings)
	}
	if r := formattest.MustRead(t, XML{}, `<bom xmlns="http://cyclonedx.org/schema/bom/1.4"><components/></bom>`); !r.Incomplete {
		t.Error("a bill of materials without a list of vulnerabilities says nothing about them")
	}
}

func FuzzCycloneDXMarkup(f *testing.F) {
	formattest.Seeds(f, "cyclonedx")
	formattest.Fuzz(f, XML{}, cyclonedxMarkupDocument, `<bom xmlns="http://cyclonedx.org/schema/bom/1.1"><components><component><name>x</name></component></components></bom>`)
}
