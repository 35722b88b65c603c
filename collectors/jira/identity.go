package jira

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"prodsec_exporter/internal/record"
)

// A record is known by the key under which its issue was created: a key is never given to another issue, and an issue that is moved to another project gets a
// new one. Which one was the first is in the changelog, and remembered besides.

// firstKeys are the first keys of issues by id.
type firstKeys struct {
	mu   sync.Mutex
	byID map[string]string
	// read are the issues whose whole changelog was searched for their first key.
	read map[string]bool
}

// of is the first key of an issue that has a key now, and was created under another one if its changelog says so.
func (k *firstKeys) of(id, created, now string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byID == nil {
		k.byID = map[string]string{}
	}
	first := cmp.Or(created, k.byID[id], now)
	k.byID[id] = first
	return first
}

// toRead reports, once for each issue, whether its changelog has to be read whole: its key has changed, and nobody knows from which.
func (k *firstKeys) toRead(id string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.read == nil {
		k.read = map[string]bool{}
	}
	known := k.read[id]
	k.read[id] = true
	return !known && k.byID[id] == ""
}

// keyChange notes what the key of the issue was before the first of its changes.
func (i *issue) keyChange(from written, order int64) {
	if key := strings.TrimSpace(from.text); key != "" && (i.firstKey == "" || order < i.firstKeyAt) {
		i.firstKey, i.firstKeyAt = record.Text(key), order
	}
}

// settleIdentity finds the first keys of issues. A changelog that was asked for by field tells of a move to another project, but not always of the key.
func (c *Collector) settleIdentity(ctx context.Context, s *session, issues []*issue) error {
	for _, i := range issues {
		if i.firstKey == "" && len(i.edits[projectField]) > 0 && s.cloud && c.keys.toRead(i.id) {
			if err := c.readKeyChanges(ctx, s, i); err != nil {
				return fmt.Errorf("read the changelog of %s, which was moved: %w", i.key, err)
			}
		}
		i.identity = c.keys.of(i.id, i.firstKey, i.key)
	}
	return nil
}

// readKeyChanges reads the whole changelog of an issue, oldest first, until it says what the key was before the first move.
func (c *Collector) readKeyChanges(ctx context.Context, s *session, i *issue) error {
	err := c.pages(ctx, s.api("issue/"+url.PathEscape(i.id)+"/changelog"), url.Values{}, "values", func(raw json.RawMessage) (bool, error) {
		var h history
		if json.Unmarshal(raw, &h) != nil {
			return false, nil //nolint:nilerr // An entry that cannot be understood tells no key.
		}
		for _, item := range h.Items {
			if strings.EqualFold(item.Field, keyField) {
				i.keyChange(written{string(item.From), string(item.FromString)}, h.order(0))
			}
		}
		return i.firstKey != "", nil
	})
	if e, ok := errors.AsType[*record.Error](err); ok && (e.Reason == record.ReasonNotFound || e.Reason == record.ReasonPermission) {
		return nil // It stays known by the key that it has.
	}
	return err
}
