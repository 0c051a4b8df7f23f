# Targets are for people; CI runs .ci/run, which calls the same ones.
GO ?= go
SHARED ?= ../shared

.PHONY: help build test race lint fmt generate calibrate check update fuzz bench cover

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  \1\t/' | expand -t 14

build: ## build the program into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags=-s -o bin/ ./cmd/llmcheck

test: ## run all tests
	$(GO) test ./...

race: ## run all tests with the race detector
	$(GO) test -race ./...

lint: ## vet, and golangci-lint where it is installed
	$(GO) vet ./...
	@if command -v golangci-lint >/dev/null; then golangci-lint run; fi

fmt: ## format the code
	gofmt -w cmd internal

generate: ## make the names of licenses anew, the index of accelerators, and the index of texts where the corpora are present
	$(GO) generate ./internal/license/catalog ./internal/hardware/catalog ./internal/cost/catalog
	@if [ -d $(SHARED)/corpus ]; then $(GO) generate ./internal/license/identify; fi

calibrate: ## fit the constants of speed and of training to the published measurements again and say how far off they are; FIT=-update writes them
	$(GO) run ./internal/speed/fit $(FIT)
	$(GO) run ./internal/train/fit $(FIT)

check: ## what CI checks: format, vet, tests, generated files
	@test -z "$$(gofmt -l cmd internal)" || { gofmt -l cmd internal; echo 'run make fmt'; exit 1; }
	$(GO) vet ./...
	CGO_ENABLED=0 $(GO) build -trimpath -o /dev/null ./cmd/llmcheck
	$(MAKE) test

update: ## rewrite the golden files; read the diff like code
	$(GO) test ./internal/render -update

fuzz: ## run every fuzz target for FUZZTIME (30s)
	@for pkg in $$(grep -rl '^func Fuzz' --include='*_test.go' internal | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -rhoE '^func Fuzz[A-Za-z0-9]+' $$pkg/*_test.go | sed 's/func //' | sort -u); do \
	    echo "$$pkg $$f"; $(GO) test ./$$pkg -run '^$$' -fuzz "^$$f$$" -fuzztime $(or $(FUZZTIME),30s) -fuzzminimizetime 20x || exit 1; \
	  done; done

bench: ## measure identification, start-up and reading
	$(GO) test -run '^$$' -bench . -benchmem ./internal/... ./cmd/...

cover: ## coverage of everything by everything
	$(GO) test -coverpkg=./... -coverprofile=cover.out ./... && $(GO) tool cover -func=cover.out | tail -1
