# `make demo` and `make test` need nothing but Python 3.11 or newer: they make a .venv themselves, once.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
INSTALLED := .venv/installed
TORCH := torch==2.13.0 --extra-index-url https://download.pytorch.org/whl/cpu

.PHONY: demo test test-all torch lint

demo: $(INSTALLED)  ## Train on drawn facades, export, and draw what the exported file makes of unseen label maps.
	$(BIN)/python examples/demo.py --directory demo

test: $(INSTALLED)
	$(BIN)/python -m pytest -m "not slow"

test-all: $(INSTALLED) torch  ## What `make test` leaves out because it takes long or needs PyTorch.
	$(BIN)/python -m pytest -m slow

torch: $(INSTALLED)
	$(BIN)/python -c "import torch" 2>/dev/null || $(BIN)/pip install --quiet --disable-pip-version-check --retries 1 $(TORCH) \
		|| echo "PyTorch can't be installed here: the tests beside it are skipped."

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

$(INSTALLED): setup.py
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed: make PYTHON=python3.11')"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[test]"
	touch $@
