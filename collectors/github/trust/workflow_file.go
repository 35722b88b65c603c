package trust

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"prodsec_exporter/internal/record"
)

// workflow is a file that GitHub Actions runs, and what it says about itself.
type workflow struct {
	// Path is the file's, from the root of the repository.
	path string
	// Name is the title that it gives itself, else its path, as GitHub does.
	name string
	// IDToken says whether one of its jobs may ask for an OpenID Connect token.
	idToken record.Answer
	// Environments are those that its jobs name, sorted. Dynamic says that a job finds the name out when it runs, calls that a job runs another workflow, which may deploy.
	environments   []string
	dynamic, calls bool
	// OnlyCalled says that it runs only as a part of other workflows, which then are what runs.
	onlyCalled bool
	// Publishes is yes where a step is known to publish something, else unknown: a script may do anything.
	publishes record.Answer
}

// deploys says whether a job of it deploys to an environment, as far as the file tells.
func (w *workflow) deploys() bool { return len(w.environments) > 0 || w.dynamic }

// workflowFile is the part of a workflow's file that matters here. Nodes stand where several forms are allowed.
type workflowFile struct {
	Name        yaml.Node              `yaml:"name"`
	On          yaml.Node              `yaml:"on"`
	Permissions yaml.Node              `yaml:"permissions"`
	Jobs        map[string]workflowJob `yaml:"jobs"`
}

type workflowJob struct {
	Permissions yaml.Node      `yaml:"permissions"`
	Environment yaml.Node      `yaml:"environment"`
	Uses        string         `yaml:"uses"`
	Steps       []workflowStep `yaml:"steps"`
}

type workflowStep struct {
	Uses string `yaml:"uses"`
	Run  string `yaml:"run"`
}

// unreadWorkflow is a workflow of which nothing but its path is known.
func unreadWorkflow(file string) workflow { return workflow{path: file, name: file} }

// parseWorkflow reads a workflow's file. The error says that it is not one; what is returned then is an unreadWorkflow.
func parseWorkflow(file, text string) (w workflow, err error) {
	w = unreadWorkflow(file)
	var f workflowFile
	defer func() {
		// The library promises no panics, and the text is untrusted.
		if r := recover(); r != nil {
			w, err = unreadWorkflow(file), fmt.Errorf("workflow %s: %v", record.Text(file), r)
		}
	}()
	if err := yaml.Unmarshal([]byte(text), &f); err != nil {
		return w, fmt.Errorf("workflow %s: %w", record.Text(file), err)
	}
	if f.Name.Kind == yaml.ScalarNode && f.Name.Value != "" {
		w.name = record.Text(f.Name.Value)
	}
	w.onlyCalled = onlyCalled(target(&f.On))
	w.idToken = record.AnswerNo
	for _, job := range f.Jobs {
		permissions := &f.Permissions
		if !job.Permissions.IsZero() {
			permissions = &job.Permissions // A job's own permissions replace those of the workflow.
		}
		w.idToken = w.idToken.Or(asksForToken(permissions))
		w.addEnvironment(&job)
		w.calls = w.calls || job.Uses != ""
		if slices.ContainsFunc(job.Steps, workflowStep.publishes) {
			w.publishes = record.AnswerYes
		}
	}
	slices.Sort(w.environments)
	w.environments = slices.Compact(w.environments)
	return w, nil
}

// onlyCalled says whether the one event that starts a workflow is that another one calls it: a name, a list of names, or an object with names.
func onlyCalled(on *yaml.Node) bool {
	step := 1
	names := on.Content
	switch on.Kind {
	case yaml.ScalarNode:
		names = []*yaml.Node{on}
	case yaml.MappingNode:
		step = 2
	default:
	}
	for i := 0; i < len(names); i += step {
		if names[i].Value != "workflow_call" {
			return false
		}
	}
	return len(names) > 0
}

// asksForToken says whether permissions hold id-token: write. Without any, a token is not among what GitHub gives.
func asksForToken(permissions *yaml.Node) record.Answer {
	permissions = target(permissions)
	switch permissions.Kind {
	case yaml.ScalarNode:
		return record.AnswerOf(permissions.Value == "write-all")
	case yaml.MappingNode:
		for i := 0; i+1 < len(permissions.Content); i += 2 {
			if permissions.Content[i].Value == "id-token" {
				return record.AnswerOf(target(permissions.Content[i+1]).Value == "write")
			}
		}
		return record.AnswerNo
	default:
		return record.AnswerNo
	}
}

// addEnvironment notes where a job deploys: environment is a name, or an object that holds one.
func (w *workflow) addEnvironment(job *workflowJob) {
	node := target(&job.Environment)
	if node.Kind == yaml.MappingNode {
		var named struct {
			Name string `yaml:"name"`
		}
		if err := node.Decode(&named); err != nil {
			w.dynamic = true
			return
		}
		node = &yaml.Node{Kind: yaml.ScalarNode, Value: named.Name}
	}
	switch {
	case strings.Contains(node.Value, "${{"):
		w.dynamic = true
	case node.Kind == yaml.ScalarNode && node.Value != "":
		w.environments = append(w.environments, record.Text(node.Value))
	}
}

// target follows an alias.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// publishingActions are actions that publish a release, a package or an image.
var publishingActions = []string{
	"softprops/action-gh-release", "ncipollo/release-action", "actions/create-release", "goreleaser/goreleaser-action", "changesets/action",
	"googleapis/release-please-action", "pypa/gh-action-pypi-publish", "docker/build-push-action", "js-devtools/npm-publish", "actions/deploy-pages",
	"cycjimmy/semantic-release-action", "slsa-framework/slsa-github-generator",
}

// publishingCommands are commands that do.
var publishingCommands = []string{
	"gh release create", "gh release upload", "npm publish", "pnpm publish", "yarn npm publish", "cargo publish", "twine upload", "docker push", "helm push", "gem push",
	"dotnet nuget push", "mvn deploy", "gradle publish", "gradlew publish", "goreleaser release", "semantic-release", "ko build", "crane push", "oras push",
}

func (s workflowStep) publishes() bool {
	action, _, _ := strings.Cut(strings.ToLower(s.Uses), "@")
	return slices.ContainsFunc(publishingActions, func(known string) bool { return action == known || strings.HasPrefix(action, known+"/") }) ||
		slices.ContainsFunc(publishingCommands, func(known string) bool { return strings.Contains(s.Run, known) })
}

// matchesAny says whether a workflow has a name or path that one of the patterns matches, in which * and ? stand for a part and case does not matter. A pattern with a
// slash is compared with the whole path, any other with the file's name and the workflow's.
func (w *workflow) matchesAny(patterns []string) bool {
	full := strings.ToLower(w.path)
	title := strings.ReplaceAll(strings.ToLower(w.name), "/", "-") // which * would not match
	for _, p := range patterns {
		p = strings.ToLower(p)
		candidates := []string{path.Base(full), title}
		if strings.Contains(p, "/") {
			candidates = []string{full}
		}
		for _, c := range candidates {
			if ok, err := path.Match(p, c); err == nil && ok {
				return true
			}
		}
	}
	return false
}
