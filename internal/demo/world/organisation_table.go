package world

// teamTable is the organisation on paper. A service line is read by addService.
var teamTable = []struct {
	name, businessUnit, area, organisation string
	pace, volume                           float64
	rota                                   bool
	services                               []string
}{
	{
		name: "payments-core", businessUnit: "payments", area: "money-movement", organisation: OrgMeridian, pace: 0.4, volume: 0.9,
		services: []string{
			"payment-gateway tier0 maven cidl", "ledger tier0 maven cd", "settlement tier1 maven dl",
			"payout-service tier1 maven d", "fee-calculator tier2 maven l",
		},
	},
	{
		name: "cards", businessUnit: "payments", area: "money-movement", organisation: OrgMeridian, pace: 0.5, volume: 1,
		services: []string{
			"card-vault tier0 go cd", "card-issuing tier1 go idl", "tokenisation tier0 go cdl",
			"dispute-desk tier2 npm", "card-art tier3 npm",
		},
	},
	{
		name: "fraud", businessUnit: "payments", area: "risk", organisation: OrgMeridian, pace: 0.6, volume: 1.1,
		services: []string{
			"fraud-scoring tier1 pip dl", "device-fingerprint tier2 go id", "sanctions-screening tier1 maven d",
			"case-manager tier2 npm l", "feature-store tier2 pip",
		},
	},
	{
		name: "web-shop", businessUnit: "commerce", area: "storefront", organisation: OrgMeridian, pace: 0.8, volume: 1.2, rota: true,
		services: []string{
			"shop-web tier1 npm imd", "product-page tier2 npm im", "search-frontend tier2 npm im",
			"customer-account tier1 npm icm", "shop-admin tier2 npm m",
		},
	},
	{
		name: "checkout", businessUnit: "commerce", area: "storefront", organisation: OrgMeridian, pace: 0.75, volume: 1.2,
		services: []string{
			"checkout-api tier0 npm cidl", "cart tier1 npm dl", "promotions tier2 npm",
			"gift-cards tier1 npm", "invoice-renderer tier3 npm l",
		},
	},
	{
		name: "catalogue", businessUnit: "commerce", area: "merchandising", organisation: OrgMeridian, pace: 0.9, volume: 0.9,
		services: []string{
			"product-catalogue tier1 maven dl", "search-index tier2 maven d", "media-library tier2 npm i",
			"recommendations tier3 pip dl", "price-engine tier1 maven d",
		},
	},
	{
		name: "fulfilment", businessUnit: "logistics", area: "warehouse", organisation: OrgMeridian, pace: 0.95, volume: 1, rota: true,
		services: []string{
			"order-router tier1 nuget idl", "warehouse-control tier0 nuget d", "pick-planner tier2 nuget d",
			"stock-ledger tier1 nuget dl", "label-printer tier3 nuget",
		},
	},
	{
		name: "transport", businessUnit: "logistics", area: "last-mile", organisation: OrgMeridian, pace: 0.95, volume: 0.9,
		services: []string{
			"route-optimiser tier2 pip d", "driver-app-api tier1 go idl", "tracking-page tier2 npm id",
			"carrier-gateway tier1 go d", "toll-manager tier3 go l",
		},
	},
	{
		name: "parcel-labs", businessUnit: "logistics", area: "last-mile", organisation: OrgLabs, pace: 1.15, volume: 0.9,
		services: []string{
			"locker-network tier2 go idl", "locker-firmware tier2 go", "parcel-vision tier3 pip x",
			"returns-portal tier2 npm idl", "drone-pilot tier3 pip x",
		},
	},
	{
		name: "identity", businessUnit: "platform", area: "trust", organisation: OrgMeridian, pace: 0.4, volume: 0.8,
		services: []string{
			"identity-provider tier0 go cidl", "session-store tier0 go cd", "access-policy tier0 go dl",
			"mfa-service tier1 go id", "audit-trail tier1 go d",
		},
	},
	{
		name: "developer-platform", businessUnit: "platform", area: "build", organisation: OrgMeridian, pace: 0.6, volume: 1,
		services: []string{
			"build-farm tier0 go cd", "artifact-registry tier0 go cdl", "deploy-controller tier0 go d",
			"feature-flags tier1 go dl", "developer-portal tier2 npm d",
		},
	},
	{
		name: "data-platform", businessUnit: "platform", area: "data", organisation: OrgMeridian, pace: 0.85, volume: 1, rota: true,
		services: []string{
			"event-bus tier1 maven dl", "data-lake tier1 pip d", "metrics-store tier2 go",
			"ml-serving tier2 pip id", "report-builder tier3 pip dl",
		},
	},
}

// sharedRepositories belong to no service of the catalog. A line is read by addShared.
var sharedRepositories = []string{
	"terraform-modules meridian infrastructure - t", "platform-actions meridian infrastructure npm t", "base-images meridian infrastructure -",
	"design-system meridian library npm p", "engineering-handbook meridian documentation -", "website meridian application npm p",
	"hackday-pricing meridian application pip", "hackday-chatbot meridian application pip", "loadtest-rig meridian application go",
	"interview-exercises meridian documentation npm", "openapi-specs meridian documentation -", "envoy meridian library go f",
	"sdk-java meridian library maven p", "sdk-python meridian library pip p", "sdk-js meridian library npm p",
	"legacy-checkout meridian application maven a", "old-warehouse meridian application nuget a", "coupon-service meridian application npm a",
	"experiments-2023 meridian application pip a", "perl-tools meridian application - a", "mobile-app-v1 meridian application npm a",
	"data-notebooks meridian application pip", "sre-scripts meridian infrastructure pip", "oncall-bot meridian application go",
	"locker-simulator meridian-labs application go", "labs-infra meridian-labs infrastructure -", "labs-website meridian-labs application npm p",
	"parcel-datasets meridian-labs documentation -", "labs-archive meridian-labs application pip a",
}
