package grafana_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"prodsec_exporter/internal/grafana"
)

// server behaves as Grafana 9.4 to 13 do for folders and boards, including what the answers look like.
type server struct {
	*httptest.Server
	mu      sync.Mutex
	folders map[string]int
	boards  map[string]map[string]any
	inside  map[string]int
	writes  int
	// broken, if set, answers every request instead.
	broken http.HandlerFunc
}

func start(t *testing.T) *server {
	s := &server{folders: map[string]int{}, boards: map[string]map[string]any{}, inside: map[string]int{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sub/api/folders/{uid}", func(w http.ResponseWriter, r *http.Request) {
		id, ok := s.folders[r.PathValue("uid")]
		if !ok {
			answer(w, http.StatusNotFound, map[string]any{"message": "folder not found", "status": "not-found"})
			return
		}
		answer(w, http.StatusOK, map[string]any{"id": id, "uid": r.PathValue("uid")})
	})
	mux.HandleFunc("POST /sub/api/folders", func(w http.ResponseWriter, r *http.Request) {
		var f struct{ UID, Title string }
		decode(t, r.Body, &f)
		s.writes++
		s.folders[f.UID] = len(s.folders) + 7
		answer(w, http.StatusOK, map[string]any{"id": s.folders[f.UID], "uid": f.UID, "title": f.Title})
	})
	mux.HandleFunc("GET /sub/api/dashboards/uid/{uid}", func(w http.ResponseWriter, r *http.Request) {
		model, ok := s.boards[r.PathValue("uid")]
		if !ok {
			answer(w, http.StatusNotFound, map[string]any{"message": "Dashboard not found"})
			return
		}
		answer(w, http.StatusOK, map[string]any{"meta": map[string]any{"folderId": s.inside[r.PathValue("uid")]}, "dashboard": model})
	})
	mux.HandleFunc("POST /sub/api/dashboards/db", func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			Dashboard map[string]any
			FolderID  int
			Overwrite bool
		}
		decode(t, r.Body, &request)
		uid, _ := request.Dashboard["uid"].(string)
		if request.Dashboard["title"] == "Provisioned" {
			answer(w, http.StatusBadRequest, map[string]any{"message": "Cannot save provisioned dashboard"})
			return
		}
		s.writes++
		model := maps.Clone(request.Dashboard)
		model["id"], model["version"] = 42, s.writes // Grafana's own
		s.boards[uid], s.inside[uid] = model, request.FolderID
		answer(w, http.StatusOK, map[string]any{"id": 42, "uid": uid, "status": "success"})
	})
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case s.broken != nil:
			s.broken(w, r)
		case r.Header.Get("Authorization") != "Bearer glsa_secret":
			answer(w, http.StatusUnauthorized, map[string]any{"message": "Invalid API key"})
		default:
			mux.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // the client will notice
}

func decode(t *testing.T, from io.Reader, into any) {
	if err := json.NewDecoder(from).Decode(into); err != nil {
		t.Errorf("the request is no JSON: %v", err)
	}
}

func (s *server) client(t *testing.T) *grafana.Client {
	t.Helper()
	c, err := grafana.New(grafana.Options{URL: s.URL + "/sub", Token: "glsa_secret"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// board has what the typed Board of the library loses.
func board(t *testing.T, title string) *grafana.Board {
	t.Helper()
	b, err := grafana.Parse(title+".json", fmt.Appendf(nil, `{"uid": "prodsec-%s", "title": %q, "schemaVersion": 42,
		"panels": [{"type": "stat", "fieldConfig": {"defaults": {"max": 0.950}, "overrides": [{"matcher": {"id": "byName"}}]}, "transformations": [{"id": "organize"}]}]}`,
		strings.ToLower(title), title))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var folder = grafana.Folder{UID: "prodsec", Title: "Product security"}

// push returns the actions by board.
func push(t *testing.T, c *grafana.Client, dryRun bool, boards ...*grafana.Board) (map[string]grafana.Action, string) {
	t.Helper()
	actions, diffs := map[string]grafana.Action{}, ""
	err := c.Push(context.Background(), boards, folder, dryRun, func(r grafana.Result) {
		actions[r.Board.Title] = r.Action
		diffs += r.Diff
	})
	if err != nil {
		t.Fatal(err)
	}
	return actions, diffs
}

func TestPushIsIdempotent(t *testing.T) {
	s := start(t)
	c := s.client(t)
	a, b := board(t, "A"), board(t, "B")
	if got, _ := push(t, c, true, a, b); got["A"] != grafana.Created || s.writes != 0 {
		t.Fatalf("a dry run on an empty Grafana: %v and %d writes, want created and none", got, s.writes)
	}
	if got, _ := push(t, c, false, a, b); got["A"] != grafana.Created || got["B"] != grafana.Created || s.writes != 3 {
		t.Fatalf("the first push: %v and %d writes, want both created, and the folder", got, s.writes)
	}
	panel := s.boards["prodsec-a"]["panels"].([]any)[0].(map[string]any)
	if panel["fieldConfig"] == nil || panel["transformations"] == nil {
		t.Errorf("what was pushed lost a part: %v", panel)
	}
	if got, _ := push(t, c, false, a, b); got["A"] != grafana.Unchanged || got["B"] != grafana.Unchanged || s.writes != 3 {
		t.Fatalf("the second push: %v and %d writes, want nothing", got, s.writes)
	}
	s.boards["prodsec-a"]["schemaVersion"] = 41
	s.inside["prodsec-b"] = 0
	got, diff := push(t, c, true, a, b)
	if got["A"] != grafana.Updated || got["B"] != grafana.Moved || s.writes != 3 {
		t.Errorf("a dry run over a changed and a moved board: %v and %d writes", got, s.writes)
	}
	if !strings.Contains(diff, `-  "schemaVersion": 41`) || !strings.Contains(diff, `+  "schemaVersion": 42`) {
		t.Errorf("the diff does not say what changes:\n%s", diff)
	}
	push(t, c, false, a, b)
	if got, _ := push(t, c, false, a, b); got["A"] != grafana.Unchanged || got["B"] != grafana.Unchanged {
		t.Errorf("after repairing both: %v, want unchanged", got)
	}
}

// TestErrorsAreClear holds answers on which the library by itself panics or talks of an invalid character.
func TestErrorsAreClear(t *testing.T) {
	for _, tt := range []struct {
		name   string
		broken http.HandlerFunc
		code   int
		want   string
	}{
		{"no message", func(w http.ResponseWriter, _ *http.Request) { answer(w, 403, map[string]any{"accessErrorId": "ACE1"}) }, 403, "role Editor"},
		{"null", func(w http.ResponseWriter, _ *http.Request) { answer(w, 500, nil) }, 500, "500 Internal Server Error"},
		{"a page", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, "<html>nginx</html>")
		}, 502, "502 Bad Gateway"},
		{"no access", func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 401, map[string]any{"message": "Unauthorized"})
		}, 401, "Unauthorized (is the token"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.example/", http.StatusFound)
		}, 302, "redirects are not followed"},
		{"nothing", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, 503, "503 Service Unavailable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t)
			s.broken = tt.broken
			err := s.client(t).Push(context.Background(), []*grafana.Board{board(t, "A")}, folder, false, func(grafana.Result) {})
			status, ok := errors.AsType[*grafana.StatusError](err)
			if !ok || status.Code != tt.code || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %d with %q", err, tt.code, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "glsa_secret") {
				t.Errorf("the token is in %v", err)
			}
		})
	}
}

func TestARefusedBoardIsNamed(t *testing.T) {
	s := start(t)
	err := s.client(t).Push(context.Background(), []*grafana.Board{board(t, "Provisioned")}, folder, false, func(grafana.Result) {})
	if err == nil || !strings.Contains(err.Error(), `"Provisioned"`) || !strings.Contains(err.Error(), "Cannot save provisioned dashboard") {
		t.Errorf("got %v, want an error that names the board and the reason", err)
	}
}

func TestNewRefusesWhatIsNoURL(t *testing.T) {
	for _, bad := range []string{"", "grafana.example.com", "ftp://grafana.example.com", "https://user:hunter2@grafana.example.com", "http://"} {
		if _, err := grafana.New(grafana.Options{URL: bad}); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"nonsense":                           "x.json is not the JSON",
		`{"dashboard": {"uid": "a"}}`:        `wraps its board`,
		`{"title": "A"}`:                     `lacks "uid"`,
		`{"uid": 7, "title": "A"}`:           `lacks "uid"`,
		`[{"uid": "a", "title": "A board"}]`: "not the JSON of a board",
	} {
		if _, err := grafana.Parse("x.json", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
