package world

import (
	"time"
)

// InTrouble is the team whose turn it is to be in trouble at an instant, and when its trouble began. A turn lasts 32 weeks and the
// next one begins six weeks before its end, so that at any time one team has been in trouble for six weeks or more.
func (w *World) InTrouble(t time.Time) (team *Team, since time.Time) {
	const overlap = 6 * week
	turn := turnOf(t.Add(-overlap))
	return w.turnTeam(turn), startOf(turn * weeksPerTurn)
}

// Improving is the team that has been cleaning up since its trouble ended.
func (w *World) Improving(t time.Time) *Team {
	return w.turnTeam(turnOf(t.Add(-6*week)) - 1)
}

// turnOf is the number of the turn that begins last before t; turns are counted from epoch.
func turnOf(t time.Time) int64 {
	n := weekOf(t)
	return (n - modulo(n, weeksPerTurn)) / weeksPerTurn
}

// turnTeam is the team whose turn it is.
func (w *World) turnTeam(turn int64) *Team { return w.rota[modulo(turn, int64(len(w.rota)))] }

// trouble reports whether a team is in trouble at an instant, and when that trouble ends.
func (w *World) trouble(team *Team, t time.Time) (end time.Time, yes bool) {
	for _, turn := range [...]int64{turnOf(t), turnOf(t) - 1} {
		end := startOf(turn * weeksPerTurn).Add(troubleLasts)
		if w.turnTeam(turn) == team && t.Before(end) {
			return end, true
		}
	}
	return time.Time{}, false
}

const (
	weeksPerTurn = 26
	troubleLasts = 32 * week
)
