package main

import (
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// asMain makes the test binary the program itself, for tests that need a process to die.
const asMain = "PRODSEC_EXPORTER_TEST_AS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

var evaluatedAt = regexp.MustCompile(`(?m)^prodsec_evaluation_timestamp_seconds (\S+)$`)

// instantOf is when the families of an answer were evaluated.
func instantOf(t *testing.T, metrics string) time.Time {
	t.Helper()
	found := evaluatedAt.FindStringSubmatch(metrics)
	if found == nil {
		t.Fatalf("no instant of evaluation in\n%s", metrics)
	}
	seconds, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)).UTC()
}

// TestEvaluate: while the exporter runs and when it is gone, the past is what it served.
func TestEvaluate(t *testing.T) {
	dir, configFile := files(t)
	path := filepath.Join(dir, "prodsec.db")
	began := time.Now()
	r := run(t, "--config.file="+configFile, "--ledger.path="+path)
	r.until("/-/ready", "is ready", true)
	time.Sleep(1100 * time.Millisecond) // the past is kept by the second
	first := r.until("/metrics", openFinding, true)
	time.Sleep(1100 * time.Millisecond) // what follows is in another second

	put(t, configFile, strings.Replace(string(readFile(t, configFile)), "collectors:", "policy: {sla: {targets: [{severity: high, within: 1s}]}}\ncollectors:", 1))
	if code, body := r.ask(http.MethodPost, "/-/reload"); code != http.StatusOK {
		t.Fatalf("reload: got %d %s", code, body)
	}
	r.until("/metrics", `prodsec_counting_changes_total{kind="policy"} 1`, true)
	time.Sleep(1100 * time.Millisecond) // what the change led to has been evaluated
	second := r.until("/metrics", `prodsec_counting_changes_total{kind="policy"} 1`, true)

	past := func(when string, served string) {
		t.Helper()
		at := instantOf(t, served)
		text, log, err := runCommand("--ledger.path="+path, "evaluate", "--at="+at.Format(time.RFC3339Nano))
		if err != nil {
			t.Fatalf("%s: %v\n%s", when, err, log)
		}
		if !strings.Contains(text, "prodsec_findings_open{") || !strings.HasPrefix(served, text) {
			t.Errorf("%s something else was served at %s:\n%s\nwas served:\n%s", when, at, text, served)
		}
	}
	past("while it runs,", first)
	past("while it runs, after a change of policy,", second)
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	past("when it is gone,", first)

	other := put(t, filepath.Join(dir, "other.yml"), "policy: {trust_tiers: [gold, tier0, tier1, tier2, tier3], sla: {targets: [{severity: high, trust_tiers: [tier0], within: 1d}]}}\n")
	text, _, err := runCommand("--ledger.path="+path, "evaluate", "--at="+instantOf(t, first).Format(time.RFC3339Nano), "--policy="+other)
	if want := `prodsec_sla_target_seconds{severity="high",trust_tier="tier0",internet_facing="true",crown_jewel="false",exploited="false"} 86400`; err != nil || !strings.Contains(text, want) {
		t.Errorf("under another policy: %v; no %s in\n%s", err, want, text)
	}
	if want := `severity="high",class="sast",sla="due_soon"} 1`; strings.Contains(text, want) || !strings.Contains(text, `trust_tier="tier0",severity="high",class="sast",sla="within"} 1`) {
		t.Errorf("under another policy the finding stands otherwise:\n%s", text)
	}
	empty := filepath.Join(dir, "empty.db")
	put(t, empty, "")
	for _, c := range []struct{ want, path, at string }{
		{"knows nothing of that time: nothing that was imported at the founding", path, "2001-01-01"},
		{"nowhere.db does not exist; name one by --ledger.path", filepath.Join(dir, "nowhere.db"), "2026-01-01"},
		{"there is no ledger in it", empty, "2026-01-01"},
		{`--at "yesterday" is no instant: write 2026-10-01T00:00:00Z`, path, "yesterday"},
		{"lies ahead", path, began.AddDate(1, 0, 0).Format(time.RFC3339)},
	} {
		if text, _, err := runCommand("--ledger.path="+c.path, "evaluate", "--at="+c.at); err == nil || text != "" || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s at %s: %v, want %q", c.path, c.at, err, c.want)
		}
	}
	put(t, other, "polcy: {}\n")
	if _, _, err := runCommand("--ledger.path="+path, "evaluate", "--at=2026-01-01", "--policy="+other); err == nil || !strings.Contains(err.Error(), `other.yml:1:1: polcy: unknown key`) {
		t.Errorf("a policy with a mistake: %v", err)
	}
	if _, _, err := runCommand("--ledger.path="+path, "evaluate"); err == nil || !strings.Contains(err.Error(), "--at") {
		t.Errorf("without an instant: %v", err)
	}
}

// TestOneExporterPerLedger starts the program as a process of its own: while it lives nobody else gets its ledger, and when it was killed
// the next one does.
func TestOneExporterPerLedger(t *testing.T) {
	dir, configFile := files(t)
	path := filepath.Join(dir, "prodsec.db")
	args := []string{"--config.file=" + configFile, "--ledger.path=" + path, "--web.listen-address=127.0.0.1:0"}
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	log := &buffer{}
	process := exec.CommandContext(t.Context(), binary, args...)
	process.Env, process.Stderr = append(os.Environ(), asMain+"=1"), log
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(log.String(), "Ready: "); {
		if time.Now().After(deadline) {
			t.Fatalf("the first exporter is not ready:\n%s", log)
		}
		time.Sleep(20 * time.Millisecond) // polling a process that cannot call us
	}
	_, _, err = runCommand(args...)
	for _, want := range []string{"the ledger " + path, "another exporter uses it", "process " + strconv.Itoa(process.Process.Pid) + " on host ", "stop that one"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a second exporter: %v, want %q", err, want)
		}
	}
	if text, _, err := runCommand("--ledger.path="+path, "evaluate", "--at="+time.Now().UTC().Format(time.RFC3339)); err != nil || !strings.Contains(text, openFinding) {
		t.Errorf("reading beside it: %v\n%s", err, text)
	}
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = process.Wait() // it was killed, and says so
	run(t, args[:2]...).until("/metrics", openFinding, true)
}
