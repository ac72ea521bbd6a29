# `make check` is what CI runs; every target works from a checkout with the `test` extra installed.
PYTHON ?= python

.PHONY: check lint format imports test

check: lint imports test

lint:
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .

format:
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

# The linter has to see one package: links put builders/ and cards/ where an installation has them.
imports:
	rm -rf build/imports && mkdir -p build/imports/dataset_dm
	ln -s "$(CURDIR)"/dataset_dm/* "$(CURDIR)/builders" "$(CURDIR)/cards" build/imports/dataset_dm/
	cd build/imports && lint-imports --config "$(CURDIR)/.importlinter"

test:
	$(PYTHON) -m pytest -n 2
