package githubtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"prodsec_exporter/collectors/collectorstest"
)

// DependabotJSON is a Dependabot alert of acme/api; more adds fields.
func DependabotJSON(n int, state, more string) string {
	return fmt.Sprintf(`{"number":%d,"state":%q,"html_url":"https://github.com/Acme/api/security/dependabot/%d",`+
		`"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-02-01T00:%02d:00Z",`+InRepository("api")+`,`+
		`"dependency":{"package":{"ecosystem":"npm","name":"lodash"},"manifest_path":"web/package-lock.json"},`+
		`"security_advisory":{"ghsa_id":"GHSA-abcd-efgh-ijkl","cve_id":"CVE-2026-1234","summary":"Prototype pollution","severity":"high",`+
		`"epss":{"percentage":"0.16001e0","percentile":"0.9"},"cwes":[{"cwe_id":"CWE-01321"}]},`+
		`"security_vulnerability":{"severity":"high","vulnerable_version_range":"< 4.17.21","first_patched_version":{"identifier":"4.17.21"}}%s}`,
		n, state, n, n%60, more)
}

// CodeScanningJSON is a code scanning alert of acme/api; more adds fields.
func CodeScanningJSON(n int, more string) string {
	return fmt.Sprintf(`{"number":%d,"html_url":"https://github.com/Acme/api/security/code-scanning/%d","created_at":"2026-01-02T03:04:05Z",`+
		`"updated_at":"2026-02-01T00:00:00Z",`+InRepository("api")+`,"rule":{"id":"js/xss","severity":"warning","security_severity_level":"high",`+
		`"description":"Cross-site scripting","tags":["security","external/cwe/cwe-079"]},"tool":{"name":"CodeQL","version":"2.20"},`+
		`"most_recent_instance":{"location":{"path":"web/view.js","start_line":17}}%s}`, n, n, more)
}

// SecretJSON is a secret scanning alert of acme/api; more adds fields.
func SecretJSON(n int, more string) string {
	return fmt.Sprintf(`{"number":%d,"state":"open","html_url":"https://github.com/Acme/api/security/secret-scanning/%d","created_at":"2026-01-02T03:04:05Z",`+
		`"updated_at":"2026-02-01T00:00:00Z",`+InRepository("api")+`,"secret_type":"aws_access_key","secret_type_display_name":"AWS access key",`+
		`"secret":"AKIA-LITERAL-SECRET","validity":"active"%s}`, n, n, more)
}

// Files is a GitHub that answers queries about paths.
type Files struct {
	// Present are the files of default branches, as "owner/name path".
	Present map[string]bool
	// Past are the files whose history is known, and when they changed last.
	Past map[string]string
	// Hidden are repositories whose contents the credential may not read, and absent those it may not see at all.
	Hidden, Absent map[string]bool
	// Heavy is the number of paths from which on a query is too much.
	Heavy int
	Asked int
}

// NewFiles makes a GitHub of which default branches hold files, each as "owner/name path".
func NewFiles(present ...string) *Files {
	f := &Files{Present: map[string]bool{}, Past: map[string]string{}, Hidden: map[string]bool{}, Absent: map[string]bool{}, Heavy: 1000}
	for _, p := range present {
		f.Present[p] = true
	}
	return f
}

var (
	askedRepository = regexp.MustCompile(`r(\d+):repository\(`)
	askedPath       = regexp.MustCompile(`p(\d+):(object|history)\(`)
)

// Answer answers a query about paths on default branches.
func (f *Files) Answer(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Query     string
		Variables map[string]string
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.Asked++
	if len(askedPath.FindAllString(q.Query, -1)) >= f.Heavy {
		http.Error(w, `{"message":"We couldn't respond to your request in time."}`, http.StatusBadGateway)
		return
	}
	var data, failures []string
	for _, part := range strings.Split(q.Query, "\n")[1:] {
		n := askedRepository.FindStringSubmatch(part)[1]
		name := strings.ToLower(q.Variables["o"+n] + "/" + q.Variables["n"+n])
		if f.Absent[name] {
			data = append(data, fmt.Sprintf(`"r%s":null`, n))
			failures = append(failures, fmt.Sprintf(`{"type":"NOT_FOUND","path":["r%s"],"message":"Could not resolve"}`, n))
			continue
		}
		value, failed := f.repository(n, name, part, q.Variables)
		data, failures = append(data, fmt.Sprintf(`"r%s":%s`, n, value)), append(failures, failed...)
	}
	collectorstest.WriteJSON(w, `{"data":{`+strings.Join(data, ",")+`},"errors":[`+strings.Join(failures, ",")+`]}`)
}

func (f *Files) repository(n, name, part string, variables map[string]string) (value string, failures []string) {
	fields := []string{`"root":{"__typename":"Tree"}`}
	if f.Hidden[name] {
		fields[0] = `"root":null`
		failures = append(failures, fmt.Sprintf(`{"type":"FORBIDDEN","path":["r%s","root"],"message":"Resource not accessible by integration"}`, n))
	}
	histories := []string{`"__typename":"Commit"`}
	for _, p := range askedPath.FindAllStringSubmatch(part, -1) {
		path := variables["p"+p[1]]
		if p[2] == "history" {
			nodes := ""
			if at := f.Past[name+" "+path]; at != "" {
				nodes = fmt.Sprintf(`{"committedDate":%q}`, at)
			}
			histories = append(histories, fmt.Sprintf(`"p%s":{"nodes":[%s]}`, p[1], nodes))
			continue
		}
		object := "null"
		if f.Present[name+" "+strings.TrimPrefix(path, "HEAD:")] && !f.Hidden[name] {
			object = `{"__typename":"Blob"}`
		}
		fields = append(fields, fmt.Sprintf(`"p%s":%s`, p[1], object))
	}
	if strings.Contains(part, "defaultBranchRef") {
		fields = []string{`"defaultBranchRef":{"target":{` + strings.Join(histories, ",") + `}}`}
	}
	return "{" + strings.Join(fields, ",") + "}", failures
}
