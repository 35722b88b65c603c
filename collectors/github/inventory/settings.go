package inventory

import "prodsec_exporter/internal/record"

// The keys of record.Repository.Settings that this collector writes; README.md says what each means.
const (
	SettingCodeowners          = "codeowners"
	SettingCodeownersValid     = "codeowners_valid"
	SettingActionsEnabled      = "actions_enabled"
	SettingActionsRestricted   = "actions_restricted"
	SettingActionsPinned       = "actions_pinned"
	SettingTokenReadOnly       = "actions_token_read_only"
	SettingTokenCannotApprove  = "actions_token_cannot_approve"
	SettingDefaultSetup        = "code_scanning_default_setup"
	SettingConfiguration       = "security_configuration"
	SettingConfigurationForced = "security_configuration_enforced"
	SettingPushProtection      = "push_protection"
	SettingPrivateReporting    = "private_vulnerability_reporting"
	SettingWorkflows           = "workflows"
	SettingSecurityPolicy      = "security_policy"
	SettingSecurityUpdates     = "dependabot_security_updates"
	SettingValidityChecks      = "secret_validity_checks"
)

// GitHub's own scanners, as findings and scans name them.
const (
	ToolDependabot     = "dependabot"
	ToolSecretScanning = "secret-scanning"
)

// SwitchedOn reads the state of a feature; not_set leaves it to the repository.
func SwitchedOn(state string) record.Answer {
	switch state {
	case "enabled":
		return record.AnswerYes
	case "disabled":
		return record.AnswerNo
	default:
		return record.AnswerUnknown
	}
}
