//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// binary is the exporter, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "prodsec-e2e-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir) //nolint:errcheck // A temporary folder left behind fails no test.
		binary = filepath.Join(dir, "prodsec_exporter")
		if out, err := exec.Command("go", "build", "-trimpath", "-o", binary, "../cmd/prodsec_exporter").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building the exporter: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// process is a program under test.
type process struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd
	log  *log
	done chan struct{}
	err  error // of Wait, once done is closed
}

// log keeps what a program writes and can be read meanwhile.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs a program until the test ends or it is stopped; its log is shown if the test fails.
func start(t *testing.T, dir, name string, args ...string) *process {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not installed: %v; .ci/run installs what these tests need", name, err)
	}
	p := &process{t: t, name: filepath.Base(name), cmd: exec.Command(path, args...), log: &log{}, done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, p.log, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	go func() {
		defer close(p.done)
		p.err = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			text := p.log.String()
			t.Logf("log of %s:\n%s", p.name, text[max(0, len(text)-8000):])
		}
	})
	return p
}

// kill ends the program at once, as a power failure would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.done
}

// terminate asks the program to end and returns its exit code; it must end within five seconds.
func (p *process) terminate() int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatalf("stopping %s: %v", p.name, err)
	}
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(5 * time.Second):
		p.t.Fatalf("%s did not end within 5 s of SIGTERM", p.name)
		return -1
	}
}

// eventually waits until a condition holds and fails with its last error if it does not in time.
func eventually(t *testing.T, within time.Duration, what string, condition func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen within %s: %v", what, within, err)
		}
		time.Sleep(100 * time.Millisecond) // polling a program that cannot call us
	}
}

// freeAddress is a loopback address that was free a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // Nothing was accepted.
	return l.Addr().String()
}

// exporter is the exporter under test.
type exporter struct {
	*process
	address string
}

var listeningOn = regexp.MustCompile(`msg="Listening on" address=(\S+)`)

// startExporter runs the exporter on a free port and waits until it listens.
func startExporter(t *testing.T, args ...string) *exporter {
	t.Helper()
	e := &exporter{process: start(t, t.TempDir(), binary, append(args, "--web.listen-address=127.0.0.1:0")...)}
	eventually(t, 20*time.Second, "listening", func() error {
		select {
		case <-e.done:
			return fmt.Errorf("the exporter ended: %w", errors.Join(e.err, errors.New(e.log.String())))
		default:
		}
		match := listeningOn.FindStringSubmatch(e.log.String())
		if match == nil {
			return errors.New("no address in the log")
		}
		e.address = match[1]
		return nil
	})
	return e
}

func (e *exporter) url(path string) string { return "http://" + e.address + path }

// ready waits for readiness.
func (e *exporter) ready(within time.Duration) {
	e.t.Helper()
	eventually(e.t, within, "readiness", func() error {
		_, err := get(e.url("/-/ready"))
		return err
	})
}

// families scrapes the exporter.
func (e *exporter) families() map[string]*dto.MetricFamily {
	e.t.Helper()
	body, err := get(e.url("/metrics"))
	if err != nil {
		e.t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		e.t.Fatalf("/metrics: %v", err)
	}
	return families
}

// value sums the series of a family whose labels include those given; ok says whether there is any.
func value(families map[string]*dto.MetricFamily, name string, labels map[string]string) (sum float64, ok bool) {
	for _, m := range families[name].GetMetric() {
		if !matches(m, labels) {
			continue
		}
		ok = true
		sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
	}
	return sum, ok
}

func matches(m *dto.Metric, labels map[string]string) bool {
	have := map[string]string{}
	for _, l := range m.GetLabel() {
		have[l.GetName()] = l.GetValue()
	}
	for name, want := range labels {
		if have[name] != want {
			return false
		}
	}
	return true
}

var client = &http.Client{Timeout: 20 * time.Second}

// get is the body of a 200 answer.
func get(url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // Read to its end below.
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %d: %s", url, response.StatusCode, strings.TrimSpace(string(body)))
	}
	return body, nil
}

// write makes a file with the given text.
func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// read is the text of a file.
func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
