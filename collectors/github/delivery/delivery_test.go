package delivery_test

import (
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/internal/record"
)

// onlyDeployments reads what was deployed, and the list of repositories that it needs.
func onlyDeployments(c *github.Config) {
	c.Alerts.Kinds, c.Protection.Branches, c.Delivery.Deployments = nil, false, true
}

// deployed collects once and returns what was learned of the deployments of acme/api.
func deployed(t *testing.T, change func(*github.Config), y githubtest.Story) record.Batch {
	t.Helper()
	b, _, _, _ := deployedBy(t, change, y)
	return b
}

func deployedBy(t *testing.T, change func(*github.Config), y githubtest.Story) (record.Batch, *github.Collector, *collectorstest.Server, *collectorstest.Clock) {
	t.Helper()
	c, s, clock := githubtest.Setup(t, func(cfg *github.Config) {
		onlyDeployments(cfg)
		if change != nil {
			change(cfg)
		}
	})
	githubtest.ServeDelivery(s)
	y.Serve(s)
	return again(t, c, nil), c, s, clock
}

// again collects and returns what was learned of the deployments of acme/api.
func again(t *testing.T, c *github.Collector, cursors collectors.Cursors) record.Batch {
	t.Helper()
	batches, err := collectorstest.Gather(t.Context(), c, cursors)
	if err != nil {
		t.Fatal(err)
	}
	return batches["deployments:acme/api"]
}

// byID finds a deployment by the end of its id.
func byID(t *testing.T, b record.Batch, id string) record.Deployment {
	t.Helper()
	for _, d := range b.Deployments {
		if d.ID == "acme/api:"+id {
			return d
		}
	}
	t.Fatalf("no deployment %s in %+v", id, b)
	return record.Deployment{}
}

// pass lets the time pass until the next look for deployments.
func pass(t *testing.T, clock *collectorstest.Clock) {
	t.Helper()
	if err := clock.Sleep(t.Context(), 15*time.Minute); err != nil {
		t.Fatal(err)
	}
}
