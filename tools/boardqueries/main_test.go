package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, content string) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "board.json"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestQueriesBecomeRules(t *testing.T) {
	folder := write(t, `{"uid":"b","panels":[{"title":"P","targets":[{"refId":"A","expr":"sum(x{window=\"$window\", team=~\"$team\"})"}]}]}`)
	var out bytes.Buffer
	if err := run(folder, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`sum(x{window=\"30d\", team=~\".*\"})`, `{board: "b", panel: "P", query: "A"}`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("lacks %s:\n%s", want, out.String())
		}
	}
}

func TestABrokenQueryIsNamed(t *testing.T) {
	folder := write(t, `{"uid":"b","panels":[{"title":"P","targets":[{"refId":"A","expr":"up"},{"refId":"B","expr":"sum(up"}]}]}`)
	var out bytes.Buffer
	err := run(folder, &out)
	if err == nil || !strings.Contains(err.Error(), `board b, panel "P", query B`) {
		t.Errorf("got error %v", err)
	}
	if out.Len() > 0 {
		t.Errorf("wrote %q beside an error", out.String())
	}
}

func TestWhatIsNoFolderOfBoards(t *testing.T) {
	if err := run(t.TempDir(), &bytes.Buffer{}); err == nil {
		t.Error("a folder without boards is accepted")
	}
	if err := run(write(t, "{"), &bytes.Buffer{}); err == nil {
		t.Error("half a board is accepted")
	}
}

func TestShippedBoards(t *testing.T) {
	if err := run(filepath.Join("..", "..", "dashboards"), &bytes.Buffer{}); err != nil {
		t.Error(err)
	}
}
