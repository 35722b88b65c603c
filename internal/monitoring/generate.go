package monitoring

import (
	"fmt"
	"path"
)

// File is a generated file; Path is relative to the root of the repository and written with slashes.
type File struct {
	Path    string
	Content []byte
}

// Files are all generated files.
func Files(links Links) ([]File, error) {
	recording, err := RecordingRules()
	if err != nil {
		return nil, err
	}
	alerts, err := AlertRules(links)
	if err != nil {
		return nil, err
	}
	reference, err := Reference()
	if err != nil {
		return nil, err
	}
	trace, err := Traceability()
	if err != nil {
		return nil, err
	}
	files := []File{{"docs/metrics.md", reference}, {"docs/traceability.md", trace}, {"deploy/prometheus/recording.yml", recording}, {"deploy/prometheus/alerts.yml", alerts}}
	for _, b := range Boards() {
		content, err := b.JSON()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.File, err)
		}
		files = append(files, File{path.Join("dashboards", b.File), content})
	}
	return files, nil
}
