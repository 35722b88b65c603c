package record_test

import (
	"testing"

	"prodsec_exporter/internal/record"
)

// TestRepositoriesHaveOneName: however a repository is addressed, it is one.
func TestRepositoriesHaveOneName(t *testing.T) {
	for name, spellings := range map[record.RepositoryName][]string{
		"acme/api": {"acme/api", "Acme/API.git", "https://github.com/acme/api", "git@github.com:acme/api.git", "ssh://git@ssh.github.com:443/acme/api.git", "api.github.com/acme/api"},
		"gitlab.com/grp/sub/app": {
			"https://gitlab.com/Grp/Sub/App.git", "gitlab.com/grp/sub/app", "git@gitlab.com:grp/sub/app.git",
		},
		"dev.azure.com/acme/shop/api": {
			"https://dev.azure.com/acme/Shop/_git/api", "https://acme@dev.azure.com/acme/shop/_git/api", "git@ssh.dev.azure.com:v3/acme/shop/api", "https://acme.visualstudio.com/shop/_git/api",
			"https://acme.visualstudio.com/DefaultCollection/shop/_git/api", "dev.azure.com/acme/shop/api",
		},
		"dev.azure.com/acme/shop/shop": {"https://dev.azure.com/acme/_git/shop"},
		"bitbucket.acme.example/pay/app": {
			"https://bitbucket.acme.example/scm/PAY/app.git", "https://bitbucket.acme.example/projects/PAY/repos/app/browse", "ssh://git@bitbucket.acme.example:7999/pay/app.git",
		},
		"bitbucket.acme.example/~jo/app": {"https://bitbucket.acme.example/users/jo/repos/app", "https://bitbucket.acme.example/scm/~jo/app.git"},
		"scm/api":                        {"scm/api", "https://github.com/scm/api"},
	} {
		for _, spelling := range spellings {
			if got, err := record.ParseRepository(spelling); err != nil || got != name {
				t.Errorf("%s is %q (%v), want %q", spelling, got, err, name)
			}
		}
	}
}
