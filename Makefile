# Every target begins with setup, which does nothing where nothing is missing.
SECONDS ?= 60
SEED ?= 7
BIN := .venv/bin

.PHONY: setup demo test check chaos docs dashboards pictures lock env

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
	@$(BIN)/python -m proving.chaos --seconds $(SECONDS) --seed $(SEED)

docs: setup
	$(BIN)/python -m wire.contract docs

dashboards: setup
	@$(BIN)/ecopark dashboards --park examples/song-xanh --day 2026-11-23 --out dashboards/generated

# PREVIEW names a program that draws a dashboard's JSON to PNG; docs/dashboards.md says how it is called.
pictures: setup
	@$(BIN)/python -m proving.demo.pictures "$(or $(PREVIEW),$(error name a program that draws dashboards: make pictures PREVIEW=...))" --out docs/pictures

lock: setup
	$(BIN)/uv pip compile --quiet --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --no-header \
	  --python-version 3.11 --group dev pyproject.toml --output-file requirements.lock
	$(BIN)/uv pip compile --quiet --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --no-header \
	  --python-version 3.11 pyproject.toml --output-file requirements-run.lock

env:
	@deploy/make-env
