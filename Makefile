# `make run` from a fresh clone starts the whole app; `make test` and `make check` judge it.
# Everything uses .venv, whichever environment is active; uv and Node come from wheels.

export ASTRO_TELEMETRY_DISABLED := 1
export ASTRO_DISABLE_UPDATE_CHECK := true
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

BIN := .venv/bin
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix frontend --no-fund --no-audit
PYTHON_CODE := agent api bench ingestion scripts talker tests
FRONTEND := $(shell find frontend -name node_modules -prune -o -name dist -prune -o -name .astro -prune \
	-o -type f -print 2>/dev/null)

.PHONY: run test check containers bench bench-long lock format types

run: .venv/.local frontend/dist/index.html
	exec $(BIN)/serve

test: .venv/.dev frontend/dist/index.html
	scripts/test.sh

check: .venv/.dev frontend/node_modules/.installed
	$(BIN)/ruff format --check $(PYTHON_CODE)
	$(BIN)/ruff check $(PYTHON_CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m api.openapi --check frontend/openapi.json
	$(NPM) run check

# Needs a Docker engine; as root on Debian it starts one of its own.
containers: .venv/.dev frontend/dist/index.html
	$(BIN)/python -m tests.containers

bench: .venv/.dev frontend/dist/index.html
	$(BIN)/python -m bench

# COUNT=100 makes every load that small, DURATION=60 what takes a time that short (in seconds),
# SECTIONS="killed three" runs these alone.
bench-long: .venv/.dev
	$(BIN)/python -m bench --long $(if $(COUNT),--count $(COUNT)) $(if $(DURATION),--seconds $(DURATION)) $(SECTIONS)

format: .venv/.dev
	$(BIN)/ruff format $(PYTHON_CODE)
	$(BIN)/ruff check --fix $(PYTHON_CODE)

types: .venv/.dev frontend/node_modules/.installed
	$(BIN)/python -m api.openapi frontend/openapi.json
	$(NPM) run types

lock: .venv/.dev
	scripts/lock.sh

.venv/.local: requirements-local.lock pyproject.toml
	scripts/install.sh requirements-local.lock
	touch $@

.venv/.dev: requirements-dev.lock pyproject.toml
	scripts/install.sh requirements-dev.lock
	touch $@ .venv/.local

frontend/node_modules/.installed: frontend/package-lock.json | .venv/.local
	$(NPM) ci --ignore-scripts
	touch $@

frontend/dist/index.html: frontend/node_modules/.installed $(filter-out %/package-lock.json,$(FRONTEND))
	$(NPM) run build
	touch $@
