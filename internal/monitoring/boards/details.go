package boards

import (
	"prodsec_exporter/internal/monitoring/boards/panel"
)

// detailBoards are the boards to which the overview links, in the order of the pack.
func detailBoards() []panel.Board {
	return []panel.Board{coverageBoard(), exposureBoard(), responsivenessBoard(), deliveryTrustBoard(), doraBoard(), trendBoard(), exporterBoard()}
}
