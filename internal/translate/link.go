package translate

import (
	"net/url"

	"prodsec_exporter/internal/record"
)

// WebLink is an address that people can follow in a browser, or empty.
func WebLink(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || record.Text(address) != address {
		return ""
	}
	return address
}
