package format

import "testing"

func TestImageName(t *testing.T) {
	for ref, want := range map[string]string{
		"alpine": "alpine", "alpine:3.20": "alpine", "docker.io/library/alpine:3": "alpine", "index.docker.io/library/alpine": "alpine", "library/alpine@sha256:aa": "alpine",
		"docker.io/acme/api:1": "acme/api", "acme/api:1@sha256:aa": "acme/api", "ghcr.io/acme/api:1": "ghcr.io/acme/api",
		"reg.acme.example:5000/team/api:1.2@sha256:aa": "reg.acme.example:5000/team/api", "registry:reg.acme.example:5000/team/api:1.2": "reg.acme.example:5000/team/api",
		"docker:acme/api:1": "acme/api", "podman:acme/api": "acme/api", "registry:5000/acme/api": "registry:5000/acme/api", "docker:5000/acme/api:1": "docker:5000/acme/api",
		"docker://acme/api:1": "acme/api", "sha256:0123": "", "": "", " acme/api:1 ": "acme/api",
	} {
		if got := ImageName(ref); got != want {
			t.Errorf("%q: got %q, want %q", ref, got, want)
		}
	}
	for want, refs := range map[string][]string{
		"acme/api": {"sha256:0123", "docker.io/acme/api:1"}, "acme/web": {"image.tar", "acme/web:2"}, "acme/db": {"docker-archive:image.tar", "acme/db@sha256:aa"}, "acme/app": {"acme/app:1", "other:2"}, "": {"sha256:0123"},
	} {
		if got := Image(refs...); got != want {
			t.Errorf("%v: got %q, want %q", refs, got, want)
		}
	}
}
