# Every target begins with setup, which does nothing where nothing is missing.
SECONDS ?= 60
SEED ?= 7
BIN := .venv/bin

.PHONY: setup demo test check chaos peers docs dashboards bundle pictures lock env

setup:
	@deploy/setup

demo: setup
	@exec $(BIN)/ecopark demo

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: check
	$(BIN)/pytest

chaos: setup
	@$(BIN)/ecopark chaos run --seconds $(SECONDS) --seed $(SEED)

# PEERS=FOLDER holds a folder for each server that Debian does not have; docs/servers.md says what is looked for in it.
peers: setup
	@$(BIN)/python -m tests.peers --seconds $(SECONDS) $(if $(PEERS),--folder $(PEERS))

docs: setup
	$(BIN)/python -m wire.contract docs

dashboards: setup
	@$(BIN)/ecopark dashboards --park examples/song-xanh --day 2026-11-23 --out dashboards/generated

# The viewer's program in a browser; needs Node.js 20. What it makes is checked in, so nothing else needs that.
bundle:
	cd dashboards/web && npm ci --ignore-scripts --legacy-peer-deps --no-audit --no-fund && npm run check && npm run build

pictures: setup
	@$(BIN)/ecopark demo pictures

lock: setup
	$(BIN)/uv pip compile --quiet --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --no-header \
	  --python-version 3.11 --group dev pyproject.toml --output-file requirements.lock
	$(BIN)/uv pip compile --quiet --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --no-header \
	  --python-version 3.11 pyproject.toml --output-file requirements-run.lock
	$(BIN)/uv pip compile --quiet --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --no-header \
	  --python-version 3.11 --group build --constraint requirements.lock --output-file requirements-build.lock

env:
	@deploy/make-env
