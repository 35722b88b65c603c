package record

import "time"

// CloudIdentity is how the pipelines of a repository can prove who they are to a cloud: by short-lived tokens of the source host's
// OpenID Connect issuer, or by long-lived keys kept as secrets. Which secret's name looks like a key is decided by policy.
type CloudIdentity struct {
	Repository RepositoryName
	// OIDC says whether its workflows ask for an OpenID Connect token.
	OIDC Answer
	// CustomSubject says whether the token's subject is customised, and SubjectClaims by which claims.
	CustomSubject Answer
	SubjectClaims []string
	// Secrets are the names of the secrets that its pipelines can read, never their values, as far as they could be read; SecretsKnown is yes where
	// these are all.
	Secrets      []SecretName
	SecretsKnown Answer
	// MissingPermission names what the credential lacks to answer what is unknown.
	MissingPermission string
}

// SecretName is the name of a secret that pipelines can read.
type SecretName struct {
	Name string
	// Scope is where it is kept: organization, repository or environment.
	Scope SecretScope
	// Environment is set for SecretEnvironment.
	Environment string
	// UpdatedAt is when its value was set last.
	UpdatedAt time.Time
}

// SecretScope is where a secret is kept.
type SecretScope string

// The scopes of a secret.
const (
	SecretOrganization SecretScope = "organization"
	SecretRepository   SecretScope = "repository"
	SecretEnvironment  SecretScope = "environment"
)
