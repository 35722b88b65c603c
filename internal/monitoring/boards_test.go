package monitoring

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"prodsec_exporter/internal/monitoring/boards"
	"prodsec_exporter/internal/monitoring/boards/panel"
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/rulefile"
)

var update = flag.Bool("update", false, "accept the present panel ids as the stable ones")

func panels(b panel.Board) []panel.Panel {
	var list []panel.Panel
	for _, r := range b.Rows {
		list = append(list, r.Panels...)
	}
	return list
}

func panelExists(uid names.BoardUID, id string) bool {
	for _, b := range boards.All() {
		for _, p := range panels(b) {
			if b.UID == uid && strconv.Itoa(int(p.ID)) == id {
				return true
			}
		}
	}
	return false
}

func formatFixed(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func TestPanelsExplainThemselves(t *testing.T) {
	for _, b := range boards.All() {
		titles := map[string]bool{}
		for _, p := range panels(b) {
			where := fmt.Sprintf("%s, panel %d %q", b.UID, p.ID, p.Title)
			for what, text := range map[string]string{
				"title": p.Title, "definition": p.Means, "source": p.Source, "unit": p.Unit, "text for when it is empty": p.Empty,
			} {
				if text == "" {
					t.Errorf("%s has no %s", where, what)
				}
			}
			if len(p.Steps) == 0 || p.Steps[0].Value != nil {
				t.Errorf("%s has no thresholds, or the first has a lower bound", where)
			}
			if len(p.Steps) > 1 && p.Act == "" {
				t.Errorf("%s can be red and does not say what to do then", where)
			}
			if titles[p.Title] {
				t.Errorf("%s: the title is on the board twice", where)
			}
			titles[p.Title] = true
			for _, sentence := range []string{p.Means, p.Source} {
				if !strings.HasSuffix(sentence, ".") {
					t.Errorf("%s: %q is not a sentence", where, sentence)
				}
			}
		}
	}
}

// TestEmptyIsNeverGood: an empty answer comes back as well when nothing was read, so it must not be called good news, in words or in colour.
func TestEmptyIsNeverGood(t *testing.T) {
	honest := regexp.MustCompile(`(?i)not read|not known|no history`)
	for _, b := range boards.All() {
		for _, p := range panels(b) {
			if !honest.MatchString(p.Empty) {
				t.Errorf("%s, %q says %q when there is nothing to show", b.UID, p.Title, p.Empty)
			}
			c := p.Defaults()
			if p.Look != panel.Stat && p.Look != panel.Ranking {
				continue
			}
			if len(c.Mappings) == 0 || c.Mappings[0].SpecialValueMap == nil || *c.Mappings[0].SpecialValueMap.Options.Result.Color != panel.Unknown {
				t.Errorf("%s, %q: a missing value has the colour of a threshold", b.UID, p.Title)
			}
		}
	}
}

// TestRowsFillTheirLines: a hole in a row is a panel that moved.
func TestRowsFillTheirLines(t *testing.T) {
	for _, b := range boards.All() {
		for _, r := range b.Rows {
			var x, height uint32
			for _, p := range r.Panels {
				if x == 0 {
					height = p.H
				}
				if p.H != height {
					t.Errorf("%s, row %q: panel %q is %d high, its line %d", b.UID, r.Question, p.Title, p.H, height)
				}
				x = (x + p.W) % 24
			}
			if x != 0 {
				t.Errorf("%s, row %q: the last line is %d wide", b.UID, r.Question, x)
			}
		}
	}
}

// TestNamesInPanels: columns, keys and sorting name what the queries yield.
func TestColumnsAndSortingNameWhatIsThere(t *testing.T) {
	for _, b := range boards.All() {
		for _, p := range panels(b) {
			there := map[string]bool{}
			for _, q := range p.Queries {
				there[q.Name] = true
				for _, m := range regexp.MustCompile(`by \(([^)]*)\)|label_replace\(.*?, "([a-z_]+)"`).FindAllStringSubmatch(q.Expr, -1) {
					for _, l := range append(names.SplitLabels(m[1]), m[2]) {
						there[l] = true
					}
				}
			}
			columns := map[string]bool{}
			for _, c := range p.Columns {
				columns[c.Title] = true
				if !there[c.Field] {
					t.Errorf("%s, %q: nothing yields the column %q", b.UID, p.Title, c.Field)
				}
			}
			if p.Key != "" && !there[p.Key] {
				t.Errorf("%s, %q: nothing yields the key %q", b.UID, p.Title, p.Key)
			}
			for _, s := range p.Sort {
				if p.Look == panel.Table && !columns[s.Title] || p.Look == panel.Bars && !there[s.Title] {
					t.Errorf("%s, %q is sorted by %q, which it does not show", b.UID, p.Title, s.Title)
				}
			}
			if p.Look == panel.Table && len(p.Sort) == 0 {
				t.Errorf("%s, %q is a table without an order", b.UID, p.Title)
			}
		}
	}
}

// boardModel is the part of a generated board that the checks below read.
type boardModel struct {
	UID           string `json:"uid"`
	SchemaVersion int    `json:"schemaVersion"`
	Panels        []struct {
		ID          int       `json:"id"`
		Type        string    `json:"type"`
		Title       string    `json:"title"`
		Description string    `json:"description"`
		Datasource  sourceRef `json:"datasource"`
		FieldConfig struct {
			Defaults struct {
				Unit    string `json:"unit"`
				NoValue string `json:"noValue"`
			} `json:"defaults"`
		} `json:"fieldConfig"`
		Targets []struct {
			Datasource sourceRef `json:"datasource"`
			Expr       string    `json:"expr"`
		} `json:"targets"`
	} `json:"panels"`
	Templating struct {
		List []struct {
			Name string `json:"name"`
		} `json:"list"`
	} `json:"templating"`
	Links []struct {
		URL string `json:"url"`
	} `json:"links"`
}

type sourceRef struct {
	UID string `json:"uid"`
}

func generated(t *testing.T, b panel.Board) boardModel {
	t.Helper()
	content, err := b.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var m boardModel
	if err := json.Unmarshal(content, &m); err != nil {
		t.Fatalf("%s: %v", b.File, err)
	}
	return m
}

// TestGeneratedBoards checks what Grafana will read, not what we meant.
func TestGeneratedBoards(t *testing.T) {
	variable := regexp.MustCompile(`\$\{?([a-z_]+)`)
	for _, b := range boards.All() {
		m := generated(t, b)
		names := map[string]bool{}
		for _, v := range m.Templating.List {
			names[v.Name] = true
		}
		ids := map[int]bool{}
		for _, p := range m.Panels {
			if p.ID == 0 || ids[p.ID] {
				t.Errorf("%s, %q: the id %d is missing or used twice", b.File, p.Title, p.ID)
			}
			ids[p.ID] = true
			if p.Type == "row" {
				continue
			}
			if p.Description == "" || p.FieldConfig.Defaults.Unit == "" || p.FieldConfig.Defaults.NoValue == "" {
				t.Errorf("%s, %q lacks a description, a unit or a text for when it is empty", b.File, p.Title)
			}
			if p.Datasource.UID != "${datasource}" {
				t.Errorf("%s, %q reads the data source %q", b.File, p.Title, p.Datasource.UID)
			}
			if len(p.Targets) == 0 && p.Type != string(panel.Words) {
				t.Errorf("%s, %q has no query", b.File, p.Title)
			}
			for _, q := range p.Targets {
				if q.Datasource.UID != "${datasource}" {
					t.Errorf("%s, %q: a query reads the data source %q", b.File, p.Title, q.Datasource.UID)
				}
				for _, v := range variable.FindAllStringSubmatch(q.Expr, -1) {
					if !names[v[1]] {
						t.Errorf("%s, %q: no variable is called %q", b.File, p.Title, v[1])
					}
				}
			}
		}
		if m.UID != string(b.UID) {
			t.Errorf("%s: uid %q", b.File, m.UID)
		}
		leads := map[string]bool{}
		for _, l := range m.Links {
			leads[l.URL] = true
		}
		for _, other := range boards.All() {
			if leads["/d/"+string(other.UID)] == (other.UID == b.UID) {
				t.Errorf("%s: links %v; want every other board and no more", b.File, leads)
			}
		}
		if !leads["${exporter}/evidence/"] {
			t.Errorf("%s does not lead to the records: %v", b.File, leads)
		}
	}
}

// TestPanelIDsAreStable: links, bookmarks and alerts hold uids and panel ids. A panel may be added; one that changes its id or takes over another's breaks them.
func TestPanelIDsAreStable(t *testing.T) {
	var now bytes.Buffer
	for _, b := range boards.All() {
		for _, p := range panels(b) {
			fmt.Fprintf(&now, "%s %d %s\n", b.UID, p.ID, p.Title)
		}
	}
	golden := filepath.Join("testdata", "panels.txt")
	if *update {
		if err := os.WriteFile(golden, now.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(now.Bytes(), want) {
		t.Errorf("boards, panel ids or titles changed; if no id changed its meaning, accept with -update:\n%s", difference(string(want), now.String()))
	}
}

func difference(before, after string) string {
	var out strings.Builder
	for _, l := range strings.Split(before, "\n") {
		if !strings.Contains(after, l+"\n") {
			fmt.Fprintf(&out, "- %s\n", l)
		}
	}
	for _, l := range strings.Split(after, "\n") {
		if !strings.Contains(before, l+"\n") {
			fmt.Fprintf(&out, "+ %s\n", l)
		}
	}
	return out.String()
}

// TestGeneratedFilesAreCurrent is generate -check.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	files, err := Files(rulefile.Links{Runbooks: DefaultRunbookURL, Grafana: DefaultGrafanaURL})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		have, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(f.Path)))
		if err != nil || !bytes.Equal(have, f.Content) {
			t.Errorf("%s is out of date (%v): run `go run ./cmd/generate`", f.Path, err)
		}
	}
}

// TestColoursHaveOneMeaning: a state has the same colour wherever it is shown.
func TestColoursHaveOneMeaning(t *testing.T) {
	seen := map[string]string{}
	check := func(where, name, colour string) {
		if colour == "" {
			return
		}
		if before, ok := seen[name]; ok && before != colour {
			t.Errorf("%s: %s is %s here and %s elsewhere", where, name, colour, before)
		}
		seen[name] = colour
	}
	for _, b := range boards.All() {
		for _, p := range panels(b) {
			for _, texts := range [][]panel.Text{p.KeyTexts} {
				for _, x := range texts {
					check(p.Title, x.Value, x.Colour)
				}
			}
			if p.Look != panel.Bars && p.Look != panel.Lines {
				continue
			}
			for _, q := range p.Queries {
				check(p.Title, q.Name, q.Colour)
			}
		}
	}
	for status, colour := range panel.MeaningColours {
		if status != "unknown" {
			check("meaningColours", status, colour)
		}
	}
}

// TestReferenceNamesEveryFamily: each once, with its labels.
func TestReferenceNamesEveryFamily(t *testing.T) {
	content, err := Reference()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range names.Families() {
		if n := bytes.Count(content, []byte("### `"+f.Name+"`\n")); n != 1 {
			t.Errorf("%s is described %d times", f.Name, n)
		}
		if f.Help == "" {
			t.Errorf("%s has no definition", f.Name)
		}
	}
	for _, c := range chapters {
		if !bytes.Contains(content, []byte("\n## "+c.title+"\n")) {
			t.Errorf("the chapter %q is missing", c.title)
		}
	}
}
