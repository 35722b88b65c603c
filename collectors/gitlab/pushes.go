package gitlab

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// commitsOf are the commits by which merge requests came, by name: those of their branches, and what a merge or a squash made of them.
type commitsOf struct {
	names map[string]bool
	// unread says that not all could be read, so that a commit that is missing may be one of them.
	unread bool
}

// note enters a commit; one without a name is one that nobody can recognise.
func (c *commitsOf) note(name string) {
	if name == "" {
		c.unread = true
		return
	}
	c.names[name] = true
}

// pushed reads the commits that a deployment brought without a merge request, as changes of their own: nobody approved them or labelled them. A merge commit brings nothing
// that the commits it merges do not.
func (w *deploymentWalk) pushed(ctx context.Context, d *deployment, before []deployment, merged *commitsOf) ([]record.Change, error) {
	base := newestLive(before)
	if merged.unread || base == "" || d.Commit == "" || base == d.Commit {
		return nil, nil
	}
	var pushed []record.Change
	err := w.api.list(ctx, numbered(w.project.ID, "repository/commits"), url.Values{"ref_name": {base + ".." + d.Commit}}, func(raw json.RawMessage) error {
		c, err := translate.Decode[struct {
			ID         string         `json:"id"`
			Parents    []string       `json:"parent_ids"`
			AuthoredAt translate.Time `json:"authored_date"`
			CreatedAt  translate.Time `json:"committed_date"`
		}](raw)
		if err != nil || c.ID == "" || len(c.Parents) > 1 || merged.names[c.ID] {
			return nil //nolint:nilerr // A commit that cannot be read takes nothing from the others.
		}
		one := record.Change{ID: strconv.FormatInt(w.project.ID, 10) + "@" + record.Text(c.ID), FirstCommitAt: record.Earliest(c.AuthoredAt.Time, c.CreatedAt.Time)}
		if len(w.config.ReviewLabels) > 0 {
			one.SecurityReviewed = record.AnswerNo
		}
		pushed = append(pushed, one)
		return nil
	})
	if unread(err) {
		return nil, nil
	}
	return pushed, err
}

// newestLive is the newest commit of the deployments before one, newest first: that of the last which did not bring back an older one.
func newestLive(before []deployment) string {
	for i := range before {
		again := false
		for j := i + 1; j < len(before); j++ {
			again = again || before[j].Commit == before[i].Commit
		}
		if !again {
			return before[i].Commit
		}
	}
	return ""
}
