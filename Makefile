# `make demo` and `make test` need nothing but Python 3.11 or newer: they make a .venv themselves, once.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
INSTALLED := .venv/installed
TORCH := torch==2.13.0
SHARED := --numprocesses 2  # Most of a test is tracing, which takes one core.

# tensorflow-addons ended with Python 3.11.
ADDONS_PYTHON ?= $(shell command -v python3.11 || command -v python3.10 || command -v python3.9)
ADDONS := .venv-addons

LITERTJS := .litertjs

.PHONY: demo test test-all test-addons torch web docs lint

demo: $(INSTALLED)  ## Train on drawn facades, export, and draw what the exported file makes of unseen label maps.
	$(BIN)/python examples/demo.py --directory demo

test: $(INSTALLED)
	$(BIN)/python -m pytest -m "not slow" $(SHARED)

test-all: $(INSTALLED) docs torch web  ## What `make test` leaves out because it takes long or needs other packages.
	$(BIN)/python -m pytest -m "slow and not addons" $(SHARED)
	$(MAKE) --no-print-directory test-addons

test-addons: $(INSTALLED)  ## Beside the real tensorflow-addons; skipped, with the reason, where it can't be installed.
	@$(MAKE) --no-print-directory $(ADDONS)/installed || \
		echo "No environment with tensorflow-addons, for the reason above: its tests are skipped."
	$(BIN)/python -m pytest -m addons

torch: $(INSTALLED)
	$(BIN)/python -c "import torch" 2>/dev/null || $(BIN)/pip install --quiet --disable-pip-version-check --retries 1 $(TORCH) \
		|| echo "PyTorch can't be installed here: the tests beside it are skipped."

web: $(INSTALLED)  ## Chromium, and LiteRT.js from npm, for the tests of the page in a browser.
	@{ command -v chromium && command -v chromedriver; } >/dev/null || { test "$$(id -u)" = 0 && apt-get update --quiet && \
		apt-get install --yes --quiet chromium chromium-driver; } || echo "Chromium isn't here, and only root can install it, by apt-get: the tests in a browser are skipped."
	@$(MAKE) --no-print-directory $(LITERTJS)/installed || \
		echo "LiteRT.js can't be fetched here, for the reason above: the tests in a browser are skipped."

docs: $(INSTALLED)  ## The guides and the API as pages, in build/docs; any warning is an error (--quiet would hide them from --strict).
	@$(BIN)/python -c "import mkdocs, mkdocstrings, material" 2>/dev/null || $(BIN)/pip install --quiet --disable-pip-version-check --editable ".[docs]"
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --config-file docs/mkdocs.yml

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(INSTALLED): setup.py
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed: make PYTHON=python3.11')"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[test]"
	touch $@

$(ADDONS)/installed:
	@test -n "$(ADDONS_PYTHON)" || { echo "tensorflow-addons needs Python 3.9, 3.10 or 3.11."; exit 1; }
	$(ADDONS_PYTHON) -m venv $(ADDONS)
	$(ADDONS)/bin/pip install --quiet --disable-pip-version-check \
		tensorflow==2.15.1 tensorflow-addons==0.23.0 numpy==1.26.4
	touch $@

$(LITERTJS)/installed: keras_pix2pix/deploy/page/package.json
	mkdir -p $(LITERTJS) && cp $< $(LITERTJS)
	npm install --silent --no-audit --no-fund --prefix $(LITERTJS)
	touch $@
