# Everything a developer does. "make test" needs Go and make alone; "make e2e" needs the servers that .ci/run installs.

GO              ?= go
GOLANGCI_LINT   := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
LINT            := bin/golangci-lint
VERSION         ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
REVISION        ?= $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
VERSION_PACKAGE := github.com/prometheus/common/version
LDFLAGS         := -s -w -X $(VERSION_PACKAGE).Version=$(VERSION) -X $(VERSION_PACKAGE).Revision=$(REVISION)
FUZZTIME        ?= 30s
# The race detector needs a C compiler; without one the same tests run without it.
RACE            ?= $(if $(shell command -v $$($(GO) env CC)),-race)

PLATFORMS       ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64
CYCLONEDX_GOMOD := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.9.0
# The date of the commit, so that the same commit makes the same archives.
SOURCE_DATE     ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

.PHONY: help demo build test gofmt vet lint unit generate generate-check manifests rules-test chart-test e2e bench fuzz notices release clean
.DEFAULT_GOAL := help

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## Run the exporter on a synthetic organisation, on :10042
	$(GO) run ./cmd/prodsec_exporter --demo

build: ## Build a static binary into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/prodsec_exporter ./cmd/prodsec_exporter

test: gofmt vet lint unit generate-check rules-test ## Everything that needs no server

gofmt: ## Fail if a file is not formatted
	@files=$$(gofmt -l cmd collectors dashboards internal e2e tools); if [ -n "$$files" ]; then echo "gofmt these files:"; echo "$$files"; exit 1; fi

vet: ## Run go vet
	$(GO) vet ./...
	$(GO) vet -tags e2e ./e2e/... ./internal/monitoring/...

$(LINT): Makefile
	GOBIN=$(CURDIR)/bin $(GO) install $(GOLANGCI_LINT)
	@touch $(LINT)

lint: $(LINT) ## Run the pinned golangci-lint
	$(LINT) run ./...

unit: ## Run the tests, with the race detector where there is a C compiler
	$(GO) test $(RACE) -timeout 15m ./...
	$(GO) test -run '^(TestAsOf|TestSQLite|TestAgainstNaive)$$' ./internal/numbers ./internal/ledger ./internal/metrics # thousands of cases, of which the race detector takes a part

generate: ## Write docs/metrics.md, rules, alerts and boards from code, and the schema of the configuration
	$(GO) run ./cmd/generate
	$(GO) test ./cmd/prodsec_exporter -run TestSchemaIsGenerated -update

generate-check: ## Fail if generated files differ from what the code says
	$(GO) run ./cmd/generate -check

rules-test: ## Run the rules' unit tests on Prometheus' own engine (a module of its own keeps its dependencies out of ours)
	cd tools && $(GO) tool promtool --version >/dev/null # built outside of the test's time limit
	cd tools && $(GO) test -timeout 20m ./...

manifests: ## Render the plain Kubernetes manifests from the chart
	cd tools/kubernetes && $(GO) run . -root ../..

chart-test: ## Lint and render the Helm chart by Helm's own engine and decode every object strictly (a module of its own)
	cd tools/kubernetes && $(GO) vet ./... && $(GO) test -count 1 -timeout 30m ./...

e2e: chart-test ## One package after the other, because they start servers and measure time: run the binary with a real Prometheus and Alertmanager, and the collectors against descriptions of APIs that others wrote
	$(GO) test -tags e2e -count 1 -p 1 -timeout 20m -v ./e2e/... ./internal/monitoring/...

bench: ## Run the benchmarks beside whose figures stand the budgets of docs/performance.md
	$(GO) test -run '^$$' -bench . -benchmem -timeout 60m ./collectors/reports ./collectors/github ./internal/...
	@echo; echo "Budgets, and what was measured before:"; sed -n '/^| Work/,/^$$/p' docs/performance.md

fuzz: ## Run each fuzz target for FUZZTIME, a duration or a number of inputs such as 5000x
	@grep -rl --include='*_test.go' '^func Fuzz' collectors internal cmd | sort | while read -r file; do \
	  for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$file"); do \
	    echo "== $$file $$target"; $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "./$$(dirname "$$file")" || exit 1; \
	  done; \
	done

notices: ## Write the licences of everything in the binary into dist/THIRD_PARTY_NOTICES
	@mkdir -p dist
	$(GO) run ./cmd/notices >dist/THIRD_PARTY_NOTICES

release: ## Build static binaries of every platform into dist/, with archives, SBOM, checksums and notes
	rm -rf dist && mkdir -p dist
	$(GO) run ./cmd/notices >dist/THIRD_PARTY_NOTICES
	GOBIN=$(CURDIR)/bin $(GO) install $(CYCLONEDX_GOMOD)
	@set -e; for platform in $(PLATFORMS); do \
	  os=$${platform%/*} arch=$${platform#*/} name=prodsec_exporter-$(VERSION).$${platform%/*}-$${platform#*/}; \
	  echo "== $$name"; mkdir dist/$$name; \
	  GOOS=$$os GOARCH=$$arch CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o dist/$$name/prodsec_exporter ./cmd/prodsec_exporter; \
	  cp LICENSE NOTICE dist/THIRD_PARTY_NOTICES README.md CHANGELOG.md prodsec.example.yml prodsec.schema.json dist/$$name/; \
	  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@$(SOURCE_DATE) -C dist -cf - $$name | gzip -n9 >dist/$$name.tar.gz; \
	  bin/cyclonedx-gomod bin -json -output dist/$$name.cdx.json dist/$$name/prodsec_exporter; \
	  rm -r dist/$$name; \
	done
	@awk '/^## / {if (n++) exit; next} n' CHANGELOG.md >dist/NOTES.md
	cd dist && sha256sum *.tar.gz *.cdx.json >SHA256SUMS && cat SHA256SUMS

clean: ## Remove what was built
	rm -rf bin dist
