# `make check` is what CI runs; every target works from a checkout with the `test` extra installed.
PYTHON ?= python

.PHONY: check lint format imports test docs tree

check: lint imports test

lint:
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .

format:
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

# Linter and documentation have to see one package: links put builders/ and cards/ where an installation has them.
tree:
	rm -rf build/imports && mkdir -p build/imports/dataset_dm
	ln -s "$(CURDIR)"/dataset_dm/* "$(CURDIR)/builders" "$(CURDIR)/cards" build/imports/dataset_dm/

imports: tree
	cd build/imports && lint-imports --config "$(CURDIR)/.importlinter"

test:
	$(PYTHON) -m pytest -n 2

# The site, into build/site; needs the `docs` extra. A dead link or an undocumented parameter is an error.
docs: tree
	$(PYTHON) -m mkdocs build --strict --config-file docs/mkdocs.yml
