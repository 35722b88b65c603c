package api

import (
	"net/url"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
)

// Repository is what tells a repository apart, and what every reading of one needs to know of it.
type Repository struct {
	Name record.RepositoryName
	// FullName is OWNER/NAME, as paths of the API write it.
	FullName string
	// Branch is the default branch, empty where the repository has none.
	Branch     string
	Archived   bool
	Visibility record.Visibility
	// PushedAt is when somebody last pushed to any branch; zero where that is not known.
	PushedAt time.Time
}

// RepositoryName names a repository by the address that people use; it is the API's host that differs otherwise.
func (c *Client) RepositoryName(htmlURL, fullName string) (record.RepositoryName, error) {
	if htmlURL != "" {
		return record.ParseRepository(htmlURL)
	}
	if _, err := record.ParseRepository(fullName); err != nil {
		return "", err
	}
	return record.RepositoryOn(strings.TrimPrefix(c.base.Hostname(), "api."), fullName), nil
}

// EscapeName is OWNER/NAME as a part of a path.
func EscapeName(fullName string) string {
	u := url.URL{Path: fullName}
	return u.EscapedPath()
}

// PipelineID is the identity of a pipeline, by the repository and the path of the workflow; deployments name their pipeline by it, too.
func PipelineID(fullName, file string) string { return strings.ToLower(fullName + ":" + file) }
