package names

// BoardUID is a board's uid in Grafana. It never changes: links and bookmarks hold it.
type BoardUID string

// The boards.
const (
	BoardOverview       BoardUID = "prodsec-overview"
	BoardCoverage       BoardUID = "prodsec-coverage"
	BoardExposure       BoardUID = "prodsec-exposure"
	BoardResponsiveness BoardUID = "prodsec-responsiveness"
	BoardDeliveryTrust  BoardUID = "prodsec-delivery-trust"
	BoardDORA           BoardUID = "prodsec-dora"
	BoardTrend          BoardUID = "prodsec-trend-quality"
	BoardExporter       BoardUID = "prodsec-exporter"
)

// Panels that alerts and runbooks point at. Ids are stable; a panel that goes leaves its id unused. Ids from 900 are the data-quality
// row, which is on every board.
const (
	PanelBreachedTable    = 20
	PanelDueSoonTable     = 21
	PanelExceptionHorizon = 40
	PanelNextExpiries     = 42
	PanelAttainment       = 10
	PanelMissed           = 35
	PanelWaiting          = 50
	PanelPending          = 51
	PanelFollowups        = 52
	PanelEscalations      = 53
	PanelCounting         = 904
	PanelExploited        = 60
	PanelPaths            = 40
	PanelBudgets          = 10
	PanelControlGaps      = 15
	PanelTrustGaps        = 20
	PanelCollectors       = 901
	PanelScopes           = 902
)
