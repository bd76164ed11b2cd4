# Every command of a developer. Each target does its own set-up, and set-up is skipped while nothing
# changed. Wanted of the machine: python3 (3.11 or later, with venv), node 20, npm, git.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Containers often set this; then every process that a test starts would compile all sources anew.
export PYTHONDONTWRITEBYTECODE :=

PYTHON ?= python3
JOBS ?= 3
BIN := .venv/bin
DONE := .cache/done
MODELS := smollm2-135m minilm-l6-v2
PYTEST := $(BIN)/pytest -q --dist loadscope --no-loadscope-reorder
LOCK := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate

CONSOLE := src/stockpot/console/index.html
CONSOLE_SOURCES := $(shell find web/src web/public web/scripts -type f 2>/dev/null) \
  $(wildcard web/*.json web/*.html web/*.ts)
NODE_FOLDERS := $(patsubst %/package-lock.json,%,$(shell find web sdk-ts tests bench \
  \( -name node_modules -o -name .cache \) -prune -o -name package-lock.json -print 2>/dev/null))
NODE_MODULES := $(patsubst %,%/node_modules/.package-lock.json,$(NODE_FOLDERS))

##@ Run
up: env console models  ## set up everything and run the product
	$(BIN)/stockpot up

##@ Test
test:  ## everything that CI runs
	$(MAKE) --no-print-directory --jobs 2 checked
	$(PYTEST) -n $(JOBS) tests
checked: env node check web console test-models
unit: env  ## no I/O, seconds
	$(PYTEST) -n $(JOBS) tests/unit
integration: env node console test-models  ## real servers and processes
	$(PYTEST) -n $(JOBS) tests/integration
e2e: env node console test-models  ## the console in a real browser
	$(PYTEST) tests/e2e
docs: env  ## write the reference pages anew, test examples and links
	$(BIN)/python scripts/generate_docs.py
	$(PYTEST) tests/unit/docs
web: node  ## the console and the SDK for TypeScript: lint, types, unit tests, build
	cd web && npm run --silent check
	cd sdk-ts && npm run --silent check
check: env  ## style, types, import contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --cache-dir .cache/import-linter

wheel: env console  ## the package that users install, in dist/
	$(BIN)/python -m hatchling build -t wheel

##@ Measure
bench: env  ## the gateway's figures on this machine
	$(BIN)/stockpot bench gateway
nightly: env node console test-models  ## hours: deep property tests, long soaks, the full matrices
	HYPOTHESIS_PROFILE=nightly $(PYTEST) -n $(JOBS) --nightly --timeout 7200 tests
	$(BIN)/stockpot bench gateway --soak 2000000 --kills 200

##@ Set up
env: $(DONE)/env  ## the locked Python environment in .venv
node: $(NODE_MODULES)  ## the locked npm packages
console: $(CONSOLE)  ## the console, built into the Python package
models: env  ## the default models, into STOCKPOT_HOME (no network: goes on without)
	$(BIN)/stockpot models pull $(MODELS) || echo "No model was pulled; the echo model still answers."
test-models: env  ## the models that tests use, into .cache/home
	STOCKPOT_HOME=$(CURDIR)/.cache/home $(MAKE) --no-print-directory models
format: env  ## rewrite the sources in the house style
	$(BIN)/ruff check --fix --quiet
	$(BIN)/ruff format --quiet
	cd web && npm run --silent format
lock: env  ## resolve all dependencies anew
	$(LOCK) pyproject.toml -o requirements/base.txt
	$(LOCK) -c requirements/base.txt pyproject.toml --group dev -o requirements/dev.txt
	$(LOCK) --group bootstrap -o requirements/bootstrap.txt
	for folder in $(NODE_FOLDERS); do (cd $$folder && npm update --package-lock-only); done
clean:  ## remove everything that the targets above made
	rm -rf .venv .cache dist src/stockpot/console .mypy_cache .ruff_cache .pytest_cache
	rm -rf $(NODE_FOLDERS:%=%/node_modules)

$(DONE)/env: requirements/bootstrap.txt requirements/dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv \
	  || { echo "Install Python 3.11 or later with venv:  sudo apt-get install -y python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/bootstrap.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	mkdir -p $(@D) && touch $@

# Not `npm ci`: it refuses a lock without the binaries of platforms whose packages a registry lacks.
# `install --no-save` keeps to the lock's versions and hashes too, and never writes it.
%/node_modules/.package-lock.json: %/package-lock.json
	cd $* && npm install --no-save --no-fund --no-audit --loglevel=error
	touch $@

$(CONSOLE): $(CONSOLE_SOURCES) web/node_modules/.package-lock.json
	cd web && npm run --silent build
	touch $@

help:
	@awk -F ':.*## ' '/^##@/ {print "\n" substr($$0, 5)} / ## / && !/awk/ {printf "  make %-12s %s\n", $$1, $$2}' Makefile

.PHONY: up test checked unit integration e2e docs web check bench nightly env node console models \
  test-models format lock clean help
