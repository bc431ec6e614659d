# Every target sets up what it needs by itself, in .venv, from the hash-locked requirements.
# Stamps inside .venv remember what was done; it is done again only when a lock changes.

# The first of these that is new enough; say `make PYTHON=...` to choose another.
PYTHON ?= $(shell for name in python3.11 python3 python3.13 python3.12; do \
  $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
  && command -v $$name && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip
INSTALL := $(PIP) install --quiet --require-hashes --no-deps
CHECKED := $(wildcard src tests benchmarks tools)

MADE := $(VENV)/.made
RUNTIME := $(VENV)/.runtime
INSTALLED := $(VENV)/.installed
DEV := $(VENV)/.dev

.PHONY: help venv demo test lint bench soak browser lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

venv: $(INSTALLED) $(DEV) ## make .venv with everything: runtime, tests, checks

demo: $(INSTALLED) ## an agent at work on the embedded desk (HEADLESS=1: a script, one JSON line)
	$(BIN)/handrail demo $(if $(filter-out 0,$(HEADLESS)),--headless) $(ARGS)

test: $(INSTALLED) $(DEV) browser ## all tests (ARGS="..." goes to pytest)
	@$(BIN)/python -m compileall -q src tests # for their own processes, where Python writes no bytecode
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile $(ARGS)

lint: $(INSTALLED) $(DEV) ## ruff, mypy --strict, import contracts
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/ruff format --check $(CHECKED)
	$(BIN)/mypy $(CHECKED)
	$(BIN)/lint-imports

bench: $(INSTALLED) $(DEV) ## durable decisions a second, beside other systems (ARGS="--json")
	$(BIN)/python -m benchmarks.decisions $(ARGS)

soak: $(INSTALLED) $(DEV) ## the long run of the seeded simulator (ARGS="--seed 7")
	$(BIN)/python -m tests.sim.soak $(ARGS)

browser: ## find Chromium, or install Debian's
	@$(PYTHON) tools/browser.py

lock: ## refresh the hash locks from requirements/*.in (needs uv; ARGS="--upgrade")
	$(PYTHON) tools/lock.py $(ARGS)

clean: ## remove every .venv, caches and built files
	rm -rf $(VENV) .venv-* build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests benchmarks tools -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

$(MADE):
	@test -n "$(PYTHON)" || { echo "handrail needs Python 3.11 or newer, and found none." \
	  "Install one, or: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "handrail needs Python 3.11 or newer; \`$(PYTHON)\` says: $$("$(PYTHON)" --version 2>&1)" \
	  >&2; exit 2; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "handrail needs Python's venv and ensurepip: on Debian and Ubuntu install python3-venv" \
	  >&2; exit 2; }
	"$(PYTHON)" -m venv $(VENV)
	@touch $@

$(RUNTIME): requirements/runtime.txt requirements/build.txt | $(MADE)
	$(INSTALL) -r requirements/runtime.txt -r requirements/build.txt
	@touch $@

$(INSTALLED): pyproject.toml $(RUNTIME)
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements/dev.txt $(RUNTIME) | $(INSTALLED)
	$(INSTALL) -r requirements/dev.txt
	$(PIP) check
	@touch $@
