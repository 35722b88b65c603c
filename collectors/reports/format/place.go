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

// ImageName drops the tag and the digest of an image reference.
func ImageName(ref string) string {
	ref, _, _ = strings.Cut(ref, "@")
	if at := strings.LastIndexByte(ref, ':'); at > strings.LastIndexByte(ref, '/') {
		ref = ref[:at]
	}
	return ref
}
