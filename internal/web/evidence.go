package web

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"prodsec_exporter/internal/evidence"
	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/metrics"
)

// Evidence is where the evidence pages read.
type Evidence interface {
	// Records are what the metrics that are served were computed from; nil before the first evaluation.
	Records() *metrics.Records
	// Reports are the reports of weaknesses by position.
	Reports(ctx context.Context, weaknesses ...int32) (map[int32][]ledger.Report, error)
}

// pageRows is how many rows a page shows; a CSV file holds all.
const pageRows = 100

//go:embed evidence.html
var evidenceHTML string

var evidencePage = template.Must(template.New("evidence").Funcs(template.FuncMap{
	"time": func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format("2006-01-02 15:04")
	},
	"safe": safeURL,
}).Parse(evidenceHTML))

// safeURL is an address of the web, or nothing: what a source calls a link may be anything.
func safeURL(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return ""
	}
	return u.String()
}

// evidenceRoutes adds the evidence pages.
func evidenceRoutes(mux *http.ServeMux, o Options) {
	page := func(show func(w http.ResponseWriter, r *http.Request, records *metrics.Records)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if !o.ShowEvidence && !o.Private(r) {
				plain(w, http.StatusForbidden, "Records are shown only to authenticated clients (--web.config.file), on a server that listens on loopback alone (by a loopback name and not through a proxy), or with --web.show-evidence.\n")
				return
			}
			records := o.Evidence.Records()
			if records == nil {
				plain(w, http.StatusServiceUnavailable, "Nothing is known yet: the first pass over all sources is under way.\n")
				return
			}
			show(w, r, records)
		}
	}
	mux.HandleFunc("GET /evidence/{$}", page(func(w http.ResponseWriter, _ *http.Request, records *metrics.Records) {
		o.render(w, http.StatusOK, evidenceView{Title: "Evidence", Lists: evidence.Lists(), At: records.At(), Root: "../"})
	}))
	mux.HandleFunc("GET /evidence/{list}", page(o.evidenceList))
	mux.HandleFunc("GET /evidence/findings/{id}", page(o.evidenceWeakness))
}

// evidenceView is what the page shows: the index of lists, one list, or one weakness.
type evidenceView struct {
	Title string
	At    time.Time
	// Root leads from the page to the exporter's root, wherever a proxy serves it.
	Root  string
	Lists []*evidence.List

	List     *evidence.List
	Rows     []evidence.Row
	Chosen   []choice
	Total    int
	First    int
	Last     int
	Previous string
	Next     string
	CSV      string

	Weakness *evidence.Weakness
}

// choice is a filter in force and the address without it.
type choice struct{ Name, Values, Without string }

func (o *Options) evidenceList(w http.ResponseWriter, r *http.Request, records *metrics.Records) {
	list, ok := evidence.ListNamed(r.PathValue("list"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	query := r.URL.Query()
	filter, err := list.ParseFilter(query)
	if err != nil {
		plain(w, http.StatusBadRequest, err.Error()+"\n")
		return
	}
	rows := list.Rows(records, filter)
	if query.Get("format") == "csv" {
		o.evidenceCSV(w, r, list, rows)
		return
	}
	page := pageNumber(query.Get("page"), len(rows))
	first := (page - 1) * pageRows
	last := min(first+pageRows, len(rows))
	shown := rows[first:last]
	if !o.complete(w, r, shown) {
		return
	}
	view := evidenceView{
		Title: list.Title, At: records.At(), Root: "../", List: list, Rows: shown, Chosen: choices(query, filter), Total: len(rows), First: first + 1, Last: last,
		CSV: address(query, "format", "csv"),
	}
	if page > 1 {
		view.Previous = address(query, "page", strconv.Itoa(page-1))
	}
	if last < len(rows) {
		view.Next = address(query, "page", strconv.Itoa(page+1))
	}
	o.render(w, http.StatusOK, view)
}

// pageNumber is the page that is asked for, counted from 1: the first if the text names none, the last if it names one behind it.
func pageNumber(text string, rows int) int {
	page, err := strconv.ParseUint(text, 10, 64)
	last := max(1, (rows+pageRows-1)/pageRows)
	switch {
	case errors.Is(err, strconv.ErrRange) || page > uint64(last):
		return last
	case err != nil || page < 1:
		return 1
	default:
		return int(page)
	}
}

// complete adds what tools say to rows about weaknesses; it reports whether the page can go on.
func (o *Options) complete(w http.ResponseWriter, r *http.Request, rows []evidence.Row) bool {
	var positions []int32
	for i := range rows {
		if rows[i].Weakness >= 0 {
			positions = append(positions, rows[i].Weakness)
		}
	}
	if len(positions) == 0 {
		return true
	}
	reports, err := o.Evidence.Reports(r.Context(), positions...)
	if err != nil {
		o.unreadable(w, err)
		return false
	}
	evidence.Complete(rows, reports)
	return true
}

func (o *Options) unreadable(w http.ResponseWriter, err error) {
	o.Logger.Error("Reading the records of a page failed", "error", err)
	plain(w, http.StatusInternalServerError, "The records cannot be read; see the log.\n")
}

func (o *Options) evidenceWeakness(w http.ResponseWriter, r *http.Request, records *metrics.Records) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	weakness, ok, err := evidence.WeaknessOf(records, id, func(position int32) ([]ledger.Report, error) {
		reports, err := o.Evidence.Reports(r.Context(), position)
		return reports[position], err
	})
	switch {
	case err != nil:
		o.unreadable(w, err)
	case !ok:
		http.NotFound(w, r)
	default:
		o.render(w, http.StatusOK, evidenceView{Title: weakness.Title, At: records.At(), Root: "../../", Weakness: weakness})
	}
}

func (o *Options) render(w http.ResponseWriter, code int, view evidenceView) {
	var b bytes.Buffer
	if err := evidencePage.Execute(&b, view); err != nil {
		o.Logger.Error("Rendering an evidence page failed", "error", err)
		plain(w, http.StatusInternalServerError, "The page cannot be shown; see the log.\n")
		return
	}
	pageHeaders(w.Header())
	w.WriteHeader(code)
	_, _ = w.Write(b.Bytes()) // there is nobody left to tell
}

// evidenceCSV writes all rows, for spreadsheets: a cell that one would take for a formula is marked as text.
func (o *Options) evidenceCSV(w http.ResponseWriter, r *http.Request, list *evidence.List, rows []evidence.Row) {
	if !o.complete(w, r, rows) {
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="prodsec-%s.csv"`, list.Name))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	out := csv.NewWriter(w)
	line := append(append([]string{}, list.Columns...), "URL")
	failed := out.Write(line)
	for i := 0; i < len(rows) && failed == nil; i++ {
		line = line[:0]
		link := ""
		for _, c := range rows[i].Cells {
			line = append(line, cellText(c))
			if safe := safeURL(c.URL); safe != "" {
				link = safe
			}
		}
		failed = out.Write(append(line, link))
	}
	out.Flush() // a client that has gone away is told nothing
}

func cellText(c evidence.Cell) string {
	text := c.Text + c.Status
	if !c.Time.IsZero() {
		text = c.Time.UTC().Format(time.RFC3339)
	}
	if isFormula(text) {
		return "'" + text
	}
	return text
}

// isFormula reports whether a spreadsheet may compute a cell: it begins, after what is not seen, with a sign that starts a formula, also in the full-width form that
// spreadsheets of East Asian locales take for the same.
func isFormula(text string) bool {
	shown := strings.TrimLeftFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) })
	first, _ := utf8.DecodeRuneInString(shown)
	return strings.ContainsRune("=+-@＝＋－＠", first) || (shown != text && strings.ContainsAny(text[:1], "\t\r\n"))
}

// address is the present page with one parameter set.
func address(query url.Values, name, value string) string {
	changed := url.Values{}
	for k, v := range query {
		changed[k] = v
	}
	changed.Set(name, value)
	return "?" + changed.Encode()
}

// choices are the filters in force, in the order of their names.
func choices(query url.Values, filter evidence.Filter) []choice {
	var list []choice
	for _, name := range sortedNames(filter) {
		without := url.Values{}
		for k, v := range query {
			if k != name && k != "page" {
				without[k] = v
			}
		}
		list = append(list, choice{name, strings.Join(filter[name], " or "), "?" + without.Encode()})
	}
	return list
}

func sortedNames(filter evidence.Filter) []string { return slices.Sorted(maps.Keys(filter)) }
