package protection

import (
	"context"
	"fmt"
	"strconv"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

// knownBypass is what earlier walks learned about rulesets and is still fresh: every ruleset is asked about once per full interval, because an
// organisation may have one in each repository.
func (c *Collector) knownBypass(org string) map[int64]bypass {
	known := map[int64]bypass{}
	now := c.Now()
	c.state.With(org, func(o *organisation) {
		for id, b := range o.bypass {
			if now.Sub(b.readAt) < c.Intervals.Full {
				known[id] = b
			}
		}
	})
	return known
}

const bypassPermission = "administration=write"

// bypassOf asks about a ruleset by way of a repository that it applies to. Only who may write a ruleset sees who may bypass it; for anybody else, and where this
// repository refuses, the answers stay unknown. The error is not nil only for what concerns more than this repository.
func (w *protectionWalk) bypassOf(ctx context.Context, fullName string, id int64) (bypass, error) {
	w.used[id] = true
	if known, ok := w.bypass[id]; ok {
		return known, nil
	}
	path := "repos/" + api.EscapeName(fullName) + "/rulesets/" + strconv.FormatInt(id, 10) + "?includes_parents=true"
	var ruleset struct {
		Actors *[]bypassActor `json:"bypass_actors"`
	}
	refused, err := w.collector.Questions.Ask(api.Question{
		Organisation: w.org, Repository: fullName, What: "bypass actors of rulesets", Permission: bypassPermission, Strict: w.strict,
	}, func() error {
		_, err := w.collector.API.Get(ctx, path, &ruleset)
		return err
	})
	switch {
	case err != nil:
		return bypass{}, fmt.Errorf("bypass actors of ruleset %d: %w", id, err)
	case refused != nil:
		// The next repository that it applies to is asked, too, and the next walk asks again.
		return bypass{permission: api.Permission(refused)}, nil
	}
	result := bypass{permission: bypassPermission}
	if ruleset.Actors != nil {
		result = w.collector.classifyActors(*ruleset.Actors)
	}
	result.readAt = w.collector.Now()
	w.bypass[id] = result
	return result, nil
}

type bypassActor struct {
	ID   *int64 `json:"actor_id"`
	Type string `json:"actor_type"`
	Mode string `json:"bypass_mode"`
}

// adminRole is the id of the repository role "admin".
const adminRole = 5

// classifyActors says what bypass actors mean. An actor of mode pull_request still needs a pull request, which others see.
func (c *Collector) classifyActors(actors []bypassActor) bypass {
	b := bypass{adminsBound: record.AnswerYes, limited: record.AnswerYes}
	for _, a := range actors {
		switch a.Mode {
		case "pull_request":
			continue
		case "always", "exempt":
		default:
			c.UnknownValue("ruleset bypass_mode", a.Mode)
		}
		b.limited = record.AnswerNo
		if a.Type == "OrganizationAdmin" || a.Type == "EnterpriseOwner" || a.Type == "RepositoryRole" && a.ID != nil && *a.ID == adminRole {
			b.adminsBound = record.AnswerNo
		}
	}
	return b
}
