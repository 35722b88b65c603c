package world

import (
	"math/rand/v2"
)

// birth collects what is found in one repository in one week.
type birth struct {
	world      *World
	repository *Repository
	week       int64
	random     *rand.Rand
	taken      map[*Advisory]bool
	count      map[Source]int64
	list       []*Finding
}

// team is the team of the repository's first service, nil when no catalog knows.
func (b *birth) team() *Team {
	if len(b.repository.Hosts) == 0 {
		return nil
	}
	return b.repository.Hosts[0].Team
}

// volume is how much more than usual is found here now.
func (b *birth) volume() float64 {
	team := b.team()
	if team == nil {
		return 0.8
	}
	if _, yes := b.world.trouble(team, startOf(b.week)); yes {
		return team.Volume * 1.7
	}
	return team.Volume
}
