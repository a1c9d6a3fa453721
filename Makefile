# A thin front: each command is one line, and does its work elsewhere.

RUN := PYTHONPATH=src .venv/bin/python -m
# One more than there are cores, as many tests wait for a build or a browser.
WORKERS = $$(($$(getconf _NPROCESSORS_ONLN) + 1))
PYTEST = $(RUN) pytest --numprocesses $(WORKERS) --maxprocesses 4 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help book test test-quick test-slurm serve pdf bench lint audit chapter pair env clean

help:  ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

book: env  ## Make the book, only what is not up to date (PROFILE=slurm: on a cluster)
	@$(RUN) press build $(if $(PROFILE),--profile "$(PROFILE)")

test: book  ## Make the book and run all tests, but those that need Slurm
	@$(PYTEST) -m "not slurm"

test-quick: env  ## Run the tests that need no book (a minute)
	@$(PYTEST) -m "not book and not browser and not slow and not slurm"

test-slurm: env  ## Run jobs of the book, and a screen, on a Slurm cluster of this machine alone
	@$(RUN) pytest tests/slurm

serve: env  ## Make the book, show it on http://localhost:8000, and edits as they are saved
	@$(RUN) press serve $(if $(PORT),--port $(PORT))

pdf: book  ## Print the book into _build/book.pdf, with Chromium
	@$(RUN) press pdf

bench: env  ## Measure samplers, builds, growth, other tools (ONLY="peers": that alone); hours
	@$(RUN) benchmarks $(ONLY)

lint: env  ## Check format, style, types, imports and notebook pairs
	@.venv/bin/ruff format --check && .venv/bin/ruff check && .venv/bin/mypy
	@PYTHONPATH=src .venv/bin/lint-imports --no-cache
	@$(RUN) press check

audit: env  ## Say what is out of date or unsafe (offline: ADVISORIES=folder, as osv.dev has them)
	@$(RUN) press audit $(if $(ADVISORIES),--advisories "$(ADVISORIES)")

chapter: env  ## Start a chapter about a model: make chapter ID=m7d TITLE="A model of my own"
	@$(RUN) press new-chapter "$(ID)" "$(TITLE)"

pair: env  ## Bring notebooks/*.ipynb in step with notebooks/*.py
	@$(RUN) press pair

env:  ## Set up the locked environment in .venv
	@sh workflow/setup.sh

clean: env  ## Remove what the rules made; measurements stay
	@$(RUN) press clean
