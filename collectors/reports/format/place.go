package format

import (
	"net/url"
	"path"
	"strings"

	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

// CleanPath undoes URI escapes and "./", and drops the scheme of a file URI.
func CleanPath(uri string) string {
	if unescaped, err := url.PathUnescape(uri); err == nil {
		uri = unescaped
	}
	if rest, ok := strings.CutPrefix(uri, "file://"); ok {
		uri = rest
	} else if strings.Contains(uri, "://") {
		return uri
	}
	return path.Clean(strings.ReplaceAll(uri, `\`, "/"))
}

// WebLink passes links that a browser may open and nothing else.
func WebLink(s string) string {
	if strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") {
		return record.Text(s)
	}
	return ""
}

// Line is a line or column number; 0 for what is none.
func Line(n stream.Number) int { return int(max(0, min(n, 1<<30))) }

// InImage writes a path in an image in one way for all tools.
func InImage(image, path string) string { return image + ":" + strings.TrimPrefix(path, "/") }

// schemes are where tools are told to look for an image.
var schemes = []string{"docker", "podman", "containerd", "registry", "docker-archive", "oci-archive", "oci-dir", "singularity", "oci-model", "oci-registry"}

// defaultRegistries are the names of Docker's registry, which is meant where none is named.
var defaultRegistries = []string{"docker.io/", "index.docker.io/", "registry-1.docker.io/", "registry.hub.docker.com/"}

// ImageName is an image reference in one spelling for all tools: without the scheme of where to look for it, tag and digest, which are no part of an image's
// identity, and without what is meant where it is not written ("docker.io/library/alpine:3" is "alpine"). It is empty for a digest alone.
func ImageName(ref string) string {
	ref = strings.TrimSpace(ref)
	for _, scheme := range schemes {
		if rest, ok := strings.CutPrefix(ref, scheme+":"); ok && !strings.HasPrefix(rest, "//") && !isPort(rest) {
			ref = rest
			break
		}
	}
	ref = strings.TrimPrefix(strings.TrimPrefix(ref, "docker://"), "oci://")
	if strings.HasPrefix(ref, "sha256:") {
		return ""
	}
	ref, _, _ = strings.Cut(ref, "@")
	if at := strings.LastIndexByte(ref, ':'); at > strings.LastIndexByte(ref, '/') {
		ref = ref[:at]
	}
	for _, registry := range defaultRegistries {
		if rest, ok := strings.CutPrefix(ref, registry); ok {
			return strings.TrimPrefix(rest, "library/")
		}
	}
	return strings.TrimPrefix(ref, "library/")
}

// isPort reports whether a text begins with the port of a registry ("5000/app"), so that what stands before is a host.
func isPort(s string) bool {
	digits, _, ok := strings.Cut(s, "/")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// IsImageFile reports whether an image was read from a file, whose name is no name of an image.
func IsImageFile(ref string) bool {
	for _, scheme := range []string{"docker-archive:", "oci-archive:", "oci-dir:", "singularity:"} {
		if strings.HasPrefix(ref, scheme) {
			return true
		}
	}
	for _, suffix := range []string{".tar", ".tar.gz", ".tgz", ".sif"} {
		if strings.HasSuffix(ref, suffix) {
			return true
		}
	}
	return false
}

// Image is the first of references that names an image.
func Image(refs ...string) string {
	for _, ref := range refs {
		if name := ImageName(ref); name != "" && !IsImageFile(ref) {
			return name
		}
	}
	if len(refs) > 0 {
		return ImageName(refs[0])
	}
	return ""
}
