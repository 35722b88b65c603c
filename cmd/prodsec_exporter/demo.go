package main

import (
	"fmt"

	"prodsec_exporter/internal/config"
	"prodsec_exporter/internal/policy"
)

// before is the demo's configuration as it was until its first day: what is known to be exploited weighed half as much. That it changes shows what a
// change of policy alone does to the numbers.
func before(load func() (*config.Config, error)) func() (*config.Config, error) {
	return func() (*config.Config, error) {
		c, err := load()
		if err != nil {
			return nil, err
		}
		former := c.Policy.Config()
		former.Risk.Exploitation.KnownExploited /= 2
		former.Risk.Exploitation.ActiveSecret /= 2
		if c.Policy, err = policy.New(former); err != nil {
			return nil, fmt.Errorf("the demo's former policy: %w", err)
		}
		return c, nil
	}
}
