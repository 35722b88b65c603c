package main

import (
	"cmp"
	"runtime/debug"

	"github.com/prometheus/common/version"
)

// unreleased is the version of a build that nobody gave a number, as go run makes it.
const unreleased = "devel"

// init gives builds a version that the linker was not told one (see Makefile), before anything reads it: the command version, the log,
// the metrics and the landing page. Their revision the library finds by itself.
func init() {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	version.Version = cmp.Or(version.Version, versionOf(info))
}

// versionOf is the version that the go command noted in a binary: a tag, or a pseudo-version with time and commit.
func versionOf(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	return unreleased
}
