# `make check` before every commit; `make test` is what README and CI run.
PYTHON ?= python

.PHONY: check lint types imports fast test lock readme

check: lint types imports fast

lint:
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .

types:
	$(PYTHON) -m basedpyright

imports:
	lint-imports --no-cache

fast:
	$(PYTHON) -m pytest -q -m "not slow and not e2e and not gpu"

test:
	$(PYTHON) -m pytest

lock:
	$(PYTHON) -m piptools compile -q --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-find-links -o requirements.lock requirements.txt

readme:
	$(PYTHON) -m tests.readme_tables
