package snyk

import (
	"testing"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate/translatetest"
)

func TestVocabularies(t *testing.T) {
	translatetest.Vocabulary(t, classes, map[string]record.Class{
		"package_vulnerability": record.ClassSCA, "license": record.ClassOther, "cloud": record.ClassIaC, "config": record.ClassIaC,
		"code": record.ClassSAST, "custom": record.ClassOther,
	}, record.ClassOther)
	translatetest.Vocabulary(t, severities, map[string]record.Severity{
		"critical": record.SeverityCritical, "high": record.SeverityHigh, "medium": record.SeverityMedium, "low": record.SeverityLow, "info": record.SeverityLow,
		"": record.SeverityUnknown,
	}, record.SeverityUnknown)
	translatetest.Vocabulary(t, openness, map[string]bool{"open": true, "resolved": false}, true)
	translatetest.Vocabulary(t, resolutions, map[string]record.Closure{
		"fixed": record.ClosureFixed, "disappeared": record.ClosureFixed, "": record.ClosureFixed,
	}, record.ClosureOther)
	translatetest.Vocabulary(t, ignoreReasons, map[string]record.Closure{
		"not-vulnerable": record.ClosureFalsePositive, "wont-fix": record.ClosureWontFix, "temporary-ignore": record.ClosureRiskAccepted, "": record.ClosureOther,
	}, record.ClosureNone)
	translatetest.Vocabulary(t, statuses, map[string]record.Answer{
		"active": record.AnswerYes, "inactive": record.AnswerNo, "": record.AnswerUnknown,
	}, record.AnswerUnknown)
	translatetest.Vocabulary(t, reachabilities, map[string]string{
		"function": "reachable", "reachable": "reachable", "package": "package in use", "potentially-reachable": "potentially reachable",
		"no-path-found": "no path found", "not-reachable": "not reachable", "no-info": "", "not-applicable": "", "": "",
	}, "")
}

// TestProjectTypes says what every project type is, by class: the class of its tests and, where it has packages, their ecosystem.
func TestProjectTypes(t *testing.T) {
	byEcosystem := map[string][]string{
		"npm": {"npm", "yarn", "yarn-workspace", "pnpm", "npm-workspace"}, "maven": {"maven", "gradle", "sbt"},
		"pypi": {"pip", "poetry", "pipenv", "setuptools", "uv"}, "golang": {"golangdep", "gomodules", "govendor", "golang"}, "gem": {"rubygems"},
		"nuget": {"nuget", "paket"}, "composer": {"composer"}, "cocoapods": {"cocoapods"}, "swift": {"swift"}, "hex": {"hex"}, "pub": {"pub"}, "cargo": {"cargo"},
		"generic": {"unmanaged", "cpp"},
	}
	words := map[string]projectKind{
		"deb": {ecosystem: "deb", image: true}, "apk": {ecosystem: "apk", image: true}, "rpm": {ecosystem: "rpm", image: true},
		"linux": {image: true}, "dockerfile": {image: true}, "docker": {image: true},
	}
	classOf := map[string]record.Class{"sast": record.ClassSAST, "": record.ClassOther, "abacus": record.ClassOther}
	for word := range words {
		classOf[word] = record.ClassContainer
	}
	for ecosystem, list := range byEcosystem {
		for _, word := range list {
			words[word], classOf[word] = projectKind{ecosystem: ecosystem}, record.ClassSCA
		}
	}
	for _, word := range []string{"terraformconfig", "terraformplan", "k8sconfig", "helmconfig", "cloudformationconfig", "armconfig", "cloudconfig"} {
		words[word], classOf[word] = projectKind{}, record.ClassIaC
	}
	words["sast"], words[""] = projectKind{}, projectKind{}
	translatetest.Vocabulary(t, projectKinds, words, projectKind{})
	for word, want := range classOf {
		if got := classOfProject(word); got != want {
			t.Errorf("class of project type %q = %q, want %q", word, got, want)
		}
	}
}
