package apiclient

import (
	"container/list"
	"crypto/sha256"
	"net/http"
	"strings"
	"sync"
)

// notModifiedHeader marks an answer that came from the cache, for Response.NotModified. A server cannot set it.
const notModifiedHeader = "X-Prodsec-Not-Modified"

// cache makes GET requests conditional. A 304 costs no budget at GitHub and little elsewhere.
//
// It sits below the credential and keys on it: what one credential may see is never shown to another, and servers
// whose ETag depends on the token (GitHub's does) are asked about the one they gave to this token.
type cache struct {
	next        http.RoundTripper
	credentials []string
	capacity    int64

	mu      sync.Mutex
	size    int64
	entries map[[sha256.Size]byte]*list.Element
	recent  *list.List // of *cached, the most recently used in front
}

type cached struct {
	key    [sha256.Size]byte
	header http.Header
	body   []byte
}

func newCache(next http.RoundTripper, capacity int64, credentials []string) *cache {
	return &cache{
		next: next, capacity: capacity, credentials: credentials,
		entries: map[[sha256.Size]byte]*list.Element{}, recent: list.New(),
	}
}

func (c *cache) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet || req.Header.Get("If-None-Match") != "" || req.Header.Get("Range") != "" {
		return c.next.RoundTrip(req)
	}
	key := c.key(req)
	kept := c.get(key)
	if kept != nil {
		req = req.Clone(req.Context())
		req.Header.Set("If-None-Match", kept.header.Get("ETag"))
	}
	resp, err := c.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	switch {
	case resp.StatusCode == http.StatusNotModified && kept != nil:
		return kept.answer(resp), nil
	case resp.StatusCode == http.StatusOK && resp.Header.Get("ETag") != "" && resp.Header.Get("Retry-After") == "" && !strings.Contains(resp.Header.Get("Cache-Control"), "no-store"):
		c.put(&cached{key: key, header: resp.Header.Clone(), body: bytesOf(resp)})
	}
	return resp, nil
}

// answer is the kept body with the kept headers, and the fresh ones (budgets, date) over them.
func (k *cached) answer(fresh *http.Response) *http.Response {
	header := k.header.Clone()
	for name, values := range fresh.Header {
		header[name] = values
	}
	header.Set(notModifiedHeader, "1")
	header.Del("Content-Length")
	resp := *fresh
	resp.StatusCode, resp.Status = http.StatusOK, "200 OK"
	resp.Header, resp.Body, resp.ContentLength = header, newBody(k.body), int64(len(k.body))
	return &resp
}

func (c *cache) key(req *http.Request) [sha256.Size]byte {
	h := sha256.New()
	for _, part := range []string{req.URL.String(), req.Header.Get("Accept"), req.Header.Get("X-GitHub-Api-Version")} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	for _, name := range c.credentials {
		h.Write([]byte(req.Header.Get(name)))
		h.Write([]byte{0})
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func (c *cache) get(key [sha256.Size]byte) *cached {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	if !ok {
		return nil
	}
	c.recent.MoveToFront(e)
	return e.Value.(*cached)
}

// entryOverhead is a generous estimate of what an entry weighs besides its body.
const entryOverhead = 2 << 10

func (k *cached) weight() int64 { return int64(len(k.body)) + entryOverhead }

func (c *cache) put(k *cached) {
	if k.weight() > c.capacity/4 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[k.key]; ok {
		c.drop(e)
	}
	c.entries[k.key] = c.recent.PushFront(k)
	c.size += k.weight()
	for c.size > c.capacity {
		c.drop(c.recent.Back())
	}
}

func (c *cache) drop(e *list.Element) {
	k := c.recent.Remove(e).(*cached)
	delete(c.entries, k.key)
	c.size -= k.weight()
}
