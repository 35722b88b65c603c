package platform_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/platform"
	"prodsec_exporter/internal/record"
)

func total(n int) *int { return &n }

func page(count *int, ids ...int) platform.Page {
	p := platform.Page{Total: count}
	for _, id := range ids {
		p.Items = append(p.Items, json.RawMessage(fmt.Sprintf(`{"id":%d}`, id)))
	}
	return p
}

func TestList(t *testing.T) {
	enough := page(total(9), 3)
	enough.Enough = true
	for name, tt := range map[string]struct {
		pages []platform.Page
		taken int
		moved bool
	}{
		"whole":                            {[]platform.Page{page(total(3), 1, 2), page(total(3), 3), page(total(3))}, 3, false},
		"no total":                         {[]platform.Page{page(nil, 1, 2), page(nil, 3), {}}, 3, false},
		"grew":                             {[]platform.Page{page(total(2), 1, 2), page(total(3), 3), page(total(3))}, 3, false},
		"an item again":                    {[]platform.Page{page(total(3), 1, 2), page(total(3), 2), page(total(3))}, 2, true},
		"an item again in the same page":   {[]platform.Page{page(nil, 1, 1), {}}, 1, true},
		"an identity twice in a page":      {[]platform.Page{{Items: []json.RawMessage{[]byte(`{"id":1,"line":1}`), []byte(`{"id":1,"line":2}`)}, Total: total(2)}, {}}, 2, false},
		"shrank":                           {[]platform.Page{page(total(4), 1, 2), page(total(3), 4), page(total(3))}, 2, true},
		"fewer than the source counts":     {[]platform.Page{page(total(5), 1, 2), page(total(5), 3), page(total(5))}, 3, true},
		"not wanted to the end":            {[]platform.Page{page(total(9), 1, 2), enough, page(total(9), 4)}, 3, false},
		"an item again in what was wanted": {[]platform.Page{page(total(9), 1, 3), enough}, 2, true},
	} {
		var taken []string
		err := platform.List{
			Name: "things", ID: func(raw json.RawMessage) string { return platform.Key(raw, "id") }, Take: func(raw json.RawMessage) { taken = append(taken, string(raw)) },
			Page: platform.Numbered(0, func(_ context.Context, number int) (platform.Page, bool, error) { return tt.pages[number], false, nil }),
		}.Read(t.Context())
		if len(taken) != tt.taken || errors.Is(err, platform.ErrMoved) != tt.moved || tt.moved != (record.ReasonOf(err) == record.ReasonTruncated) || !tt.moved && err != nil {
			t.Errorf("%s: took %v, %v; want %d items, moved %t", name, taken, err, tt.taken, tt.moved)
		}
	}
}

func TestAgain(t *testing.T) {
	moved := fmt.Errorf("no: %w", platform.ErrMoved)
	other := errors.New("broken")
	for name, tt := range map[string]struct {
		answers []error
		want    error
		reads   int
	}{
		"whole at once":  {[]error{nil}, nil, 1},
		"whole the next": {[]error{moved, nil}, nil, 2},
		"never whole":    {[]error{moved, moved, nil}, moved, 2},
		"broken":         {[]error{other, nil}, other, 1},
	} {
		reads := 0
		if err := platform.Again(func() error { reads++; return tt.answers[reads-1] }); !errors.Is(err, tt.want) || reads != tt.reads {
			t.Errorf("%s: %v after %d readings, want %v after %d", name, err, reads, tt.want, tt.reads)
		}
	}
}

func TestKey(t *testing.T) {
	for in, want := range map[string]string{`{"id":7}`: "7", `{"id":"x"}`: "x", `{"id":null}`: "", `{"id":[1]}`: "", `{}`: "", `[]`: "", `x`: ""} {
		if got := platform.Key(json.RawMessage(in), "id"); got != want {
			t.Errorf("Key(%s) = %q, want %q", in, got, want)
		}
	}
}

func TestRetirement(t *testing.T) {
	asked := map[string]int{}
	var got []string
	err := platform.Retirement{
		Known: collectors.Cursors{"findings:a": "", "findings:gone": "2026", "violations:gone": "", "findings:hidden": "", "findings:new": "", "hotspots:a": "", "projects:all": ""},
		Kinds: []string{"findings", "violations"}, Unread: []string{"hotspots"}, Exists: func(key string) bool { return key == "a" },
		Look: func(key string) (record.Closure, error) {
			asked[key]++
			switch key {
			case "hidden":
				return record.ClosureNone, &record.Error{Reason: record.ReasonPermission, Err: errors.New("no")}
			case "new":
				return record.ClosureNone, platform.ErrStillThere
			default:
				return record.ClosureRepositoryDeleted, nil
			}
		},
	}.Emit(func(b record.Batch) error {
		got = append(got, fmt.Sprintf("%s %t %s %s", b.Scope, b.Retired, b.Absence, errorReason(b.Err)))
		return nil
	})
	want := []string{"hotspots:a true out_of_scope ", "findings:gone true repository_deleted ", "findings:hidden false  permission", "violations:gone true repository_deleted "}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if asked["gone"] != 1 || len(asked) != 3 {
		t.Errorf("looked for %v, want each once and nothing that exists", asked)
	}
	full := errors.New("full")
	if err := (platform.Retirement{Known: collectors.Cursors{"x:y": ""}, Unread: []string{"x"}}).Emit(func(record.Batch) error { return full }); !errors.Is(err, full) {
		t.Errorf("a failing ledger: %v", err)
	}
}

func errorReason(err error) string {
	if err == nil {
		return ""
	}
	return string(record.ReasonOf(err))
}
