# `make check` before every commit; `make test` is what README and CI run.
PYTHON ?= python
# A file's tests share what they set up, so a file is one process's; a process takes up to 2.5 GB.
TOGETHER = --numprocesses logical --maxprocesses 4 --dist loadfile
# Nearly a worker's own priority (al_core/worker/__main__.py), so that tests and the workers they wait for share the cores.
PYTEST = nice -n 9 $(PYTHON) -m pytest

.PHONY: check lint types imports fast test lock readme words

check: lint types imports fast

lint:
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .

types:
	$(PYTHON) -m basedpyright

imports:
	lint-imports --no-cache

fast:
	$(PYTEST) -q $(TOGETHER) -m "not slow and not e2e and not gpu"

test:
	$(PYTEST) $(TOGETHER) -m "not alone"
	$(PYTEST) -m alone

lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links requirements.txt -o requirements.lock

readme:
	$(PYTHON) -m tests.readme_tables

words:
	$(PYTHON) -m tests.words
