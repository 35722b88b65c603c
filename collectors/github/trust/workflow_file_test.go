package trust

import (
	"slices"
	"strings"
	"testing"

	"prodsec_exporter/internal/record"
)

func TestParseWorkflow(t *testing.T) {
	tests := []struct {
		name, text     string
		idToken        record.Answer
		environments   []string
		dynamic, calls bool
		publishes      record.Answer
	}{
		{"no permissions", "jobs: {a: {steps: [{run: make}]}}", record.AnswerNo, nil, false, false, record.AnswerUnknown},
		{"of the workflow", "permissions: {id-token: write}\njobs: {a: {steps: []}}", record.AnswerYes, nil, false, false, record.AnswerUnknown},
		{"of a job", "jobs: {a: {}, b: {permissions: {contents: read, id-token: write}}}", record.AnswerYes, nil, false, false, record.AnswerUnknown},
		{"taken away by the only job", "permissions: {id-token: write}\njobs: {a: {permissions: {contents: read}}}", record.AnswerNo, nil, false, false, record.AnswerUnknown},
		{"taken away by nothing at all", "permissions: {id-token: write}\njobs: {a: {permissions: {}}}", record.AnswerNo, nil, false, false, record.AnswerUnknown},
		{"everything", "permissions: write-all\njobs: {a: {}}", record.AnswerYes, nil, false, false, record.AnswerUnknown},
		{"everything to read", "permissions: read-all\njobs: {a: {}}", record.AnswerNo, nil, false, false, record.AnswerUnknown},
		{"read is not enough", "permissions: {id-token: read}\njobs: {a: {}}", record.AnswerNo, nil, false, false, record.AnswerUnknown},
		{"no jobs", "permissions: write-all", record.AnswerNo, nil, false, false, record.AnswerUnknown},
		{"environments", "jobs: {a: {environment: prod}, b: {environment: {name: dev, url: x}}, c: {environment: prod}}", record.AnswerNo, []string{"dev", "prod"}, false, false, record.AnswerUnknown},
		{"an environment to be found out", "jobs: {a: {environment: '${{ inputs.x }}'}}", record.AnswerNo, nil, true, false, record.AnswerUnknown},
		{"an environment to be found out in an object", "jobs: {a: {environment: {name: '${{ inputs.x }}'}}}", record.AnswerNo, nil, true, false, record.AnswerUnknown},
		{"calls another", "jobs: {a: {uses: acme/x/.github/workflows/y.yml@v1, permissions: {id-token: write}}}", record.AnswerYes, nil, false, true, record.AnswerUnknown},
		{"publishes by an action", "jobs: {a: {steps: [{uses: GoReleaser/goreleaser-action@abc}]}}", record.AnswerNo, nil, false, false, record.AnswerYes},
		{"publishes by a command", "jobs: {a: {steps: [{run: 'cd x && npm publish --provenance'}]}}", record.AnswerNo, nil, false, false, record.AnswerYes},
		{"an anchor", "x: &p {id-token: write}\npermissions: *p\njobs: {a: {}}", record.AnswerYes, nil, false, false, record.AnswerUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, err := parseWorkflow("w.yml", tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if w.idToken != tt.idToken || !slices.Equal(w.environments, tt.environments) || w.dynamic != tt.dynamic || w.calls != tt.calls || w.publishes != tt.publishes {
				t.Errorf("parseWorkflow() = %+v", w)
			}
		})
	}
}

// FuzzParseWorkflow: whatever somebody commits, reading it ends, and what cannot be understood is unknown.
func FuzzParseWorkflow(f *testing.F) {
	for _, text := range []string{
		"name: Ship it\non: {push: {tags: ['v*']}}\npermissions: {contents: read}\njobs:\n  build:\n    permissions: {id-token: write}\n    environment: production\n" +
			"    steps: [{uses: softprops/action-gh-release@v2}]\n",
		"on: workflow_dispatch\njobs: {go: {environment: '${{ inputs.where }}', steps: [{run: ./deploy}]}}\n",
		"a: &a [*a]", "jobs: [", "jobs: {a: {permissions: [id-token]}}", "name: {x: y}", "permissions:\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		w, err := parseWorkflow("w.yml", text)
		if err != nil && (w.idToken.Known() || w.publishes.Known() || len(w.environments) > 0) {
			t.Errorf("%v, and yet %+v", err, w)
		}
		if err == nil && !w.idToken.Known() {
			t.Errorf("understood, but %+v", w)
		}
		if w.name == "" || len(w.name) > record.MaxText || strings.ContainsAny(w.name, "\n") {
			t.Errorf("name %q", w.name)
		}
	})
}

func TestWorkflowsThatOnlyOthersCall(t *testing.T) {
	for on, want := range map[string]bool{
		"workflow_call": true, "[workflow_call]": true, "{workflow_call: {inputs: {}}}": true, "push": false, "[workflow_call, workflow_dispatch]": false,
		"{workflow_call: , push: {}}": false, "": false,
	} {
		w, err := parseWorkflow("w.yml", "on: "+on+"\npermissions: write-all\njobs: {a: {}}")
		if err != nil {
			t.Fatal(err)
		}
		if w.onlyCalled != want {
			t.Errorf("on: %s is only called: %t, want %t", on, w.onlyCalled, want)
		}
		// Those who call it need the permission, too, and are asked about that.
		if got := (repositoryWorkflows{known: true, files: []workflow{w}}).asksForToken(); got != record.AnswerOf(!want) {
			t.Errorf("on: %s asks for a token: %q", on, got)
		}
	}
}
