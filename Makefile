# Each target works on a machine that has only Python 3.11+ and make: it sets up .venv from the lock file first.
PYTHON ?= python3
UV := 0.13.8
BIN := .venv/bin
WORKERS ?= 2

# Without bytecode on disk each process, each worker of a test run too, would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test dev lint check acceptance bench clean

setup: .venv/.synced

.venv/.synced: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "flywheel needs Python 3.11 or newer; this is $$($(PYTHON) --version). Name another one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv \
	  || { echo "python's venv module is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "setting up .venv from uv.lock …"
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV)
	@VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv sync --frozen --quiet --inexact --system-certs --python $(BIN)/python
	@touch $@

demo: setup
	@$(BIN)/flywheel demo

dev: setup
	@$(BIN)/flywheel dev

test: setup
	$(BIN)/python -m pytest -q -n $(WORKERS) -m "not acceptance"

acceptance: setup
	$(BIN)/python -m pytest -q -m "acceptance or hypothesis" --hypothesis-profile thorough

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

check: lint test

bench: setup
	$(BIN)/python -m benchmarks.run

clean:
	-$(BIN)/flywheel down
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
