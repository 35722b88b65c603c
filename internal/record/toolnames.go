package record

import (
	"slices"
	"strings"
)

// knownTools are the scanners of the lists of GitHub (code scanning) and DefectDojo (parsers) that report on code, packages, images, infrastructure or running
// applications, and others that write SARIF. A new one is a word here.
var knownTools = slices.Concat(
	tools(ClassSAST, FocusSecurity,
		"snyk|snyk code|snykcode", "gosec", "bandit", "brakeman", "bearer", "njsscan", "nodejsscan", "mobsf|mobsfscan", "flawfinder", "sobelow", "pysa", "dawnscanner",
		"horusec", "=insider", "huskyci", "findsecbugs|find-sec-bugs|find security bugs", "securitycodescan|security code scan", "puma scan|pumascan", "devskim", "binskim", "attack surface analyzer",
		"checkmarx|checkmarx one|cxsast|cxflow", "fortify|fortify static code analyzer|fortify on demand", "veracode|veracode static analysis|veracode pipeline", "coverity",
		"=polaris|synopsys polaris|synopsys|black duck polaris", "appscan|hcl appscan|hcl asoc|ibm appscan", "kiuwan", "=contrast|contrast scan", "xanitizer", "codescan", "codethreat",
		"clj-holmes", "cwe_checker", "=capa", "shiftleft|ngsast|qwiet|shiftleft scan|sast-scan", "jfrog sast", "jscrambler", "appsweep", "qark", "apkleaks", "appknox", "nowsecure", "drheader",
		"php security audit", "progpilot", "=rats", "rusty hog code", "slither", "mythril", "securify", "solidity-scan", "aikido", "arnica", "apiiro", "ox security", "cycode", "backslash",
		"dryrun|dryrun security", "corgea", "zeropath", "gitlab sast", "datadog static analysis|datadog sast", "amazon codeguru|codeguru", "mend sast", "endor sast", "sentinelone code",
		"reshift", "deepcode", "lgtm", "ochrona code", "guardrails", "hcl codesweep", "sast online", "bugprove", "wazuh code", "vulnhuntr", "application inspector", "deepsecrets code", "sonatype lift"),
	tools(ClassSAST, FocusMixed,
		"codeql", "semgrep", "opengrep", "sonarqube|sonarcloud|sonarlint|sonar", "spotbugs|findbugs", "codesonar", "klocwork", "parasoft|dottest|jtest|c/c++test", "pvs-studio", "cppcheck", "clang-tidy|clang-analyzer|clang static analyzer|scan-build",
		"codechecker", "msvc|prefast|microsoft visual c++|c++ core check", "roslyn|microsoft.codeanalysis|microsoft (r) visual c# compiler|netanalyzers", "=infer|facebook infer", "codacy", "deepsource", "codeclimate|code climate",
		"qodana|inspectcode|resharper", "psalm", "=phan", "psscriptanalyzer", "golangci-lint", "megalinter|mega-linter", "super-linter", "=trunk", "pmd", "scapegoat", "error prone|errorprone", "crytic", "eslint-plugin-security", "=xcode",
		"microsoft security devops|defender for devops|msdo|=guardian|ossar", "ruff", "intel oneapi", "=gcc", "axivion", "coverage gate", "polyspace", "helix qac"),
	tools(ClassSAST, FocusQuality,
		"eslint", "tslint", "jshint", "jslint", "biome", "oxlint", "standardjs", "stylelint", "htmlhint", "csslint", "=prettier", "pylint", "flake8", "pycodestyle", "pydocstyle", "mypy", "pyright", "pyre", "=black", "=isort",
		"rubocop", "standardrb", "=reek", "phpmd", "php_codesniffer|phpcs", "phpstan", "checkstyle", "detekt", "ktlint", "android lint|lint android", "swiftlint", "swiftformat", "clippy|rust-clippy", "=rustc", "hlint", "=credo", "dialyzer",
		"lintr", "shellcheck|shell script analysis", "puppet-lint", "ansible-lint", "yamllint", "markdownlint", "jsonlint", "cpplint", "staticcheck", "=revive", "go vet|govet", "golint", "scalastyle", "scalafix", "luacheck", "sqlfluff",
		"=vale", "commitlint", "editorconfig", "spellcheck|cspell|codespell|misspell", "stoplight spectral", "redocly", "=buf", "protolint", "tflint", "helm lint", "cfn-lint", "jsonschema", "dockerfile_lint|dockerfilelint", "perlcritic",
		"stylecop", "fxcop", "nitpick", "dart analyzer|dartanalyzer", "groovylint|codenarc", "=lizard", "=radon", "=xenon", "jscpd|copy/paste detector"),
	tools(ClassSecret, FocusSecurity,
		"gitleaks", "betterleaks", "trufflehog|trufflehog3", "detect-secrets", "ggshield|gitguardian", "credscan|credential scanner|credential-scanner|spmi", "nosey parker|noseyparker", "=whispers", "=talisman", "secretlint", "kingfisher",
		"secretscanner|secret scanner", "ripsecrets", "rusty hog", "shhgit", "git-secrets", "repo-supervisor", "gittyleaks", "deepsecrets", "leaktk", "=spectral|spectralops", "gitlab secret detection", "github secret scanning|secret scanning|secrets detection",
		"jfrog secrets", "n0s1", "secrethound", "=entro", "bigid", "polarsecrets"),
	tools(ClassSCA, FocusSecurity,
		"trivy", "grype|anchore|anchorectl|anchore grype|anchore container vulnerability report", "osv-scanner|osv scan|osv scanner|osv", "dependency-check|dependency check", "dependency-track|dependency track", "dependabot", "dependency review", "govulncheck",
		"snyk open source", "snyk scan", "npm audit", "yarn audit", "pnpm audit", "bun audit", "auditjs", "retire.js|retirejs|=retire", "pip-audit", "=safety", "ochrona", "bundler-audit|bundle-audit|bundler audit", "cargo-audit|cargo audit|cargoaudit", "cargo deny|cargo-deny",
		"composer audit|local-php-security-checker|symfony security check|php symfony security check|symfonysecurity", "=nancy", "cve-bin-tool", "vulners", "black duck|blackduck", "=mend|whitesource|mend sca", "fossa", "debricked", "soos", "sonatype|nexus iq|nexus lifecycle|sonatype nexus|oss index",
		"jfrog xray|xray|frogbot|jfrog xray scanner|jfrog applicability", "veracode sourceclear|sourceclear|srcclr|veracode sca", "checkmarx sca|cxsca", "kiuwan sca", "endor labs|endorlabs|endorctl", "=socket|socket security", "phylum", "bytesafe", "crda|red hat dependency analytics",
		"clj-watson", "mix audit|mix_audit", "sbt-dependency-check", "gradle dependency check", "=ort|oss review toolkit", "vulnerable code|vulnerablecode", "scancode", "meterian", "=patton", "swift-audit", "retirenet", "dotnet list package|nuget audit", "gitlab dependency scanning|gitlab dependency scan|gemnasium",
		"datadog software composition analysis|datadog sca", "depscan|owasp depscan", "bomber", "github vulnerability", "google osv", "safetycli", "rubysec", "threagile", "renovate", "hex audit", "deps.dev", "intel cve binary tool"),
	tools(ClassContainer, FocusSecurity,
		"snyk container", "docker scout|docker-scout", "dockle", "clair|clair v4|=quay", "anchore engine", "anchore enterprise", "container-scan|container scan", "twistlock|prisma cloud image|prisma cloud compute", "sysdig|sysdig-cli-scanner", "=aqua|aquasec", "roxctl|stackrox|red hat advanced cluster security",
		"=harbor|harbor vulnerability", "gitlab container scan|gitlab container scanning", "aws inspector|aws inspector2|amazon inspector", "amazon ecr|aws ecr", "gcloud artifact scan|google artifact analysis|google container analysis", "crowdstrike fcs|falcon cloud security|fcs container", "deepfence|threatmapper",
		"neuvector", "qualys container|qscanner", "tenable container", "lacework", "openscap|oscap", "wiz|wizcli", "wiz-scan", "uptycs", "upwind", "=copa", "dsop", "microsoft defender for containers", "kubehunter|kube-hunter", "vulnerability operator", "rapid7 container", "solar appscreener container"),
	tools(ClassIaC, FocusSecurity,
		"checkov|bridgecrew", "tfsec", "terrascan", "kics|checkmarx kics", "snyk iac|snyk infrastructure", "kubescape", "kube-linter|kubelinter", "kube-score", "kubesec", "kubeaudit", "kube-bench|kubebench", "kubeconform", "datree", "hadolint", "regula", "conftest|open policy agent|=opa", "kyverno", "fairwinds|fairwinds polaris",
		"cfn-nag|cfn_nag|cfn nag", "cfripper", "cfn-guard|cloudformation-guard|cloudformation guard", "iam policy validator|policy validator", "cloudrail", "cloudsploit", "cloudsplaining", "prisma cloud|prisma iac", "zscaler|zscaler iac|=zscan", "crowdstrike iac|fcs iac|fcs-iac", "templateanalyzer|template-analyzer|template analyzer",
		"psrule", "jfrog iac|jfrog terraform", "prowler|aws prowler", "scoutsuite|scout suite", "aws security hub|awssecurityhub|asff", "azure security center|defender for cloud|microsoft defender for cloud", "steampipe|powerpipe", "chefinspec|chef inspec|inspec|chefinspect", "docker-bench|dockerbench|docker bench", "krakend|krakend audit",
		"gixy", "actionlint", "zizmor", "poutine", "octoscan", "=raven", "gha-shield", "harden-runner", "mend iac", "shisho", "terraform-compliance", "infracost policies", "=popeye", "legitify", "chain-bench", "gitlab iac|gitlab kics", "calico cloud|calicocloud", "kubei", "nuclei cloud", "sysdig iac", "soos iac"),
	tools(ClassDAST, FocusSecurity,
		"zap|owasp zap|zaproxy|zed attack proxy", "nuclei", "burp|burp suite|dastardly", "stackhawk|hawkscan", "acunetix", "invicti|netsparker", "arachni", "appspider|insightappsec", "nikto", "wapiti", "w3af", "sqlmap", "dalfox", "wpscan", "skipfish", "ratproxy", "=bright|neuralegion|nexploit|nexploit-cli",
		"detectify", "probely|snyk api & web", "crashtest", "qualys was|qualys webapp|qualyswebapp", "webinspect|fortify webinspect", "immuniweb", "=beagle|beagle security", "akto", "=escape", "42crunch|42crunch rest api static security testing|crunch42", "apisec", "ethicalcheck", "=mayhem|mayhem for api|=mapi", "schemathesis", "restler", "=cats", "gitlab dast",
		"gitlab api fuzzing", "soos dast", "edgescan", "sslyze|sslscan|testssl|ssl labs|ssllabs", "humble", "mozilla observatory", "microfocus webinspect", "trustwave", "outpost24", "veracode dynamic|veracode dynamic analysis", "contrast assess", "hcl appscan dast", "=astra", "nexpose", "nessus|=tenable", "openvas|greenbone", "qualys", "nmap", "vulscan",
		"appcheck|appcheck web application scanner", "=cobalt", "bugcrowd", "hackerone|=h1", "=intruder", "dirsearch", "ffuf", "zscaler dast", "rapid7 insightvm|insightvm", "=hydra", "corsair", "osmedeus", "sn1per", "cloudflare insights", "cycognito", "intsights", "data theorem"),
	tools(ClassOther, FocusSecurity, "scorecard|ossf scorecard|openssf scorecard", "allstar", "=minder", "step security", "binwalk", "clamav", "antimalware"),
)

// tools are those of one class and focus, each by its canonical name and, after bars, further names. A name that is also an everyday word is known
// only where it is the whole name, which a leading "=" says.
func tools(class Class, focus Focus, names ...string) []knownTool {
	known := make([]knownTool, len(names))
	for i, name := range names {
		marks := strings.Split(name, "|")
		known[i] = knownTool{Tool{canonical(strings.TrimPrefix(marks[0], "=")), class, focus}, marks}
	}
	return known
}

// canonical is the name of a tool of which products look for different classes: all of Snyk's are "snyk".
func canonical(name string) string {
	switch {
	case strings.HasPrefix(name, "snyk"):
		return "snyk"
	case name == "docker scout":
		return "docker-scout"
	case name == "cargo-audit":
		return "cargoaudit"
	}
	return name
}

// selectable are the tools with several scanners, of which a run uses some and its report does not say which.
var selectable = []string{"trivy", "semgrep", "opengrep", "checkov", "microsoft security devops", "megalinter", "wiz", "aqua", "prisma cloud", "mend", "sysdig", "aikido"}

// Selectable reports whether a tool has several scanners of which a run uses some, so that its results alone show which.
func (t Tool) Selectable() bool { return slices.Contains(selectable, t.Name) }
