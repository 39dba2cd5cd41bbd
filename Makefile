# Everything is a target here; `make help` lists them. Each installs what it
# needs itself (Debian packages with apt when root).

GO      ?= go
ARGS    ?=
FUZZTIME ?= 30s
TOOL    := $(GO) tool -modfile=tools/go.mod

.DEFAULT_GOAL := help
.PHONY: help run build test lint bench fuzz browser docs conformance

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' Makefile

run: build ## broker, mock companies and demo app on this machine (ARGS="--broker-port 8000")
	@exec bin/gatehouse dev $(ARGS)

build: ## the binary, as released, in bin/
	@scripts/setup go
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o bin/gatehouse ./cmd/gatehouse

test: ## all tests with the race detector, browser and independent parties included
	@scripts/setup go race browser node
	$(GO) test -race -timeout 12m ./...
	@$(GO) test -count 1 -v -run '^TestCompliance$$' ./profile | grep 'compliance suite:'

lint: ## formatting, vet, staticcheck, dead code
	@scripts/setup go
	@scripts/lint

bench: ## figures with the limit beside each
	@scripts/setup go
	$(GO) run ./bench $(ARGS)

fuzz: ## every fuzz target for FUZZTIME (30s)
	@scripts/setup go
	@scripts/fuzz $(FUZZTIME)

browser: ## Chromium through every page; screenshots for the README
	@scripts/setup go race browser node
	$(GO) test -race -count 1 -v -run Browser ./e2e -pictures

docs: ## write what is made from the source: configuration reference and schema
	@scripts/setup go
	$(GO) test ./cmd/gatehouse -run TestConfigReference -update

conformance: ## the OpenID Connect demands, one test each, as a table
	@scripts/setup go
	$(GO) test -count 1 -v -run Conformance ./e2e
