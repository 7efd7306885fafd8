# `make demo` and `make test` do all the set-up they need; later runs reinstall nothing.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ROWS   ?=

SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help demo test lint types unit bench failures clean

help:
	@echo "make demo    run the main job: real flights on a local server that is started for it"
	@echo "make test    lint, types, layers and all tests, on a real mongod"
	@echo "make lint    ruff and import-linter"
	@echo "make types   mypy and basedpyright"
	@echo "make unit    the tests of the pure parts, in seconds"
	@echo "make bench   the numbers of benchmarks/README.md"
	@echo "make failures  the failure lab and the validators in their long form, about twenty minutes"
	@echo "make clean   remove the environment and all caches"
	@echo "PYTHON=python3.12 chooses the interpreter (3.11 or newer)."

demo: $(VENV)/.demo
	@$(BIN)/boundwork demo $(if $(ROWS),--rows $(ROWS))

test: lint types
	@echo "pytest"
	@$(BIN)/python -m pytest -n auto

lint: $(VENV)/.dev
	@echo "ruff"
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@echo "import-linter"
	@$(BIN)/lint-imports

types: $(VENV)/.dev
	@echo "mypy and basedpyright, side by side"
	@$(BIN)/basedpyright & other=$$!; status=0; $(BIN)/mypy || status=$$?; wait $$other || status=$$?; exit $$status

unit: $(VENV)/.dev
	@$(BIN)/python -m pytest tests/unit

bench: $(VENV)/.dev
	@$(BIN)/python -m benchmarks

failures: $(VENV)/.dev
	@BOUNDWORK_LONG=1 $(BIN)/python -m pytest tests/failure tests/server/test_stored_schema.py

clean:
	rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -path ./.git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "boundwork needs Python 3.11 or newer, and $(PYTHON) is not. Name another: make PYTHON=python3.12 ..." >&2; \
	    exit 1; }
	@echo "Making $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# The stamps are younger than pyproject.toml once its extra is installed.
$(VENV)/.demo $(VENV)/.dev: $(VENV)/.%: $(VENV)/.python pyproject.toml
	@echo "Installing boundwork[$*] (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@
