package github

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/demo/world"
)

// gitHub is the fake of GitHub's REST and GraphQL APIs.
type gitHub struct {
	world *world.World
	now   func() time.Time
	token string
	url   string
	mux   *http.ServeMux
	views map[world.Source]*answer.View
	// attested are the artifacts with an attestation.
	attested attestedArtifacts

	mu      sync.Mutex
	budgets map[string]*budget
}

// budget is what is left of an hour's requests.
type budget struct {
	limit, used int
	reset       time.Time
}

// organisationIDs are the numbers under which GitHub's own paging links name the organisations.
var organisationIDs = map[string]int64{world.OrgMeridian: 4_100_001, world.OrgLabs: 4_100_002}

// ServeHTTP checks the credential, which GitHub does before anything else.
func (g *gitHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-GitHub-Media-Type", "github.v3; format=json")
	w.Header().Set("X-GitHub-Request-Id", "DEMO:"+strconv.FormatInt(g.now().UnixNano(), 36))
	w.Header().Set("Vary", "Accept, Authorization, Cookie, X-GitHub-OTP")
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token != g.token || !strings.EqualFold(scheme, "bearer") && !strings.EqualFold(scheme, "token") {
		message := "Bad credentials"
		if token == "" {
			message = "Requires authentication"
		}
		g.refuse(w, http.StatusUnauthorized, message)
		return
	}
	g.mux.ServeHTTP(w, r)
}

// refuse answers with an error in GitHub's form.
func (g *gitHub) refuse(w http.ResponseWriter, code int, message string) {
	g.state(w, "core", 1)
	answer.WriteJSON(w, code, map[string]string{
		"message": message, "documentation_url": "https://docs.github.com/rest", "status": strconv.Itoa(code),
	})
}

// forbidden answers that a permission is missing.
func (g *gitHub) forbidden(permission string) func(http.ResponseWriter, *http.Request, string) {
	return func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("X-Accepted-GitHub-Permissions", permission)
		g.refuse(w, http.StatusForbidden, "Resource not accessible by personal access token")
	}
}

// spend takes a cost off a budget and returns what is left of it.
func (g *gitHub) spend(resource string, cost int) budget {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.budgets[resource]
	if now := g.now(); !now.Before(b.reset) {
		b.used, b.reset = 0, now.Truncate(time.Second).Add(time.Hour)
	}
	b.used = min(b.used+cost, b.limit)
	return *b
}

// state spends a cost and writes the headers that tell of it.
func (g *gitHub) state(w http.ResponseWriter, resource string, cost int) {
	b := g.spend(resource, cost)
	for name, value := range map[string]string{
		"X-Ratelimit-Limit": strconv.Itoa(b.limit), "X-Ratelimit-Used": strconv.Itoa(b.used),
		"X-Ratelimit-Remaining": strconv.Itoa(b.limit - b.used), "X-Ratelimit-Reset": strconv.FormatInt(b.reset.Unix(), 10),
		"X-Ratelimit-Resource": resource,
	} {
		w.Header().Set(name, value)
	}
}

// answer sends a value with its entity tag. An answer of 304 costs nothing.
func (g *gitHub) answer(w http.ResponseWriter, r *http.Request, value any) {
	body, err := answer.Marshal(value)
	if err != nil {
		g.refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	g.state(w, "core", 0)
	recorder := &costing{ResponseWriter: w, count: func() { g.state(w, "core", 1) }}
	answer.WriteTagged(recorder, r, "application/json; charset=utf-8", body)
}

// costing charges for an answer when its code is known, before its headers are sent.
type costing struct {
	http.ResponseWriter
	count func()
}

// WriteHeader charges unless nothing has changed.
func (c *costing) WriteHeader(code int) {
	if code != http.StatusNotModified {
		c.count()
	}
	c.ResponseWriter.WriteHeader(code)
}

func (g *gitHub) rateLimit(w http.ResponseWriter, _ *http.Request) {
	resources := map[string]any{}
	for _, resource := range []string{"core", "graphql"} {
		b := g.spend(resource, 0)
		resources[resource] = map[string]any{
			"limit": b.limit, "used": b.used, "remaining": b.limit - b.used, "reset": b.reset.Unix(), "resource": resource,
		}
	}
	g.state(w, "core", 0)
	answer.WriteJSON(w, http.StatusOK, map[string]any{"resources": resources, "rate": resources["core"]})
}

// organisationRoute serves a path below an organisation, by its name and by the number that paging links use.
func (g *gitHub) organisationRoute(path string, handle func(http.ResponseWriter, *http.Request, string)) {
	g.mux.HandleFunc("GET /orgs/{org}"+path, func(w http.ResponseWriter, r *http.Request) {
		org := strings.ToLower(r.PathValue("org"))
		if _, ok := organisationIDs[org]; !ok {
			g.refuse(w, http.StatusNotFound, "Not Found")
			return
		}
		handle(w, r, org)
	})
	g.mux.HandleFunc("GET /organizations/{org}"+path, func(w http.ResponseWriter, r *http.Request) {
		for org, id := range organisationIDs {
			if r.PathValue("org") == strconv.FormatInt(id, 10) {
				handle(w, r, org)
				return
			}
		}
		g.refuse(w, http.StatusNotFound, "Not Found")
	})
}

// repositoryRoute serves a path below a repository, by its name and by the number that paging links use.
func (g *gitHub) repositoryRoute(path string, handle func(http.ResponseWriter, *http.Request, *world.Repository)) {
	serve := func(pattern string, same func(*http.Request, *world.Repository) bool) {
		g.mux.HandleFunc("GET "+pattern+path, func(w http.ResponseWriter, r *http.Request) {
			for _, repository := range g.world.Repositories {
				if same(r, repository) {
					handle(w, r, repository)
					return
				}
			}
			g.refuse(w, http.StatusNotFound, "Not Found")
		})
	}
	serve("/repos/{org}/{repo}", func(r *http.Request, repository *world.Repository) bool {
		return strings.EqualFold(repository.FullName(), r.PathValue("org")+"/"+r.PathValue("repo"))
	})
	serve("/repositories/{number}", func(r *http.Request, repository *world.Repository) bool {
		return strconv.FormatInt(repository.ID, 10) == r.PathValue("number")
	})
}

func (g *gitHub) organisation(w http.ResponseWriter, r *http.Request, org string) {
	g.answer(w, r, map[string]any{
		"login": org, "id": organisationIDs[org], "type": "Organization", "url": g.url + "/orgs/" + org, "html_url": answer.WebURL + org,
	})
}

// organisationBase and repositoryBase are the paths under which GitHub's own paging links name things: by number.
func organisationBase(org string) string {
	return fmt.Sprintf("/organizations/%d", organisationIDs[org])
}

func repositoryBase(r *world.Repository) string { return fmt.Sprintf("/repositories/%d", r.ID) }

// link writes a Link header for pages of what the request asks for.
func (g *gitHub) link(r *http.Request, base string, pages []page) string {
	segments := 2 // of the path that base stands for
	if strings.HasPrefix(r.URL.Path, "/repos/") {
		segments = 3
	}
	rest := strings.SplitN(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/", segments+1)[segments]
	parts := make([]string, len(pages))
	for i, p := range pages {
		query := r.URL.Query()
		for _, name := range []string{"page", "after", "before"} {
			query.Del(name)
		}
		query.Set(p.parameter, p.value)
		parts[i] = fmt.Sprintf(`<%s%s/%s?%s>; rel="%s"`, g.url, base, rest, query.Encode(), p.relation)
	}
	return strings.Join(parts, ", ")
}

// page is a page that a Link header points to.
type page struct{ relation, parameter, value string }

// perPage reads per_page: 30 by default, at most 100.
func perPage(r *http.Request) int {
	n, err := strconv.Atoi(r.URL.Query().Get("per_page"))
	if err != nil || n < 1 {
		return 30
	}
	return min(n, 100)
}

// numbered cuts the page that the request asks for out of a list of n items and writes its links.
func (g *gitHub) numbered(w http.ResponseWriter, r *http.Request, base string, n int) (from, to int) {
	size, number := perPage(r), 1
	if asked, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil && asked > 1 {
		number = asked
	}
	last := max((n+size-1)/size, 1)
	var links []page
	if number > 1 {
		links = append(links, page{"prev", "page", strconv.Itoa(number - 1)}, page{"first", "page", "1"})
	}
	if number < last {
		links = append(links, page{"next", "page", strconv.Itoa(number + 1)}, page{"last", "page", strconv.Itoa(last)})
	}
	if len(links) > 0 {
		w.Header().Set("Link", g.link(r, base, links))
	}
	return min((number-1)*size, n), min(number*size, n)
}

// attestedArtifacts are the artifacts that have an attestation, by repository, at one second.
type attestedArtifacts struct {
	mu   sync.Mutex
	at   time.Time
	list map[*world.Repository][]world.Artifact
}
