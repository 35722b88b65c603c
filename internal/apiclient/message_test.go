package apiclient

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"prodsec_exporter/internal/record"
)

// TestMessages: what each API says about an error reaches people, in the form in which it says it.
func TestMessages(t *testing.T) {
	for name, tt := range map[string]struct{ kind, body, want string }{
		"GitHub":                     {"", `{"message":"Not Found","documentation_url":"https://docs"}`, "Not Found"},
		"SonarQube":                  {"", `{"errors":[{"msg":"Insufficient privileges"},{"msg":"and more"}]}`, "Insufficient privileges; and more"},
		"JSON:API (Snyk)":            {"", `{"jsonapi":{"version":"1.0"},"errors":[{"id":"x","status":"403","title":"Forbidden","detail":"The org is not entitled to the API"}]}`, "Forbidden: The org is not entitled to the API"},
		"JSON:API, the same twice":   {"", `{"errors":[{"title":"Not found","detail":"Not found: org"}]}`, "Not found: org"},
		"JSON:API, title alone":      {"", `{"errors":[{"status":"429","title":"Too many"}]}`, "Too many"},
		"Snyk API v1":                {"", `{"code":404,"error":"Not Found","message":"Project not found"}`, "Project not found"},
		"Backstage":                  {"", `{"error":{"name":"NotAllowedError","message":"Unauthorized"},"request":{"method":"GET"},"response":{"statusCode":403}}`, "Unauthorized"},
		"Django REST framework":      {"", `{"detail":"You do not have permission to perform this action."}`, "You do not have permission to perform this action."},
		"Django, by field":           {"", `{"limit":["Ensure this value is less than 100."],"o":["Select a valid choice.","Another."]}`, "limit: Ensure this value is less than 100.; o: Select a valid choice.; o: Another."},
		"Django, of no field":        {"", `{"non_field_errors":["Unable to log in."]}`, "Unable to log in."},
		"DefectDojo":                 {"", `{"message":"Token is expired"}`, "Token is expired"},
		"RFC 9457":                   {"", `{"type":"about:blank","title":"Bad Request","status":400,"detail":"pageSize is too large"}`, "Bad Request: pageSize is too large"},
		"Jira":                       {"", `{"errorMessages":["The value 'x' does not exist"],"errors":{}}`, "The value 'x' does not exist"},
		"Jira, by field":             {"", `{"errorMessages":[],"errors":["jql: wrong"]}`, "jql: wrong"},
		"OAuth":                      {"", `{"error":"invalid_client","error_description":"Client authentication failed"}`, "Client authentication failed"},
		"a word":                     {"", `{"error":"forbidden"}`, "forbidden"},
		"a list":                     {"", `["first","second"]`, "first; second"},
		"text":                       {"text/plain; charset=utf-8", "The API key is missing\n", "The API key is missing"},
		"something else":             {"application/octet-stream", "\x00\x01", ""},
		"nothing":                    {"", `{}`, ""},
		"null":                       {"", `{"message":null,"errors":[null,7,{}]}`, ""},
		"a sign-in page":             {"text/html", "<html>", "the answer is an HTML page, not JSON: often a sign-in page (SSO), a proxy or a wrong base URL"},
		"deeper than anybody writes": {"", `{"error":{"error":{"error":{"error":{"error":{"message":"x"}}}}}}`, ""},
	} {
		h := http.Header{}
		h.Set("Content-Type", tt.kind)
		if got := messageOf(h, []byte(tt.body)); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	if long := messageOf(http.Header{}, []byte(`{"errors":["`+strings.Repeat("x", 5000)+`"]}`)); len(long) > record.MaxText {
		t.Errorf("%d bytes of message, want it bounded", len(long))
	}
}

// TestRefusedCredentials: a kind of credential that is refused is not a missing permission.
func TestRefusedCredentials(t *testing.T) {
	for message, want := range map[string]bool{
		"Insufficient privileges: this project analysis token cannot browse": true,
		"Unauthorized: token lacks access to plugin catalog":                 true,
		"This endpoint does not accept this type of token":                   true,
		"Personal access tokens are not allowed in this organisation":        true,
		"Service accounts cannot be used here; the account type is wrong":    true,
		"Authentication credentials were not provided.":                      true,
		"Invalid API key":         true,
		"Insufficient privileges": false,
		"You do not have permission to perform this action.": false,
		"The token is missing the scope org.read":            false,
		"Access to the specified project is forbidden":       false,
		"injected; you sent [token <redacted>]":              false,
		"":                                                   false,
		"User does not have the role that is needed; see the documentation of tokens": false,
	} {
		if got := (&StatusError{Message: message}).RefusesCredential(); got != want {
			t.Errorf("%q refuses the credential: %t, want %t", message, got, want)
		}
	}
}

// TestStatusErrors have the status and the source's words, without the credential.
func TestStatusErrors(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"errors":[{"msg":"no: ` + r.Header.Get("Authorization") + `"}]}`))
	}))
	defer server.Close()
	t.Setenv("TOKEN_OF_TEST", "s3cr3t-of-test")
	c, err := New(Options{BaseURL: server.URL, Auth: Bearer(Secret{Env: "TOKEN_OF_TEST"})})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Do(t.Context(), http.MethodGet, "x", nil, nil, nil)
	if record.ReasonOf(err) != record.ReasonPermission || !strings.Contains(err.Error(), "Forbidden (403): no: Bearer <redacted>") || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("got %v, want the source's words without the credential", err)
	}
}
