# One command set, for people and for CI: demo test lint bench docs clean.
#
# Everything is installed into .venv from the locked files in requirements/; nothing needs root.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
PYTEST_ARGS ?= -n 2

PYTHON_STAMP := $(VENV)/.stamp-python
RUN_STAMP := $(VENV)/.stamp-run
DEV_STAMP := $(VENV)/.stamp-dev

.DEFAULT_GOAL := help
.PHONY: conformance help demo test lint bench bench-long docs clean venv peers lock mutants

help:
	@echo "make demo    dial 500 people of a shipped list over SIP on loopback, and compare the books"
	@echo "make test    everything that is checked: lint, types, import rules, tests"
	@echo "make lint    the checks that run nothing"
	@echo "make bench   the benchmarks (bench-long: the long ones too)"
	@echo "make conformance  the REST API against its own document, by Schemathesis (ten minutes)"
	@echo "make docs    write the generated parts of docs/ again"
	@echo "make clean   remove what these commands made"

demo: $(RUN_STAMP)
	@$(BIN)/outdialer demo

venv: $(DEV_STAMP)

test: lint peers
	@$(BIN)/pytest $(PYTEST_ARGS)

lint: $(DEV_STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy src tests tools $(if $(wildcard bench/*.py),bench)
	@$(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/python tools/status_lint.py

peers:
	@tools/peers sip-tester

bench: $(DEV_STAMP)
	@$(BIN)/python -m bench

bench-long: $(DEV_STAMP)
	@$(BIN)/python -m bench --long

conformance: $(DEV_STAMP)
	@$(BIN)/python tools/conformance.py

docs: $(DEV_STAMP)
	@$(BIN)/python tools/state_diagrams.py
	@PYTHONPATH=. $(BIN)/python tools/reference.py

mutants: $(DEV_STAMP)
	@$(BIN)/python tools/mutate_domain.py

# Needs uv (https://docs.astral.sh/uv/). The files hold no addresses, so they install from whatever index pip uses.
LOCK = uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
	--custom-compile-command "make lock"
lock:
	PATH="$(abspath $(BIN)):$$PATH" && export PATH && \
	$(LOCK) pyproject.toml -o requirements/run.txt && \
	$(LOCK) --extra dev -c requirements/run.txt pyproject.toml -o requirements/dev.txt && \
	echo 'setuptools>=77' | $(LOCK) - -o requirements/build.txt

$(PYTHON_STAMP):
	@command -v $(PYTHON) >/dev/null || { echo "outdialer needs Python 3.11 or newer; $(PYTHON) was not found"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "outdialer needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Another one: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(RUN_STAMP): $(PYTHON_STAMP) requirements/run.txt requirements/build.txt pyproject.toml
	@echo "installing the locked libraries into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements/run.txt -r requirements/build.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV_STAMP): $(RUN_STAMP) requirements/dev.txt
	@echo "installing the locked development tools into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

clean:
	@rm -rf $(VENV) demo-results .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	@rm -rf src/*.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
