package config

import (
	"fmt"
	"io"
	"os"

	"prodsec_exporter/internal/policy"
)

// ReadPolicy reads the policy of the file at path, as strictly as Read does, and nothing else of it: collectors may be missing, and no
// secret is looked for. The error lists everything that is wrong.
func ReadPolicy(path string) (*policy.Policy, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	defer f.Close() //nolint:errcheck // Opened for reading only.
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("policy: reading %s: %w", path, err)
	}
	root, problem := parse(path, data)
	if problem != nil {
		return nil, Problems{*problem}
	}
	d := &decoder{file: path}
	decoded := file{Policy: defaultPolicy(root)}
	d.document(root, &decoded, nil)
	p, err := policy.New(decoded.Policy)
	if err != nil {
		d.located(root, "", err)
	}
	return p, d.problems.err()
}
