# gradd: set-up, run, tests, checks. `make help` lists the targets.
# Needs make, bash and a Python from 3.11 on; everything else goes into $(VENV).

SHELL := /bin/bash
.DEFAULT_GOAL := help

# The tools of the environment come first, for the scripts that are started here too.
VENV ?= .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

# More arguments for the server: make run RUN_ARGS='--port 9000'
RUN_ARGS ?=
# More arguments for pytest: make test PYTEST_ARGS='-k dense -x'
PYTEST_ARGS ?=
# make lock UV_ARGS=--upgrade takes newer versions; without it the present pins are kept.
UV_ARGS ?=

# A processor each; one that has nothing left to do takes over from the others.
PYTEST := python -m pytest -n auto --dist worksteal

PIP := $(VENV)/bin/python -m pip --disable-pip-version-check
# Prints a numbered line for each package that pip finds, and where pip unpacks them all at once.
define SHOW_PACKAGES
/^(Collecting|Processing|Ignoring|Requirement already satisfied:) / {
  name = /^Requirement/ ? $$4 : $$2; sub(/.*\//, "", name); sub(/([\[=:;~<>]|-[0-9]).*/, "", name)
  if (!seen[name]++) { printf "  %d/%d %s\n", ++count, total, name; fflush() }
}
/^Installing collected packages:/ { print "  unpacking them"; fflush() }
endef
export SHOW_PACKAGES
# $(call INSTALL,LOCKS) installs what the locks name, and shows the progress.
INSTALL = set -o pipefail; \
  total=$$(cat $(1) | grep -c '^[a-z0-9]'); \
  echo "step 2 of 3: installing $$total packages from $(1) into $(VENV)"; \
  $(PIP) install --require-hashes $(addprefix -r ,$(1)) | awk -v total="$$total" "$$SHOW_PACKAGES"
# The project itself, in place: its console script and metadata, with the locked build tools.
INSTALL_PROJECT = echo "step 3 of 3: installing gradd itself"; \
  $(PIP) --quiet install --no-deps --no-build-isolation --editable .

# One resolution for Python 3.11 and later on every platform. The development lock comes first, and
# the others take their versions from it, so that what is tested is what is served.
LOCK = uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
  --generate-hashes --no-emit-index-url --no-emit-find-links \
  --custom-compile-command 'make lock' $(UV_ARGS)

# A stamp says that $(VENV) holds what a lock names; it is older than the lock when that changes.
DEV_STAMP := $(VENV)/.stamp-dev
# The development environment holds everything `make run` needs: use it where there is one.
RUN_STAMP := $(if $(wildcard $(DEV_STAMP)),$(DEV_STAMP),$(VENV)/.stamp-run)

$(VENV)/bin/python:
	@python=; \
	for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	  if command -v $$name >/dev/null && $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))'; \
	  then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "gradd needs Python 3.11 or newer; python3 here is: $$(python3 --version 2>&1 || true)." >&2; \
	  echo "Install one (python3.11 to python3.14 are found by name), then run make again." >&2; \
	  exit 1; \
	fi; \
	echo "step 1 of 3: creating $(VENV) with $$($$python --version)"; \
	$$python -m venv $(VENV)

$(VENV)/.stamp-run: requirements.lock requirements-build.lock pyproject.toml | $(VENV)/bin/python
	@$(call INSTALL,requirements.lock requirements-build.lock)
	@$(INSTALL_PROJECT)
	@touch $@

$(DEV_STAMP): requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	@$(call INSTALL,requirements-dev.lock)
	@$(INSTALL_PROJECT)
	@touch $@

# The documentation's generator has an environment of its own: it shares no version with the project.
DOCS_VENV := .venv-docs
DOCS_STAMP := $(DOCS_VENV)/.stamp
$(DOCS_STAMP): requirements-docs.lock | $(VENV)/bin/python
	@echo "installing requirements-docs.lock into $(DOCS_VENV)"
	@$(VENV)/bin/python -m venv $(DOCS_VENV)
	@$(DOCS_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements-docs.lock
	@touch $@

# Serve on http://127.0.0.1:8000 (needs the runtime lock alone)
.PHONY: run
run: $(RUN_STAMP)
	@exec gradd serve $(RUN_ARGS)

# Set up the development environment without running anything
.PHONY: dev
dev: $(DEV_STAMP)

# Run all tests on all processors (about ten minutes on two)
.PHONY: test
test: $(DEV_STAMP)
	@$(PYTEST) -m "not long" $(PYTEST_ARGS)

# Run the tests that are quick (under a minute on two processors)
.PHONY: test-fast
test-fast: $(DEV_STAMP)
	@$(PYTEST) -m "not slow and not long" $(PYTEST_ARGS)

# Run all tests and show which lines none of them reaches
.PHONY: coverage
coverage: $(DEV_STAMP)
	@$(PYTEST) --cov --cov-report=term-missing:skip-covered $(PYTEST_ARGS)

# Everything a change must pass: format, lint, types, imports, schema, tests
.PHONY: check
check: lint types imports schema test

# Check format and lint
.PHONY: lint
lint: $(DEV_STAMP)
	@ruff format --check
	@ruff check

# Check the types
.PHONY: types
types: $(DEV_STAMP)
	@mypy

# Check who imports whom
.PHONY: imports
imports: $(DEV_STAMP)
	@lint-imports --no-logo

# Check that openapi/openapi.json is what the code says
.PHONY: schema
schema: $(DEV_STAMP)
	@python -m app.openapi --check

# Format the code and mend what the linter can
.PHONY: format
format: $(DEV_STAMP)
	@ruff format
	@ruff check --fix

# Run every benchmark: the modules of bench/ with no leading underscore
.PHONY: bench
bench: $(DEV_STAMP)
	@for file in bench/[!_]*.py; do \
	  name=$${file#bench/}; name=$${name%.py}; \
	  echo "== bench.$$name"; \
	  python -m "bench.$$name" || exit 1; \
	done

# Prove by endurance what docs/operations/promises.md says: kills, broken connections, full disks, an hour of load, damaged files
.PHONY: soak
soak: $(DEV_STAMP)
	@$(PYTEST) -m long
	@python -W ignore -m tests.app.models.onnx_files.differential 20000
	@python -W ignore -m tests.app.models.mutations 1000 3000
	@python -W ignore -m tests.app.http.generated 100000
	@python -m tests.soak.kills 1000
	@python -m tests.soak.restarts 300
	@python -m tests.soak.full_disk 100
	@python -m tests.soak.load 60

# Write the tables of docs/checker.md: every known mistake, found or not
.PHONY: checker-table
checker-table: $(DEV_STAMP)
	@python -m tests.core.checking.write_table

# Write docs/derivations anew
.PHONY: derivations
derivations: $(DEV_STAMP)
	@python -m tests.systems.derivations

# Write docs/reference and the lists of README.md and docs/formats.md from the code
.PHONY: reference
reference: $(DEV_STAMP)
	@python -m tests.docs.reference

# Draw docs/images from real answers (about two minutes: it trains a job twice)
.PHONY: pictures
pictures: $(DEV_STAMP)
	@python -m tests.docs.pictures

# Build the documentation into site/
.PHONY: docs
docs: $(DOCS_STAMP)
	@NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/mkdocs build --strict --quiet
	@echo "open site/index.html"

# Show the service at work on handwritten digits (needs the runtime lock alone)
.PHONY: demo
demo: $(RUN_STAMP)
	@python -m examples.demo

# Write openapi/openapi.json
.PHONY: openapi
openapi: $(DEV_STAMP)
	@python -m app.openapi --write

# Generate the clients from openapi/openapi.json
.PHONY: clients
clients: $(DEV_STAMP)
	@openapi/generate.sh

# Test the generated clients
.PHONY: test-clients
test-clients: $(DEV_STAMP)
	@openapi/test.sh

# Bring the lock files in line with pyproject.toml (UV_ARGS=--upgrade: newer versions)
.PHONY: lock
lock: $(DEV_STAMP)
	@$(LOCK) pyproject.toml --group dev --output-file requirements-dev.lock
	@$(LOCK) pyproject.toml --constraints requirements-dev.lock --output-file requirements.lock
	@$(LOCK) --group build --constraints requirements-dev.lock --output-file requirements-build.lock
	@$(LOCK) --group docs --output-file requirements-docs.lock

# Write the bill of materials of the service, in the format of CycloneDX: every package of requirements.lock with its hashes
SBOM ?= sbom.cdx.json
.PHONY: sbom
sbom: $(DEV_STAMP)
	@cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible --output-file $(SBOM)
	@echo "written: $(SBOM)"

# Build the image gradd, labelled with the version of pyproject.toml (needs Docker)
.PHONY: image
image:
	@docker build --build-arg VERSION="$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)" --tag gradd .

# Remove the environments, the site and the caches
.PHONY: clean
clean:
	rm -rf $(VENV) $(DOCS_VENV) $(SBOM) site .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# List the targets
.PHONY: help
help:
	@awk '/^# /{text=substr($$0, 3)} /^\.PHONY: /{printf "%-14s%s\n", $$2, text} /^$$/{text=""}' $(firstword $(MAKEFILE_LIST))
