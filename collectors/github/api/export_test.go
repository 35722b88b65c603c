package api

import "net/http"

// Addresses are those of the REST API and of GraphQL.
func (c *Client) Addresses() (rest, graphql string, err error) {
	req, err := c.maker.NewRequest(http.MethodPost, "../graphql", nil)
	if err != nil {
		return "", "", err
	}
	return c.base.String(), req.URL.String(), nil
}
