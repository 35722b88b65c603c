package backstage

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"prodsec_exporter/internal/platform"
)

// The kind and the relations of people and their groups.
const (
	kindUser          = "user"
	relationHasMember = "hasMember"
	relationMemberOf  = "memberOf"
)

// maxUserFilters bounds how many users are asked for by name; where there are more, all are.
const maxUserFilters = 40

// typeTeam is the type of group that decides where a user is a member of several.
const typeTeam = "team"

// groupOfUser is the group that a user is a member of; of several the only one that is a team. ok is false where that is none or more than one: nobody
// can say then whose the component is, and no person's name becomes a team.
func (f *found) groupOfUser(user ref) (ref, bool) {
	groups := f.members[user]
	if u := f.users[user]; u != nil {
		groups = slices.Clone(groups)
		for _, r := range u.Relations {
			if to, ok := parseRef(r.TargetRef, kindGroup, u.Metadata.Namespace); ok && strings.EqualFold(r.Type, relationMemberOf) && to.Kind == kindGroup {
				groups = append(groups, to)
			}
		}
		for _, written := range u.Spec.MemberOf {
			if to, ok := parseRef(written, kindGroup, u.Metadata.Namespace); ok && to.Kind == kindGroup {
				groups = append(groups, to)
			}
		}
	}
	slices.SortFunc(groups, func(a, b ref) int { return strings.Compare(a.String(), b.String()) })
	groups = slices.Compact(groups)
	if len(groups) > 1 {
		groups = slices.DeleteFunc(groups, func(r ref) bool { g := f.groups[r]; return g == nil || !strings.EqualFold(g.Spec.Type, typeTeam) })
	}
	if len(groups) != 1 {
		return ref{}, false
	}
	return groups[0], true
}

// readMembers learns which groups the users are in who own components: from the groups, and for those whom no group names from the users themselves. Nothing of a user is
// kept but that.
func (c *Collector) readMembers(ctx context.Context, f *found) error {
	for own, g := range f.groups {
		for _, r := range g.Relations {
			if user, ok := parseRef(r.TargetRef, kindUser, g.Metadata.Namespace); ok && strings.EqualFold(r.Type, relationHasMember) && user.Kind == kindUser {
				f.members[user] = append(f.members[user], own)
			}
		}
	}
	var unknown []ref
	for _, e := range f.components {
		if _, owned := ownerOf(e, kindGroup); owned {
			continue
		}
		if user, ok := ownerOf(e, kindUser); ok && len(f.members[user]) == 0 && f.users[user] == nil && !slices.Contains(unknown, user) {
			unknown = append(unknown, user)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.SortFunc(unknown, func(a, b ref) int { return strings.Compare(a.String(), b.String()) })
	filters := []string{"kind=" + kindUser}
	if len(unknown) <= maxUserFilters {
		filters = nil
		for _, user := range unknown {
			filters = append(filters, "kind="+kindUser+",metadata.namespace="+user.Namespace+",metadata.name="+user.Name)
		}
	}
	return platform.Again(func() error {
		return platform.List{
			Name: "the users of the catalog", ID: entityKey, Take: func(raw json.RawMessage) { c.take(&found{users: f.users}, raw) },
			Page: func(ctx context.Context, cursor string) (platform.Page, error) {
				query := url.Values{"fields": {wantedOfUsers}, "limit": {strconv.Itoa(c.PageSize)}}
				return c.page(ctx, query, filters, cursor)
			},
		}.Read(ctx)
	})
}

// wantedOfUsers are the parts of users to ask for.
var wantedOfUsers = strings.Join([]string{"kind", "metadata.name", "metadata.namespace", "spec.memberOf", "relations"}, ",")
