package github

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/part"
	"prodsec_exporter/internal/record"
)

// unpushedPerHour is how many repositories to which nothing was pushed are read in an hour, of each kind of scope: an organisation that has more than that in a
// repository interval reads them less often, at most once per full interval.
const unpushedPerHour = 250

// unchangedAtOnce is how many times as many repositories as are read may be emitted as unchanged in one collection, which takes no request.
const unchangedAtOnce = 4

// settles is how long after a push what follows from it may come: runs, analyses, uploads.
const settles = time.Hour

// dueScopes are the repositories of which a kind of scope is due in a collection: those that are read, and those that are emitted as unchanged because nothing was pushed.
type dueScopes struct{ read, unchanged []api.Repository }

// unpushedInterval is the time between two readings of a repository to which nothing was pushed.
func (c *Collector) unpushedInterval(org string, pushed bool) time.Duration {
	if !pushed {
		return c.env.Intervals.Repository
	}
	wanted := time.Duration(live(c.inventory.Repositories(org))) * time.Hour / unpushedPerHour
	return max(c.env.Intervals.Repository, min(wanted, c.env.Intervals.Full))
}

// live counts the repositories that are not archived.
func live(list []api.Repository) (n int) {
	for i := range list {
		if !list[i].Archived {
			n++
		}
	}
	return n
}

// readings estimates how many scopes of a kind are read in an hour: as many as are due, and no more than the configuration allows.
func (c *Collector) readings(org string, s part.RepositoryScope) float64 {
	list := c.inventory.Repositories(org)
	if s.Among != nil && list != nil {
		list = s.Among(org, list)
	}
	now, often, seldom := c.env.Now(), 0.0, 0.0
	for _, r := range list {
		switch {
		case r.Archived:
		case r.PushedAt.IsZero() || now.Sub(r.PushedAt) < 2*c.env.Intervals.Repository: // A push makes two readings: at once, and of what follows from it.
			often++
		default:
			seldom++
		}
	}
	due := often*part.PerHour(c.env.Intervals.Repository) + seldom*part.PerHour(c.unpushedInterval(org, s.Pushed))
	return min(due, part.PerHour(c.env.Intervals.Collection)*float64(c.env.RepositoriesPerCollection))
}

// requests is what the last readings of the scopes of a kind took, in the mean; what the part declares until there was one.
func (c *Collector) requests(org string, s part.RepositoryScope) float64 {
	scopes, took := 0, 0
	c.costs.With(org, func(costs *map[string]int) {
		for scope, requests := range *costs {
			if strings.HasPrefix(scope, s.Kind+":") {
				scopes, took = scopes+1, took+requests
			}
		}
	})
	if scopes == 0 {
		return s.Requests
	}
	return float64(took) / float64(scopes)
}

// candidate is a repository of which a scope is due; last is when it was last read or tried.
type candidate struct {
	api.Repository
	last time.Time
	// emitted is when it was last emitted or tried in this process.
	emitted time.Time
}

// evenPace is by how much more than an even share of repositories to which nothing was pushed is read in one collection.
const evenPace = 1.1

// dueRepositories are the repositories whose scope is due in this collection. Those that were never read and the others share the places, so that neither waits for the other.
func (c *Collector) dueRepositories(s part.RepositoryScope, org string, list []api.Repository, cursors collectors.Cursors) dueScopes {
	var first, again, aged, unchanged []candidate
	now, unpushed := c.env.Now(), c.unpushedInterval(org, s.Pushed)
	c.attempts.With(org, func(at *map[string]time.Time) {
		for _, r := range list {
			last, read := cursors[s.Name(r)].Time()
			if r.Archived || read && now.Sub(last) < c.env.Intervals.Repository || c.env.Questions.Refused(scopeQuestion(s, org, r)) != nil {
				continue
			}
			tried := (*at)[s.Name(r)]
			next := candidate{r, last, tried}
			if tried.After(last) {
				next.last = tried
			}
			switch {
			case !read:
				first = append(first, next)
			case r.PushedAt.IsZero() || r.PushedAt.After(last.Add(-settles)) || unpushed <= c.env.Intervals.Repository:
				again = append(again, next)
			case now.Sub(last) >= unpushed:
				aged = append(aged, next)
			case now.Sub(tried) >= c.env.Intervals.Repository:
				unchanged = append(unchanged, next)
			}
		}
	})
	// What was first read within a few hours falls due within a few hours: at an even pace it does no more, and is unchanged until its turn comes.
	pace := int(math.Ceil(evenPace * float64(live(list)) * float64(c.env.Intervals.Collection) / float64(unpushed)))
	sortByWait(aged)
	for _, late := range aged[min(pace, len(aged)):] {
		if now.Sub(late.emitted) >= c.env.Intervals.Repository {
			unchanged = append(unchanged, late)
		}
	}
	again = append(again, aged[:min(pace, len(aged))]...)
	most := c.env.RepositoriesPerCollection
	longest := max(most-len(first), (most+1)/2)
	read := waitedLongest(again, longest)
	read = append(read, waitedLongest(first, most-len(read))...)
	return dueScopes{read, waitedLongest(unchanged, unchangedAtOnce*most)}
}

// waitedLongest are those that have waited longest, at most so many. Those that wait equally long come in an order that has nothing to do with their names, so that a refusal of those that
// begin alike says little of the rest.
func waitedLongest(list []candidate, most int) []api.Repository {
	sortByWait(list)
	next := make([]api.Repository, min(len(list), max(0, most)))
	for i := range next {
		next[i] = list[i].Repository
	}
	return next
}

func sortByWait(list []candidate) {
	slices.SortFunc(list, func(a, b candidate) int {
		return cmp.Or(a.last.Compare(b.last), cmp.Compare(shuffled(a.Name), shuffled(b.Name)), cmp.Compare(a.Name, b.Name))
	})
}

// emitUnchanged says that what a scope held is so still, without asking. The cursor stays that of the last reading.
func (c *Collector) emitUnchanged(s part.RepositoryScope, org string, r api.Repository, emit func(record.Batch) error) error {
	b := s.Empty
	b.Scope, b.Mode = s.Name(r), record.Delta
	c.attempts.With(org, func(at *map[string]time.Time) { (*at)[b.Scope] = c.env.Now() })
	return emit(b)
}
