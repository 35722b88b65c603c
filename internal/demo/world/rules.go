package world

import "prodsec_exporter/internal/record"

// codeRules are what CodeQL (and Semgrep, under the same class of weakness) finds in code.
var codeRules = []choice[Rule]{
	{Rule{"js/xss", "Client-side cross-site scripting", 79, record.SeverityHigh}, 10},
	{Rule{"js/reflected-xss", "Reflected cross-site scripting", 79, record.SeverityHigh}, 6},
	{Rule{"java/sql-injection", "Query built from user-controlled sources", 89, record.SeverityHigh}, 6},
	{Rule{"py/path-injection", "Uncontrolled data used in path expression", 22, record.SeverityHigh}, 7},
	{Rule{"java/unsafe-deserialization", "Deserialization of user-controlled data", 502, record.SeverityCritical}, 3},
	{Rule{"js/code-injection", "Code injection", 94, record.SeverityCritical}, 2},
	{Rule{"go/request-forgery", "Uncontrolled data used in network request", 918, record.SeverityCritical}, 2},
	{Rule{"go/log-injection", "Log entries created from user input", 117, record.SeverityMedium}, 12},
	{Rule{"js/missing-rate-limiting", "Missing rate limiting", 770, record.SeverityMedium}, 14},
	{Rule{"cs/web/missing-token-validation", "Missing cross-site request forgery token validation", 352, record.SeverityMedium}, 12},
	{Rule{"py/clear-text-logging-sensitive-data", "Clear-text logging of sensitive information", 532, record.SeverityMedium}, 11},
	{Rule{"js/redos", "Inefficient regular expression", 1333, record.SeverityMedium}, 8},
	{Rule{"java/insecure-randomness", "Insecure randomness", 330, record.SeverityLow}, 8},
	{Rule{"js/prototype-polluting-assignment", "Prototype-polluting assignment", 1321, record.SeverityLow}, 6},
	{Rule{"java/log-level-guard", "Missing guard around costly log call", 0, record.SeverityUnknown}, 2},
}

// scriptingRules are the storefront's recurring flaw.
var scriptingRules = []choice[Rule]{{codeRules[0].value, 7}, {codeRules[1].value, 3}}

// infrastructureRules are what checkov finds in infrastructure code.
var infrastructureRules = []choice[Rule]{
	{Rule{"CKV_AWS_20", "S3 bucket is readable by everyone", 732, record.SeverityCritical}, 2},
	{Rule{"CKV_AWS_24", "Security group allows ingress from 0.0.0.0/0 to port 22", 284, record.SeverityHigh}, 9},
	{Rule{"CKV_K8S_16", "Container is privileged", 250, record.SeverityHigh}, 7},
	{Rule{"CKV_K8S_20", "Container allows privilege escalation", 250, record.SeverityMedium}, 14},
	{Rule{"CKV_AWS_19", "S3 bucket is not encrypted at rest", 311, record.SeverityMedium}, 12},
	{Rule{"CKV_K8S_43", "Image is used without a digest", 345, record.SeverityLow}, 14},
	{Rule{"CKV_DOCKER_3", "No user has been created for the container", 250, record.SeverityLow}, 12},
}

// imageRules are what Trivy finds in base images; the tool uploads the advisory as its rule.
var imageRules = []choice[Rule]{
	{Rule{"CVE-2026-9800011", "libssl: certificate chain is not checked to its end", 295, record.SeverityCritical}, 1},
	{Rule{"CVE-2026-9800029", "libxml: out-of-bounds read", 125, record.SeverityHigh}, 5},
	{Rule{"CVE-2026-9800037", "curl: cookies leak to another host", 200, record.SeverityMedium}, 9},
	{Rule{"CVE-2026-9800043", "glibc: integer overflow in a time function", 190, record.SeverityMedium}, 9},
	{Rule{"CVE-2026-9800051", "coreutils: race in a recursive copy", 367, record.SeverityLow}, 12},
}

// secretRules are the kinds of secret that are leaked, named as GitHub does.
var secretRules = []choice[Rule]{
	{Rule{"aws_access_key_id", "Amazon AWS Access Key ID", 798, record.SeverityHigh}, 4},
	{Rule{"github_personal_access_token", "GitHub Personal Access Token", 798, record.SeverityHigh}, 4},
	{Rule{"slack_incoming_webhook_url", "Slack Incoming Webhook URL", 798, record.SeverityHigh}, 5},
	{Rule{"stripe_api_key", "Stripe API Key", 798, record.SeverityHigh}, 2},
	{Rule{"npm_access_token", "npm Access Token", 798, record.SeverityHigh}, 3},
}

// dynamicRules are what ZAP finds in running services.
var dynamicRules = []choice[Rule]{
	{Rule{"10038", "Content Security Policy header not set", 693, record.SeverityMedium}, 12},
	{Rule{"10202", "Absence of anti-CSRF tokens", 352, record.SeverityLow}, 10},
	{Rule{"40012", "Cross-site scripting (reflected)", 79, record.SeverityHigh}, 5},
	{Rule{"40018", "SQL injection", 89, record.SeverityHigh}, 3},
	{Rule{"10021", "X-Content-Type-Options header missing", 693, record.SeverityLow}, 9},
}

// driftRule is what the flapping drift detector reports.
var driftRule = Rule{"CKV_DRIFT_1", "Deployed resource differs from its declaration", 1188, record.SeverityLow}
