package reports

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

const cyclonedxMarkupDocument = `<?xml version="1.0"?>
<bom xmlns="http://cyclonedx.org/schema/bom/1.6" version="1"><components><component bom-ref="a"><name>jackson</name><purl>pkg:maven/com.x/jackson@2</purl></component></components>
<vulnerabilities><vulnerability><id>CVE-2026-33333</id><affects><target><ref>a</ref></target></affects></vulnerability></vulnerabilities></bom>`

// wide is a text in UTF-16.
func wide(order binary.AppendByteOrder, text string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, unit)
	}
	return string(b)
}

// TestReportsInOtherEncodings: a report says the same, however a shell wrote it.
func TestReportsInOtherEncodings(t *testing.T) {
	const mark = "\ufeff"
	sarif := `{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"Lïnt","rules":[{"id":"a"}]}},"results":[{"ruleIndex":0,"message":{"text":"Grüße 🙂"},` +
		`"locations":[{"physicalLocation":{"artifactLocation":{"uri":"a.go"},"region":{"startLine":7}}}]}]}]}`
	for name, document := range map[string]string{"Trivy": oneTrivy, "SARIF": sarif, "CycloneDX XML": cyclonedxMarkupDocument} {
		want := mustRead(t, document)
		if len(want.Findings) == 0 {
			t.Fatalf("%s has no findings", name)
		}
		for how, text := range map[string]string{
			"UTF-8 with mark":         mark + document,
			"UTF-16LE with mark":      wide(binary.LittleEndian, mark+document),
			"UTF-16BE with mark":      wide(binary.BigEndian, mark+document),
			"UTF-16LE without":        wide(binary.LittleEndian, document),
			"UTF-16BE without":        wide(binary.BigEndian, document),
			"carriage returns":        strings.ReplaceAll(document, "\n", "\r\n"),
			"blanks before and after": "\r\n \n" + document + "\r\n\r\n",
		} {
			if diff := cmp.Diff(want.Findings, mustRead(t, text).Findings); diff != "" {
				t.Errorf("%s as %s (-want +got):\n%s", name, how, diff)
			}
		}
	}
	latin := strings.Replace(strings.Replace(cyclonedxMarkupDocument, `encoding="UTF-8"`, `encoding="ISO-8859-1"`, 1), "<id>CVE-2026-33333</id>", "<id>CVE-2026-33333</id><description>Gr\xfc\xdfe</description>", 1)
	if !strings.Contains(latin, "ISO-8859-1") {
		latin = `<?xml version="1.0" encoding="ISO-8859-1"?>` + latin[strings.Index(latin, "<bom"):]
	}
	if r := mustRead(t, latin); len(r.Findings) != len(mustRead(t, cyclonedxMarkupDocument).Findings) {
		t.Errorf("%d findings of a document in ISO-8859-1", len(r.Findings))
	}
}

// TestSARIFWithNumbersInQuotes: some tools write every value as a text.
func TestSARIFWithNumbersInQuotes(t *testing.T) {
	const document = `{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"lint","rules":[{"id":"a"},{"id":"b","properties":{"security-severity":9.5}}]}},` +
		`"results":[{"ruleIndex":1,"message":{"text":"m"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"a.go"},"region":{"startLine":7}}}]}]}]}`
	want := mustRead(t, document)
	if want.Findings[0].Rule != "b" || want.Findings[0].Line != 7 {
		t.Fatalf("finding = %+v", want.Findings[0])
	}
	for _, change := range [][2]string{{`"ruleIndex":1`, `"ruleIndex":"1"`}, {`"ruleIndex":1`, `"ruleIndex":1.0`}, {`"startLine":7`, `"startLine":"7"`}, {`9.5`, `"9.5"`}} {
		if diff := cmp.Diff(want.Findings, mustRead(t, strings.Replace(document, change[0], change[1], 1)).Findings); diff != "" {
			t.Errorf("%s (-want +got):\n%s", change[1], diff)
		}
	}
	for _, none := range []string{`"x"`, `null`, `{}`, `-1`, `99`, `1e300`} {
		r := mustRead(t, strings.Replace(document, `"ruleIndex":1`, `"ruleId":"c","ruleIndex":`+none, 1))
		if len(r.Findings) != 1 || r.Findings[0].Rule != "c" {
			t.Errorf("ruleIndex %s: %+v, %v", none, r.Findings, r.Rejected)
		}
	}
}
