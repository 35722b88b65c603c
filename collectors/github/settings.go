package github

// The keys of record.Repository.Settings that this collector writes; README.md says what each means.
const (
	settingCodeowners          = "codeowners"
	settingCodeownersValid     = "codeowners_valid"
	settingActionsEnabled      = "actions_enabled"
	settingActionsRestricted   = "actions_restricted"
	settingActionsPinned       = "actions_pinned"
	settingTokenReadOnly       = "actions_token_read_only"
	settingTokenCannotApprove  = "actions_token_cannot_approve"
	settingDefaultSetup        = "code_scanning_default_setup"
	settingConfiguration       = "security_configuration"
	settingConfigurationForced = "security_configuration_enforced"
	settingPushProtection      = "push_protection"
	settingPrivateReporting    = "private_vulnerability_reporting"
	settingWorkflows           = "workflows"
)
