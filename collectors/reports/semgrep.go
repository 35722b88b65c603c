package reports

import (
	"cmp"
	"strconv"
	"strings"

	"prodsec_exporter/internal/record"
)

// semgrepParser reads the JSON that the Semgrep command writes.
type semgrepParser struct{}

const semgrepTool = "semgrep"

func (semgrepParser) name() string { return "Semgrep JSON" }

// sniff waits for two marks, because many tools have "results".
func (semgrepParser) sniff(s sketch) bool { return s.form == '{' && s.has("results", "errors") }

type semgrepResult struct {
	CheckID text `json:"check_id"`
	Path    text `json:"path"`
	Start   struct {
		Line number `json:"line"`
		Col  number `json:"col"`
	} `json:"start"`
	Extra struct {
		Message     text `json:"message"`
		Severity    text `json:"severity"`
		Fingerprint text `json:"fingerprint"`
		IsIgnored   bool `json:"is_ignored"`
		Metadata    struct {
			CWE        textList `json:"cwe"`
			Source     text     `json:"source"`
			Impact     text     `json:"impact"`
			Category   text     `json:"category"`
			Technology textList `json:"technology"`
		} `json:"metadata"`
		ValidationState text `json:"validation_state"`
	} `json:"extra"`
}

func (semgrepParser) parse(s *stream, r *report) error {
	classes := map[record.Class]bool{record.ClassSAST: true}
	listed := false
	err := s.object(func(key string) error {
		if key != "results" {
			return s.skip()
		}
		var err error
		listed, err = s.array(func() error {
			var item semgrepResult
			ok, err := s.item(&item)
			switch {
			case err != nil:
				return err
			case !ok:
				r.reject(record.RejectDecode)
			case item.CheckID == "":
				r.reject(record.RejectNoID)
			default:
				f, identity := item.finding()
				classes[f.Class] = true
				r.add(f, identity...)
			}
			return nil
		})
		return err
	})
	if err != nil {
		return err
	}
	r.incomplete = !listed
	for class := range classes {
		r.scanned(semgrepTool, class, "", listed)
	}
	return nil
}

// finding: Semgrep's ERROR, WARNING and INFO are high, medium and low; newer rules say CRITICAL to LOW themselves.
func (i *semgrepResult) finding() (record.Finding, []string) {
	id := string(i.CheckID)
	f := record.Finding{
		Tool: semgrepTool, Class: record.ClassSAST, Rule: record.Text(id), Title: record.Text(string(cmp.Or(i.Extra.Message, i.CheckID))),
		URL: webLink(string(i.Extra.Metadata.Source)), Severity: severityOfWord(string(i.Extra.Severity)),
		Place: record.Text(cleanPath(string(i.Path))), Line: positive(i.Start.Line),
	}
	for _, c := range i.Extra.Metadata.CWE {
		f.Category = cmp.Or(f.Category, record.CWE(string(c)))
	}
	f.Category = cmp.Or(f.Category, f.Rule)
	if semgrepSecret(id) {
		f.Class = record.ClassSecret
		f.Title = f.Rule // a message may quote the secret
		switch i.Extra.ValidationState {
		case "CONFIRMED_VALID":
			f.ActiveSecret = record.AnswerYes
		case "CONFIRMED_INVALID":
			f.ActiveSecret = record.AnswerNo
		}
	}
	if i.Extra.IsIgnored {
		f.Closure = record.ClosureOther
	}
	fingerprint := string(i.Extra.Fingerprint)
	if fingerprint == "" || strings.EqualFold(fingerprint, "requires login") {
		fingerprint = strconv.Itoa(f.Line) + ":" + strconv.Itoa(positive(i.Start.Col))
	}
	return f, []string{id, f.Place, fingerprint}
}

// semgrepSecret recognises the rules of the registry's secret rulesets.
func semgrepSecret(id string) bool {
	return strings.HasPrefix(id, "generic.secrets.") || strings.Contains(id, ".secrets.security.")
}
