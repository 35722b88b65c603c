package defectdojo

import (
	"encoding/json"
	"net"
	"net/url"
	"strconv"
	"strings"

	"prodsec_exporter/internal/record"
)

// endpoint is an address that a finding was seen at: in parts, or as one value where DefectDojo 3 keeps locations instead.
type endpoint struct {
	Protocol string `json:"protocol"`
	Host     string `json:"host"`
	Port     int    `json:"port"`
	Path     string `json:"path"`
	Location string `json:"location_value"`
}

// place is the address without user, query and fragment, which may hold secrets and tell visits apart and not places; "" for what is no address.
func (e *endpoint) place() string {
	u := &url.URL{Scheme: e.Protocol, Host: e.Host, Path: "/" + strings.TrimLeft(e.Path, "/")}
	if e.Host == "" {
		parsed, err := url.Parse(e.Location)
		if err != nil || parsed.Host == "" {
			return ""
		}
		u = &url.URL{Scheme: parsed.Scheme, Host: parsed.Host, Path: parsed.Path}
	} else if e.Port > 0 {
		u.Host = net.JoinHostPort(e.Host, strconv.Itoa(e.Port))
	}
	return record.Text(strings.TrimPrefix(u.String(), "//"))
}

// locate takes the finding's endpoint from what was sent beside the findings; of several the first in the order of the alphabet.
func (f *finding) locate(beside map[string]map[string]json.RawMessage) {
	var numbers []int64
	if len(f.Endpoints) == 0 || json.Unmarshal(f.Endpoints, &numbers) != nil {
		return // A form that we do not know names no place.
	}
	for _, number := range numbers {
		e, ok := besides[endpoint](beside, "endpoints", number)
		if !ok {
			continue
		}
		if at := e.place(); at != "" && (f.endpoint == "" || at < f.endpoint) {
			f.endpoint = at
		}
	}
}
