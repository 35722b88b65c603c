package inventory

import (
	"cmp"
	"errors"
	"strings"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

// Selected is nil for a repository that counts, else the rejection of what is said about one that the configuration leaves out. A repository that the list does
// not have counts by its name.
func (c *Inventory) Selected(name record.RepositoryName, fullName string) error {
	if c.config.Repositories.all() {
		return nil
	}
	owner, _, _ := strings.Cut(fullName, "/")
	left := false
	c.state.With(strings.ToLower(owner), func(o *organisation) { left = o.left[name] != "" })
	if left || c.config.Repositories.leavesName(fullName) != "" {
		return api.Reject(record.RejectExcluded, errExcluded)
	}
	return nil
}

// errUnlisted is why nothing is known before the first list.
var errUnlisted error = &record.Error{Reason: record.ReasonOther, Err: errors.New("the repositories were not listed yet")}

// Unselected is why it is not known which repositories of an organisation count, nil where it is: a selection by what only the list of repositories says needs that.
func (c *Inventory) Unselected(org string) (err error) {
	if !c.config.Repositories.byProperty() {
		return nil
	}
	c.state.With(org, func(o *organisation) {
		if o.repositories == nil {
			err = cmp.Or(o.failure, errUnlisted)
		}
	})
	return err
}

// Left counts the repositories that the configuration leaves out of an organisation, by the key that does.
func (c *Inventory) Left(org string) map[Leaving]int {
	counts := map[Leaving]int{}
	c.state.With(org, func(o *organisation) {
		for _, why := range o.left {
			counts[why]++
		}
	})
	return counts
}
