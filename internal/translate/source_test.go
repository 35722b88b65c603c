package translate

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

func testSource(t *testing.T, prefix string) (*Source, *[]string) {
	t.Helper()
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Accept")+" "+r.URL.RequestURI())
		if r.URL.Query().Get("deny") != "" {
			w.WriteHeader(http.StatusForbidden)
		}
		_, _ = w.Write([]byte(`{}`))
	}))
	t.Cleanup(server.Close)
	client, err := apiclient.New(apiclient.Options{BaseURL: server.URL + prefix})
	if err != nil {
		t.Fatal(err)
	}
	return NewSourceAccepting(client, "application/vnd.api+json"), &asked
}

func TestSourceResolvesPaths(t *testing.T) {
	s, asked := testSource(t, "/proxy")
	for path, want := range map[string]string{
		"rest/x":             "/proxy/rest/x?a=1",
		"/rest/x?after=z":    "/rest/x?a=1",
		s.BaseURL() + "/abs": "/proxy/abs?a=1",
	} {
		*asked = nil
		if _, err := s.Get(t.Context(), path, url.Values{"a": {"1"}}, nil); err != nil || (*asked)[0] != "application/vnd.api+json "+want {
			t.Errorf("Get(%q) asked %v, %v; want %q", path, *asked, err, want)
		}
	}
	*asked = nil
	if _, err := s.Get(t.Context(), "/rest/x?after=z", nil, nil); err != nil || (*asked)[0] != "application/vnd.api+json /rest/x?after=z" {
		t.Errorf("a link without further query asked %v, %v", *asked, err)
	}
	*asked = nil
	for _, path := range []string{"https://elsewhere.example/x", "//elsewhere.example/x", "/%zz"} {
		if _, err := s.Get(t.Context(), path, nil, nil); err == nil || record.ReasonOf(err) == record.ReasonOther || len(*asked) > 0 {
			t.Errorf("Get(%q) = %v and asked %v, want a refusal", path, err, *asked)
		}
	}
}

func TestSourceCountsRequests(t *testing.T) {
	s, _ := testSource(t, "")
	if got := s.PerHour(30*time.Minute, 5); got != 10 {
		t.Errorf("PerHour() before the first collection = %v, want twice the guess", got)
	}
	for range 2 {
		end := s.Begin()
		for range 3 {
			if _, err := s.Get(t.Context(), "x", nil, nil); err != nil {
				t.Fatal(err)
			}
		}
		end()
	}
	if got := s.PerHour(20*time.Minute, 5); got != 9 {
		t.Errorf("PerHour() = %v, want 3 requests three times an hour", got)
	}
}

func TestNeedsNamesThePermission(t *testing.T) {
	s, _ := testSource(t, "")
	_, err := s.Get(t.Context(), "x", url.Values{"deny": {"1"}}, nil)
	e, ok := errors.AsType[*record.Error](Needs(err, "VIEW"))
	if !ok || e.Permission != "VIEW" || e.Reason != record.ReasonPermission {
		t.Errorf("Needs() = %v, want a missing permission VIEW", e)
	}
	other := &record.Error{Reason: record.ReasonServer}
	if !errors.Is(Needs(other, "VIEW"), other) || other.Permission != "" || Needs(nil, "VIEW") != nil {
		t.Error("Needs() changed an error that is not about permissions")
	}
}

// TestNeeds names the permission where one is missing, and not where the credential itself is refused.
func TestNeeds(t *testing.T) {
	for message, want := range map[string]struct {
		reason     record.ErrorReason
		permission string
	}{
		"Insufficient privileges":                    {record.ReasonPermission, "Browse"},
		"this project analysis token cannot browse":  {record.ReasonUnauthorized, ""},
		"the token is missing the scope of browsing": {record.ReasonPermission, "Browse"},
	} {
		err := Needs(&record.Error{Reason: record.ReasonPermission, Err: &apiclient.StatusError{Code: 403, Message: message}}, "Browse")
		e, ok := errors.AsType[*record.Error](err)
		if !ok || e.Reason != want.reason || e.Permission != want.permission {
			t.Errorf("%q: %+v, want %+v", message, e, want)
		}
	}
	wrong := &record.Error{Reason: record.ReasonUnauthorized, Err: errors.New("401")}
	if err := Needs(wrong, "Browse"); !errors.Is(err, wrong) || strings.Contains(err.Error(), "Browse") {
		t.Errorf("a wrong credential became %v", err)
	}
}
