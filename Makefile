# Every target is a plain command line that works without make too; see CONTRIBUTING.md.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
# More than cores: tests of the real program mostly wait.
WORKERS ?= 6

.DEFAULT_GOAL := help
.PHONY: help setup dev demo test e2e check fmt lint types docs coverage bench clean

help: ## what there is to make
	@grep -hE '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

# The stamps make a second run start at once: what is installed is what pyproject.toml says.
$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.developed: pyproject.toml $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

setup: $(VENV)/.installed ## install ocizone into .venv

dev: $(VENV)/.developed ## install it with the tools of development

demo: $(VENV)/.installed ## registry, push, serve, change: the main job in one terminal
	@$(BIN)/python -m ocizone demo

test: $(VENV)/.developed ## all tests; those that need missing peers skip and say so
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

e2e: $(VENV)/.developed ## only the tests that start the real program
	$(BIN)/python -m pytest -n $(WORKERS) -m e2e

check: lint types docs test ## what CI asks

lint: $(VENV)/.developed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.developed
	$(BIN)/mypy

docs: $(VENV)/.developed ## rewrite the generated tables
	$(BIN)/python -m ocizone.plugins.docs
	$(BIN)/python -m ocizone.cli.reference

fmt: $(VENV)/.developed ## format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

coverage: $(VENV)/.developed ## line and branch coverage of the package
	$(BIN)/python -m pytest -n $(WORKERS) --cov --cov-report=term-missing:skip-covered

bench: $(VENV)/.developed ## ocizone beside its peers: tables and a plot in build/bench, ten minutes
	$(BIN)/python -m bench $(BENCH)

clean: ## remove what was made
	rm -rf $(VENV) .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache build *.egg-info
