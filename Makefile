# `make demo` and `make test` need nothing but Python 3.11 or newer: they make a .venv themselves, once.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: demo test test-all lint

demo: $(INSTALLED)  ## Train on drawn facades, export, and draw what the exported file makes of unseen label maps.
	$(BIN)/python examples/demo.py --directory demo

test: $(INSTALLED)
	$(BIN)/python -m pytest -m "not slow"

test-all: $(INSTALLED)  ## What `make test` leaves out because it takes long.
	$(BIN)/python -m pytest -m slow

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

$(INSTALLED): setup.py
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed: make PYTHON=python3.11')"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[test]"
	touch $@
