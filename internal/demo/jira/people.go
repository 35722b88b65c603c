package jira

import (
	"net/http"
	"strconv"
	"strings"

	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/demo/world"
)

// Group is the group that answers requests for a review. The automation is a member, too: it needs the permissions.
const Group = "product-security"

func (j *jira) statuses(w http.ResponseWriter, _ *http.Request) {
	list := []any{}
	for _, name := range statusNames() {
		list = append(list, wireStatus(name))
	}
	answer.WriteJSON(w, http.StatusOK, list)
}

func (j *jira) members(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("groupname") != Group {
		refuseJira(w, http.StatusNotFound, "The group does not exist.")
		return
	}
	list := []any{}
	for _, name := range append(world.Reviewers(), world.Robot) {
		list = append(list, account(name))
	}
	writeSlice(w, r, "values", list, 50)
}

// comments answers for one ticket, by page, oldest first.
func (j *jira) comments(w http.ResponseWriter, r *http.Request) {
	i, ok := j.find(r.PathValue("key"))
	if !ok {
		refuseJira(w, http.StatusNotFound, "Issue does not exist or you do not have permission to see it.")
		return
	}
	list := []any{}
	for n, c := range i.comments {
		list = append(list, map[string]any{
			"id": strconv.FormatInt(i.sequence*100+int64(n), 10), "author": account(c.By), "created": c.At.Format(Layout), "jsdPublic": true,
			"body": map[string]any{"type": "doc", "version": 1, "content": []any{}},
		})
	}
	writeSlice(w, r, "comments", list, 100)
}

// find makes one issue, by its key or id.
func (j *jira) find(key string) (issue, bool) {
	now := j.now()
	named := func(project string, number, sequence int64) bool {
		i := issue{project: project, number: number, sequence: sequence}
		return i.id() == key || strings.HasPrefix(key, project) && i.key() == key
	}
	for _, t := range j.world.TicketsAt(now) {
		if named(string(t.Project), t.Number, ticketSequence(t)) {
			return ticket(t, now), true
		}
	}
	for _, e := range j.world.ExceptionsAt(now) {
		if named(Project, e.Number, exceptionSequence(e)) {
			return j.exception(e, now), true
		}
	}
	return issue{}, false
}

// writeSlice answers with the part of a list that startAt and maxResults ask for; the server gives at most its own page size.
func writeSlice[T any](w http.ResponseWriter, r *http.Request, name string, all []T, most int) {
	start, _ := strconv.Atoi(r.URL.Query().Get("startAt")) // absent or wrong: from the start
	size, err := strconv.Atoi(r.URL.Query().Get("maxResults"))
	if err != nil || size < 1 || size > most {
		size = most
	}
	from := min(max(start, 0), len(all))
	to := min(from+size, len(all))
	answer.WriteJSON(w, http.StatusOK, map[string]any{
		"startAt": from, "maxResults": size, "total": len(all), "isLast": to == len(all), name: all[from:to],
	})
}
