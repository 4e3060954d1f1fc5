# `make serve` and `make test` work alone on a fresh machine with Python 3.11 or newer.

PYTHON ?= python3
VENV ?= .venv
SCRIPTS := $(if $(filter Windows_NT,$(OS)),Scripts,bin)
BIN := $(VENV)/$(SCRIPTS)
LOWEST := $(VENV)-lowest/$(SCRIPTS)
INSTALLED := $(VENV)/.installed
TESTABLE := $(VENV)/.testable
READY := $(VENV)/.ready

# Tests start hundreds of processes: what they import is compiled once.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help serve test coverage unit clients install install-unit lint check-all lowest slow picture bench clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: $(INSTALLED)  ## Boot the emulator on port 3000 (options: ARGS="--port 0 --seed 7")
	@exec $(BIN)/identity-emulator serve $(ARGS)

test: lint $(READY)  ## Lint, type-check and run the whole suite
	$(BIN)/pytest -q -n 2

coverage: $(READY)  ## Run the suite with branch coverage, which takes half as long again
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q -n 2
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

clients: $(READY)  ## Run clients and examples in other languages; what needs an absent npm, Go, Maven or cargo is skipped
	$(BIN)/pytest -q tests/clients

unit: $(TESTABLE)  ## Run the tests without those that build and install packages
	$(BIN)/pytest -q -n auto --ignore=tests/project

install: $(READY)  ## Make the environment for development

install-unit: $(TESTABLE)  ## Make the environment for `unit`

lint: $(READY)  ## Check format, style and types
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

check-all: test coverage clients lowest slow bench  ## Everything, slow checks included

lowest:  ## Run the unit tests with the oldest versions of everything the package allows
	@$(PYTHON) -m venv $(VENV)-lowest
	@$(LOWEST)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@$(LOWEST)/python tests/project/lowest.py > $(VENV)-lowest/constraints.txt
	@$(LOWEST)/python -m pip install --quiet --group test --editable . -c $(VENV)-lowest/constraints.txt
	$(LOWEST)/pytest -q -n auto --ignore=tests/project

slow: $(READY)  ## Load, bad clients, a browser and many examples, for five minutes; LOAD_SECONDS=10 makes it shorter
	$(BIN)/pytest -q tests/slow
	$(BIN)/pytest -q --hypothesis-profile=thorough tests/properties

picture: $(READY)  ## Make docs/page.png, the page as Chromium shows it
	PAGE_PICTURE=1 $(BIN)/pytest -q tests/page/test_access.py -k picture

bench: $(READY)  ## Measure everything beside the peers, into docs/performance.md (part: ARGS="--only starts")
	$(BIN)/python -m benchmarks $(ARGS)

clean:  ## Remove what these commands made
	rm -rf $(VENV) $(VENV)-* .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache dist

$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; try: make PYTHON=python3.12")'
	@echo "Making $(VENV) and installing into it, once ..." >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(TESTABLE): $(INSTALLED)
	@$(BIN)/python -m pip install --quiet --group test
	@touch $@

$(READY): $(INSTALLED)
	@$(BIN)/python -m pip install --quiet --group dev
	@touch $@ $(TESTABLE)
