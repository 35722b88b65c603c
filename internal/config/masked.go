package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// mask replaces what must not be shown.
const mask = "<masked>"

var (
	// secretKey names keys whose values are hidden if somebody wrote one where only its place belongs.
	secretKey = regexp.MustCompile(`(?i)(token|secret|password|passphrase|private_key|api_key)$`)
	// secretShaped recognises the credentials of the sources that the exporter reads.
	secretShaped = regexp.MustCompile(`gh[a-z]_[A-Za-z0-9]{8,}|github_pat_\w{8,}|ATATT\S{8,}|ATCTT\S{8,}|glpat-\S{8,}|-----BEGIN|(?i:bearer |basic )\S{8,}`)
)

// Masked is the configuration as YAML without comments, with everything hidden that is, or looks like, a credential.
func (c *Config) Masked() (string, error) {
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(masked(c.root, "")); err != nil {
		return "", fmt.Errorf("configuration: rendering: %w", err)
	}
	return b.String(), nil
}

func masked(n *yaml.Node, key string) *yaml.Node {
	n = deref(n)
	plain := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Style: n.Style &^ yaml.TaggedStyle, Value: n.Value}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			plain.Content = append(plain.Content, masked(n.Content[i], ""), masked(n.Content[i+1], n.Content[i].Value))
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			plain.Content = append(plain.Content, masked(item, key))
		}
	default:
		plain.Value = maskedText(n.Value, key)
	}
	return plain
}

func maskedText(value, key string) string {
	if value != "" && (secretKey.MatchString(key) || secretShaped.MatchString(value)) {
		return mask
	}
	return maskedAddress(value)
}

// maskedAddress hides what may be a secret in an address: user and password, and the values in its query, as of addresses that are signed.
func maskedAddress(value string) string {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.User == nil && u.RawQuery == "" {
		return value
	}
	if u.User != nil {
		u.User = url.User("masked")
	}
	pairs := strings.Split(u.RawQuery, "&")
	for i, pair := range pairs {
		if name, _, ok := strings.Cut(pair, "="); ok {
			pairs[i] = name + "=masked"
		} else if pair != "" {
			pairs[i] = "masked"
		}
	}
	u.RawQuery = strings.Join(pairs, "&")
	return u.String()
}

// fingerprint is equal for sections that say the same, whatever their layout and comments, and are read in the same time zone.
func fingerprint(n *yaml.Node, zone *time.Location) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n", zone) //nolint:errcheck // A hash never fails to write.
	var walk func(*yaml.Node)
	walk = func(n *yaml.Node) {
		n = deref(n)
		fmt.Fprintf(h, "%d %s %q %d\n", n.Kind, n.Tag, n.Value, len(n.Content)) //nolint:errcheck // A hash never fails to write.
		for _, c := range n.Content {
			walk(c)
		}
	}
	walk(n)
	return hex.EncodeToString(h.Sum(nil))
}
