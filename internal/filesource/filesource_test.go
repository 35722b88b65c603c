package filesource_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"prodsec_exporter/internal/filesource"
	"prodsec_exporter/internal/record"
)

func write(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestListNames: names do not depend on where the tree is, and two files never share one.
func TestListNames(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a/x.json", "a/y.json", "b/x.json", "c.json")
	files, err := filesource.List([]string{filepath.Join(dir, "b/*.json"), filepath.Join(dir, "a/*.json"), filepath.Join(dir, "a/x.json"), filepath.Join(dir, "c.json"), filepath.Join(dir, "none.json")})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	if want := []string{"x.json", "y.json", filepath.Join(dir, "b/x.json"), "c.json", "none.json"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	if _, err := filesource.List([]string{filepath.Join(dir, "*.sarif")}); record.ReasonOf(err) != record.ReasonNotFound {
		t.Errorf("a pattern without files: got %v, want %s", err, record.ReasonNotFound)
	}
	if _, _, err := filesource.Open(filepath.Join(dir, "none.json")); record.ReasonOf(err) != record.ReasonNotFound {
		t.Errorf("a file that is missing: got %v, want %s", err, record.ReasonNotFound)
	}
	if err := filesource.CheckPatterns([]string{"a", "[", "b"}, "/x/*.json"); err == nil {
		t.Error("a broken pattern was accepted")
	}
}

func TestTrees(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a/x.json", "a/x.json.meta", "a/.hidden/y.json", "a/.z", "b/c/d.json")
	trees, err := filesource.NewTrees([]string{filepath.Join(dir, "a"), filepath.Join(dir, "b/**/*.json")})
	if err != nil {
		t.Fatal(err)
	}
	files, err := trees.Files(t.Context(), ".meta")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	if want := []string{"a/x.json", "b/c/d.json"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	missing, err := filesource.NewTrees([]string{filepath.Join(dir, "none")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := missing.Files(t.Context(), ""); record.ReasonOf(err) != record.ReasonNotFound {
		t.Errorf("a folder that is missing: got %v, want %s", err, record.ReasonNotFound)
	}
}

func TestErrorKeepsWhatIsClassified(t *testing.T) {
	classified := &record.Error{Reason: record.ReasonTruncated}
	if got := filesource.Error(classified); !errors.Is(got, classified) || record.ReasonOf(filesource.Error(os.ErrPermission)) != record.ReasonPermission {
		t.Errorf("got %v", got)
	}
}
