# Everything is installed into .venv and written below this folder; nothing else on the machine changes.

.DEFAULT_GOAL := help
SHELL := /bin/sh
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
OUT := out
# What `make run` scans and with which words it speaks, e.g. `make run LOGS=/var/log LANGUAGE_FLAG="--lang vi"`.
LOGS := samples/logs
LANGUAGE_FLAG :=
# What `make test` hands to pytest, e.g. `make test PYTEST="-n 4 -k zeek"`.
# Three workers on two processors: some tests wait for servers, browsers and killed programs.
PYTEST := -n 3 --dist loadfile

PACKAGE := pyproject.toml src/haidang/_version.py hatch_build.py
# The part in machine code is built where there is a Rust compiler; without one everything works, more slowly.
NATIVE := $(wildcard native/src/*.rs native/src/*/*.rs) native/Cargo.toml native/Cargo.lock
RUN_READY := $(VENV)/.run-ready
DEV_READY := $(VENV)/.dev-ready

PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
# Bytecode as pip makes it for packages that are not editable: a start takes half as long where Python may not
# write any by itself.
COMPILE := $(BIN)/python -m compileall -q src
RUST := cargo
SAY_NATIVE := if test -e src/haidang/_native.so; then :; \
	elif $(RUST) --version >/dev/null 2>&1; then \
		echo "The part in machine code was not built; (cd native && $(RUST) build --release) says why. All works, more slowly."; \
	else \
		echo "No Rust compiler (cargo): the part in machine code is not built. All works; scanning JSON takes longer."; \
	fi
LOCK := CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes --strip-extras \
	--allow-unsafe --build-deps-for=editable --no-emit-index-url --no-emit-find-links \
	--no-emit-trusted-host --no-emit-options

.PHONY: help setup run demo test lint types contracts security audit-dependencies unit unit-native unit-postgresql docs screenshots bench lock check-unlocked clean

help:  ## List what make can do here
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

setup: $(DEV_READY)  ## Prepare .venv for work on the code

run: $(RUN_READY)  ## Scan the sample logs, print the summary, write out/report.html
	@mkdir -p $(OUT)
	@# Exit code 3 says that a file could not be read in whole: one of the samples is damaged on purpose.
	$(BIN)/haidang scan $(LOGS) $(LANGUAGE_FLAG) --output $(OUT)/report.html || [ $$? = 3 ]
	@echo
	@echo "The page with the time line and the evidence: $(CURDIR)/$(OUT)/report.html"
	@echo "Open it in any browser; it needs no network."

demo: $(DEV_READY)  ## Show the console with made data and a story that comes in live
	$(BIN)/haidang demo $(LANGUAGE_FLAG)

test: lint types contracts security unit unit-postgresql  ## Check everything: style, types, import contracts, tests, docs

lint: $(DEV_READY)  ## Check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@if $(RUST) clippy --version >/dev/null 2>&1 && $(RUST) fmt --version >/dev/null 2>&1; then \
		cd native && $(RUST) fmt --check && $(RUST) clippy --quiet --offline --all-targets -- --deny warnings; \
	else \
		echo "No cargo with clippy and fmt: the style of the part in machine code is not checked"; \
	fi

types: $(DEV_READY)  ## Check types (mypy --strict)
	HAIDANG_DATA=$(CURDIR)/build/types $(BIN)/mypy

contracts: $(DEV_READY)  ## Check that imports go one way
	$(BIN)/lint-imports

security: $(DEV_READY)  ## Check the service for dangerous code and settings (bandit, Django)
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml src/haidang/console src/haidang/ingest
	HAIDANG_DATA=$(CURDIR)/build/check HAIDANG_URL=https://console.example HAIDANG_HOSTS=console.example \
		DJANGO_SETTINGS_MODULE=haidang.console.settings $(BIN)/python -m django check --deploy --fail-level WARNING

audit-dependencies: $(DEV_READY)  ## Ask for known vulnerabilities of the locked dependencies (needs a network)
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement requirements/run.txt
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement requirements/dev.txt

unit: $(DEV_READY) unit-native  ## Run the tests alone
	$(BIN)/pytest $(PYTEST)

unit-native:  ## Run the tests of the part in machine code, where there is a Rust compiler
	@if $(RUST) --version >/dev/null 2>&1; then \
		cd native && $(RUST) test --quiet --offline --release; \
	else \
		echo "No cargo: the tests of the part in machine code did not run"; \
	fi

# What has to do with the database; everything else is the same on any.
ON_POSTGRESQL := tests/console tests/end_to_end/test_serve.py \
	'tests/end_to_end/test_detector_killed.py::test_many_kills_lose_nothing_and_double_nothing[postgresql]'

unit-postgresql: $(DEV_READY)  ## Run what has to do with the database on PostgreSQL, where it is installed
	@if ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null; then \
		$(BIN)/pytest $(PYTEST) -m 'not browser' --postgresql $(ON_POSTGRESQL); \
	else \
		echo "PostgreSQL is not installed: the tests of the console and the service ran on SQLite alone"; \
	fi

docs: $(DEV_READY)  ## Build the documentation into site/
	$(BIN)/python -m docs._generate
	NO_MKDOCS_2_WARNING=true $(BIN)/mkdocs build --strict --quiet
	@echo "Open $(CURDIR)/site/index.html"

screenshots: $(DEV_READY)  ## Take the pictures of the READMEs anew (needs Chromium)
	$(BIN)/python docs/_screenshot.py
	$(BIN)/python docs/_console_screenshots.py

bench: $(DEV_READY)  ## Measure against the floor and the peers that are found
	$(BIN)/python -m benchmarks

lock: $(DEV_READY)  ## Pin the dependencies anew (UPGRADE=--upgrade takes newer versions)
	$(LOCK) $(UPGRADE) --output-file requirements/run.txt pyproject.toml
	$(LOCK) $(UPGRADE) --extra dev --extra docs --constraint requirements/run.txt \
		--output-file requirements/dev.txt pyproject.toml

# Whoever installs the package with pip has no lock: the newest versions that pyproject.toml allows must do.
UNLOCKED := build/unlocked
check-unlocked: $(BIN)/python  ## Install without the lock into a new environment and find something (slow)
	rm -rf $(UNLOCKED)
	$(BIN)/python -m venv $(UNLOCKED)
	$(UNLOCKED)/bin/python -m pip --disable-pip-version-check install --quiet .
	XDG_CACHE_HOME=$(CURDIR)/$(UNLOCKED)/cache $(UNLOCKED)/bin/haidang scan samples/logs \
		--output $(UNLOCKED)/findings.ndjson || [ $$? = 3 ]
	grep -q '"rule"' $(UNLOCKED)/findings.ndjson

clean:  ## Remove .venv and everything that was built
	rm -rf $(VENV) $(OUT) build dist site native/target src/haidang/_native.so .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
				echo "$$python cannot make virtual environments; on Debian or Ubuntu: apt install python3-venv" >&2; \
				exit 1; \
			fi; \
			echo "Creating $(VENV) with $$($$python -V)"; \
			exec $$python -m venv $(VENV); \
		fi; \
	done; \
	echo "Hải Đăng needs Python 3.11 or newer; found: $$(python3 -V 2>/dev/null || echo no python3)." >&2; \
	echo "Install it, or name it: make $(or $(MAKECMDGOALS),run) PYTHON=/path/to/python3.11" >&2; \
	exit 1

$(RUN_READY): $(BIN)/python requirements/run.txt $(PACKAGE) $(NATIVE)
	@echo "Installing the locked dependencies (only the first time)"
	@$(PIP) --require-hashes --requirement requirements/run.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@$(SAY_NATIVE)
	@$(COMPILE)
	@touch $@

# The second list holds the first with the same versions: who has it needs no other.
$(DEV_READY): $(BIN)/python requirements/dev.txt requirements/judges.txt $(PACKAGE) $(NATIVE)
	@echo "Installing the locked dependencies and tools (only the first time)"
	@$(PIP) --require-hashes --requirement requirements/dev.txt
	@$(PIP) --require-hashes --no-deps --requirement requirements/judges.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@$(SAY_NATIVE)
	@$(COMPILE)
	@touch $(RUN_READY) $@
