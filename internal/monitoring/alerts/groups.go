package alerts

import (
	"prodsec_exporter/internal/monitoring/rulefile"
)

// Groups are the alerting rules.
func Groups() []rulefile.Group {
	return []rulefile.Group{
		{Name: "prodsec-responsiveness-alerts", Rules: []rulefile.Rule{
			slaBreached(), slaDueSoon(), attainmentLow(), budgetBurning(), exceptionPendingLong(), reviewWaitingLong(), followupOverdue(), releaseBlocked(),
		}},
		{Name: "prodsec-exposure-alerts", Rules: []rulefile.Rule{exceptionExpired(), exceptionExpiring(), secretActive(), exploitedExposed()}},
		{Name: "prodsec-coverage-alerts", Rules: []rulefile.Rule{repositoryUnprotected(), controlLost()}},
		{Name: "prodsec-delivery-trust-alerts", Rules: []rulefile.Rule{pathUnprotected()}},
		{Name: "prodsec-exporter-alerts", Rules: []rulefile.Rule{
			scopeStaleAlert(), collectorDown(), exporterDownAlert(), budgetLow(), credentialExpiring(), ledgerFailing(), reloadFailed(), noLeader(), twoLeaders(), evaluationStale(),
			clockImplausible(), seriesLeftOut(),
		}},
		{Name: "prodsec-trend-quality-alerts", Rules: []rulefile.Rule{countingChanged()}},
	}
}
