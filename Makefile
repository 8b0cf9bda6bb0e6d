# The commands of the project. `make` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

DATA ?= ./rookery-data
HTTP ?= 127.0.0.1:8080
HTTPS ?= 127.0.0.1:8443
BIN := target/release/rookery

.PHONY: help run build test unit users evidence lint tools bench fuzz

help: ## List the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

build: ## Build the release binary
	cargo build --release --locked --package rookery

run: build ## Build, and start the cloud on $(DATA)
	exec $(BIN) serve --http $(HTTP) --https $(HTTPS) --data $(DATA)

test: tools lint unit users ## Install what the tests need, and run all of them
	@echo "all tests passed"

unit: ## Tests of the crates
	cargo test --locked --workspace --quiet

users: build ## Tests as users: their own tools against the real binary
	ROOKERY_BIN=$(abspath $(BIN)) .venv/bin/python -m pytest $(CURDIR)/tests

evidence: build ## Run the tests as users and write docs/evidence.md from what they saw
	ROOKERY_EVIDENCE=write ROOKERY_BIN=$(abspath $(BIN)) .venv/bin/python -m pytest $(CURDIR)/tests

lint: ## Formatting, clippy, the fuzz targets compile, licences and advisories
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets --quiet -- --deny warnings
	cargo check --locked --manifest-path fuzz/Cargo.toml --target-dir target --quiet
	scripts/deny

tools: ## Install the tools that the tests use (Debian, PyPI and Go packages, by name)
	scripts/install-test-tools

bench: build ## Measure against peers and limits; prints ratios
	bench/run

fuzz: ## Fuzz every parser of untrusted bytes for a minute each
	fuzz/run
