package jira

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"sync"
	"time"

	"prodsec_exporter/internal/record"
)

// assets knows the names of Assets objects. Jira Cloud gives their ids alone in issues.
type assets struct {
	mu    sync.Mutex
	known map[assetRef]asset
	// refused are workspaces that the credential may not read, until the next full sweep.
	refused map[string]error
}

// assetRef is an object in a workspace.
type assetRef struct{ workspace, object string }

func (r assetRef) String() string {
	return fmt.Sprintf("Assets object %s of workspace %s", record.Text(r.object), record.Text(r.workspace))
}

// asset is what is known of an object: its name, or why that could not be read.
type asset struct {
	name string
	err  error
	read time.Time
}

// assetsFresh is for how long a name is taken as it was read.
const assetsFresh = 24 * time.Hour

// nameAssets puts the names of Assets objects into the fields of issues that hold such objects. One that cannot be read keeps its id alone, and
// the issue says why. The error is one that may pass: with another attempt the names may be read.
func (c *Collector) nameAssets(ctx context.Context, fields []*field, issues []*issue, whole bool) error {
	c.assets.mu.Lock()
	defer c.assets.mu.Unlock()
	if whole || c.assets.known == nil {
		c.assets.forget(c.env.Now().Add(-assetsFresh))
	}
	for _, i := range issues {
		for _, f := range fields {
			id := i.fields[f]
			if raw := i.raw[id]; bytes.Contains(raw, []byte(`"workspaceId"`)) {
				named, err := c.withNames(ctx, i, f, raw)
				if err != nil {
					return fmt.Errorf("read the name of an object in %s: %w", i.key, err)
				}
				i.raw[id] = named
			}
		}
	}
	return nil
}

// forget drops what was read before an instant, and every failure.
func (a *assets) forget(before time.Time) {
	if a.known == nil {
		a.known = map[assetRef]asset{}
	}
	a.refused = map[string]error{}
	for ref, known := range a.known {
		if known.err != nil || known.read.Before(before) {
			delete(a.known, ref)
		}
	}
}

// withNames is a value with the names of the objects in it.
func (c *Collector) withNames(ctx context.Context, i *issue, f *field, raw json.RawMessage) (json.RawMessage, error) {
	var value any
	if json.Unmarshal(raw, &value) != nil {
		return raw, nil //nolint:nilerr // Whoever reads it finds nothing.
	}
	elements, ok := value.([]any)
	if !ok {
		elements = []any{value}
	}
	for _, element := range elements {
		object, ok := element.(map[string]any)
		if !ok {
			continue
		}
		workspace, _ := object["workspaceId"].(string)
		id, _ := object["objectId"].(string)
		if label, _ := object["label"].(string); workspace == "" || id == "" || label != "" {
			continue
		}
		known, err := c.asset(ctx, assetRef{workspace, id})
		if err != nil {
			return nil, err
		}
		if known.err != nil {
			i.warn(f, known.err.Error())
			continue
		}
		object["label"] = known.name
	}
	return json.Marshal(value)
}

// asset reads an object, or says that it is known to be hidden or gone.
func (c *Collector) asset(ctx context.Context, ref assetRef) (asset, error) {
	if known, ok := c.assets.known[ref]; ok {
		return known, nil
	}
	if err := c.assets.refused[ref.workspace]; err != nil {
		return asset{err: fmt.Errorf("%s: %w", ref, err)}, nil
	}
	prefix := "gateway/api/"
	if c.config.CloudID != "" {
		prefix = "" // the gateway is where we are
	}
	var object struct {
		Label string `json:"label"`
		Name  string `json:"name"`
	}
	err := c.get(ctx, prefix+"jsm/assets/workspace/"+url.PathEscape(ref.workspace)+"/v1/object/"+url.PathEscape(ref.object), nil, &object)
	found := asset{name: firstText(object.Label, object.Name), read: c.env.Now()}
	switch reason := record.ReasonOf(err); {
	case err == nil && found.name == "":
		found.err = fmt.Errorf("%s has no name", ref)
	case err == nil:
	case reason == record.ReasonUnauthorized || reason == record.ReasonPermission:
		c.assets.refused[ref.workspace] = err
		return asset{err: fmt.Errorf("%s: %w", ref, err)}, nil
	case reason == record.ReasonNotFound || reason == record.ReasonRejected || reason == record.ReasonFeatureOff || reason == record.ReasonDecode:
		found.err = fmt.Errorf("%s: %w", ref, err)
	default:
		return asset{}, err
	}
	c.assets.known[ref] = found
	return found, nil
}

func firstText(texts ...string) string {
	for _, t := range texts {
		if t = record.Text(t); t != "" {
			return t
		}
	}
	return ""
}
