# Everything a fresh clone needs, from a bare Python 3.11 or newer: `make demo`, `make test`, `make check`.
# Each target sets up .venv by itself; a stamp makes the set-up a no-op until pyproject.toml changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
REMEDY := install one and name it, as in: make $(or $(MAKECMDGOALS),test) PYTHON=python3.12

.DEFAULT_GOAL := help
.PHONY: help demo test test-all check faults bench bench-classic

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/.ready ## set up and train a network on handwritten digits
	$(BIN)/wengert train digits

# Two workers share two cores, so each keeps its BLAS to one thread.
test: $(VENV)/.ready-dev ## set up and run the tests and every docstring example, with coverage
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --cov --cov-report=term

# WENGERT_EXAMPLES: so many times as many random programs for the compiler.
# WENGERT_ALL_FLOATS: every float32 goes through every function of the mathlib.
test-all: $(VENV)/.ready-dev ## run the tests with many more random programs, and every float32 (an hour or two)
	WENGERT_EXAMPLES=20 WENGERT_ALL_FLOATS=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

check: $(VENV)/.ready-dev ## set up and run ruff (format and lint) and mypy (strict)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

faults: $(VENV)/.ready-dev ## plant faults, one at a time, and count those the tests catch
	$(BIN)/python benchmarks/planted_faults.py

bench: $(VENV)-bench/.ready ## set up PyTorch and JAX and measure wengert beside them; BENCH="--list" lists the rows
	$(VENV)-bench/bin/python benchmarks/peers/run.py $(BENCH)

bench-classic: $(VENV)-bench/.ready ## set up MiniSom, artlib and others and measure the classic networks beside them
	$(VENV)-bench/bin/python benchmarks/classic/peers.py

$(VENV)/.ready: pyproject.toml | $(BIN)/python
	@echo "Installing wengert into $(VENV) ..."
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.ready-dev: pyproject.toml | $(BIN)/python
	@echo "Installing wengert and its development tools into $(VENV) ..."
	@$(PIP) install --editable '.[dev]'
	@touch $(VENV)/.ready $@

$(VENV)-bench/.ready: pyproject.toml benchmarks/peers/requirements.txt | $(BIN)/python
	@echo "Installing wengert, PyTorch and JAX into $(VENV)-bench ..."
	@$(BIN)/python -m venv --clear $(VENV)-bench
	@$(VENV)-bench/bin/python -m pip --quiet --disable-pip-version-check --no-input install \
	  --requirement benchmarks/peers/requirements.txt --editable .
	@touch $@

# --clear: what a removed interpreter or an interrupted set-up left behind is not built upon.
$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "wengert needs Python 3.11 or newer, but there is no '$(PYTHON)' here; $(REMEDY)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "wengert needs Python 3.11 or newer, but '$(PYTHON)' is $$($(PYTHON) --version 2>&1); $(REMEDY)" >&2; exit 1; }
	@echo "Creating $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); \
	  echo "'$(PYTHON) -m venv $(VENV)' failed; on Debian and Ubuntu it needs the package python3-venv." >&2; exit 1; }
