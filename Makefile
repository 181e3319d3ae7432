# Everything a person does here, in one place. `make` alone lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
DATA   ?= var
PORT   ?= 8000
HOST   ?= 127.0.0.1

export AIDLOOP_DATA_DIR := $(DATA)
export AIDLOOP_PORT     := $(PORT)
export AIDLOOP_HOST     := $(HOST)

INSTALLED := $(VENV)/.installed
DEV       := $(VENV)/.installed-dev
PIP       := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help
help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ------------------------------------------------------------------ set-up

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Aidloop needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "Python's venv module is missing. On Debian: apt-get install python3-venv"; exit 1; }

$(INSTALLED): $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing Aidloop into $(VENV) (once; a minute or two) …"
	@$(PIP) install --quiet --progress-bar on -c constraints.txt -e '.[report]' && touch $@

$(DEV): $(INSTALLED)
	@echo "Installing what the tests need (once) …"
	@$(PIP) install --quiet --progress-bar on -c constraints.txt -e '.[dev,fast]' && touch $@

.PHONY: setup
setup: $(INSTALLED) ## install Aidloop into .venv

# ------------------------------------------------------------------ use

.PHONY: demo
demo: $(INSTALLED) ## load the county of Jinxi, compute a plan, serve it (PORT=8123 DATA=/some/folder)
	@exec $(BIN)/aidloop demo

.PHONY: demo-reset
demo-reset: $(INSTALLED) ## the same, from an empty database
	@exec $(BIN)/aidloop demo --reset

.PHONY: serve
serve: $(INSTALLED) ## serve what is in DATA, with what is there
	@exec $(BIN)/aidloop serve

.PHONY: migrate
migrate: $(INSTALLED) ## bring the database to this version's tables
	@$(BIN)/aidloop migrate

.PHONY: doctor
doctor: $(INSTALLED) ## look for what is wrong, and say what to do
	@$(BIN)/aidloop doctor

# ------------------------------------------------------------------ develop

.PHONY: test
test: $(DEV) ## the tests, on SQLite and on a real PostgreSQL (ten minutes)
	@$(BIN)/pytest -n 3 --dist loadgroup $(ARGS)

.PHONY: test-all
test-all: $(DEV) ## also the slow tests, and both databases for every test (40 minutes)
	@$(BIN)/pytest -n 2 --dist loadgroup --slow --db each $(ARGS)

.PHONY: check check-style check-types check-house
check: $(DEV) ## format, lint, types, floors and wings, file lengths
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target check-types check-style check-house

check-style: $(DEV)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

check-types: $(DEV)
	@$(BIN)/mypy

check-house: $(DEV)
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.house

.PHONY: fmt
fmt: $(DEV) ## format, and mend what can be mended by machine
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: schema
schema: $(INSTALLED) ## write schema.graphql anew
	@$(BIN)/aidloop schema > schema.graphql.new && mv schema.graphql.new schema.graphql

.PHONY: cov
cov: $(DEV) ## tests with branch coverage
	@$(BIN)/pytest -n 3 --dist loadgroup --cov --cov-report=term-missing:skip-covered $(ARGS)

.PHONY: audit
audit: $(DEV) ## the GraphQL-over-HTTP audit and three real clients (needs Node)
	@tests/audit/run.sh

.PHONY: bench
bench: $(DEV) ## speed, memory and good done beside peers, into docs/benchmarks.md (20 minutes; ARGS=--quick)
	@$(PIP) install --quiet -c constraints.txt -e '.[bench]'
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: rounds
rounds: $(DEV) ## our policies beside ppe-match's strategies in weekly rounds, into docs/rounds.md (an hour)
	@$(PIP) install --quiet -c constraints.txt -e '.[real]'
	@$(BIN)/python -m benchmarks.rounds $(ARGS)

.PHONY: real
real: $(DEV) ## the GetUsPPE requests of 2020, matched and certified
	@$(PIP) install --quiet -c constraints.txt -e '.[real]'
	@$(BIN)/python -m benchmarks.real --out $(DATA)/real

.PHONY: constraints
constraints: $(DEV) ## write constraints.txt anew from what is installed and passed the tests
	@{ echo "# The exact versions that the tests passed with; made by 'make constraints'."; \
	   $(BIN)/python -m pip --disable-pip-version-check list --format=freeze \
	   | grep -viE '^(aidloop|pip|setuptools|wheel)==' | LC_ALL=C sort -f; } > constraints.txt

.PHONY: clean
clean: ## remove what was built here, not the data
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info node_modules
