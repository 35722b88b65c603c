package github

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/demo/world"
)

// workflowsFolder answers what is at an expression: the folder of workflows, else what objectAt says.
func (g *gitHub) workflowsFolder(r *world.Repository) func(arguments) (any, error) {
	return func(a arguments) (any, error) {
		if a["expression"] != "HEAD:.github/workflows" {
			return objectAt(a)
		}
		list := g.world.WorkflowsOf(r)
		if len(list) == 0 {
			return (*object)(nil), nil
		}
		var whole strings.Builder
		entries := make([]*object, len(list))
		for i, workflow := range list {
			whole.WriteString(workflow.File + workflow.Text)
			entries[i] = &object{"TreeEntry", map[string]any{
				"name": workflow.File, "path": workflow.Path(), "type": "blob",
				"object": &object{"Blob", map[string]any{
					"byteSize": len(workflow.Text), "isBinary": false, "isTruncated": false, "text": workflow.Text, "oid": oid(workflow.Text),
				}},
			}}
		}
		return &object{"Tree", map[string]any{"oid": oid(whole.String()), "entries": entries}}, nil
	}
}

func oid(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text)))[:40] }

// releaseObjects are the releases of a repository, the newest first.
func (g *gitHub) releaseObjects(r *world.Repository) func(arguments) (any, error) {
	return func(a arguments) (any, error) {
		list := g.world.ReleasesAt(r, g.now())
		return connection("ReleaseConnection", len(list), func(i int) *object {
			x := list[i]
			return &object{"Release", map[string]any{
				"databaseId": x.ID, "tagName": x.Tag, "name": x.Tag, "isDraft": false, "isPrerelease": false, "url": answer.WebURL + r.FullName() + "/releases/tag/" + x.Tag,
				"createdAt": answer.Stamp(x.PublishedAt), "publishedAt": answer.Stamp(x.PublishedAt), "updatedAt": answer.Stamp(x.PublishedAt),
				"tagCommit": &object{"Commit", map[string]any{"oid": x.Commit}},
			}}
		})(a)
	}
}
