package ledger

import (
	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/ledger/store/sqlite"
)

// stores are the kinds of store that there are, a line each. The first that takes a location has it; SQLite takes any path.
func stores() []store.Driver {
	return []store.Driver{
		sqlite.Driver{},
	}
}

// driverOf is the kind of store for a location.
func driverOf(location string) store.Driver {
	drivers := stores()
	for _, d := range drivers {
		if d.Takes(location) {
			return d
		}
	}
	return drivers[len(drivers)-1]
}
