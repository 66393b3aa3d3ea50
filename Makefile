# The tasks of the project. `make demo` and `make test` need only Python 3.11+, make and git.
PYTHON ?= python3
BIN := .venv/bin
TOWNS := 6
TOGETHER := $(BIN)/python -m tests.side_by_side $(TOWNS)
OURS := activities audit console engine local schemas starter workflows cli.py worker.py
DEMO_FLAGS := $(if $(ONCE),--once,) $(if $(ONLY),--only $(ONLY),)

# Pages are looked at with the Chromium that the system has; `make test` gets it where it may.
HAS_BROWSER := { for each in chromium-headless-shell chromium chromium-browser google-chrome; do command -v $$each; done | grep -q . && \
	fc-list :lang=zh 2>/dev/null | grep -q .; }
APT := apt-get -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20
GET_BROWSER := { $(APT) update && DEBIAN_FRONTEND=noninteractive $(APT) install -y --no-install-recommends chromium-headless-shell fontconfig fonts-wqy-microhei; } >/dev/null

# What Python compiles is kept, also where the caller's environment says otherwise: every process of a town would compile the
# libraries anew, and the sandbox every workflow. Beside the packages, so that the tree stays clean.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/.venv/bytecode

.PHONY: setup browser demo test test-all attack bench chaos cluster format lint types docs lock clean

setup: .venv/.installed

.venv/.installed: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -c 'import sys; sys.exit("Jiceng needs Python 3.11 or newer") if sys.version_info < (3, 11) else None'
	@$(BIN)/python -m uv --version >/dev/null 2>&1 || $(BIN)/python -m pip install --quiet "$$(sed -n 's/^\(uv==[^ ]*\).*/\1/p' requirements.lock)"
	@$(BIN)/uv pip sync --quiet --require-hashes --python $(BIN)/python requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@# Compiled once for all: else each of the processes that begin together would do it.
	@$(BIN)/python -m compileall -qq -j 0 .venv/lib $(OURS) || true
	@touch $@

browser: ## Debian's Chromium and a font for Chinese, where there are none: tests look at pages with them
	@$(HAS_BROWSER) || { $(GET_BROWSER); }

demo: setup ## play the stories in a whole town on this machine
	$(BIN)/jiceng demo $(DEMO_FLAGS)

test: setup lint ## what must be true at every commit; SEED=… samples as another commit does; TOWNS=… where memory is short
	@# Types are read beside the towns, which wait more than they compute. Both in any case: one fault is not to hide the other.
	@$(HAS_BROWSER) || [ "$$(id -u)" != 0 ] || { $(GET_BROWSER); } 2>/dev/null & browser=$$!; \
	nice -n 15 $(BIN)/mypy > .venv/types.txt 2>&1 & types=$$!; \
	wait $$browser || echo "no Chromium to be had here: tests that look at pages are left out"; \
	$(TOGETHER) -m "not long"; tests=$$?; \
	wait $$types; types=$$?; cat .venv/types.txt; \
	exit $$((tests | types))

test-all: setup lint types ## the long forms too
	$(BIN)/pytest

attack: setup ## the laws of trust alone, played against a town as somebody who means harm; a part of `make test`
	$(TOGETHER) tests/laws -m "not long"

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup ## the standard case by every contender, in one run: only the ratios count
	@$(BIN)/uv pip install --quiet --require-hashes --python $(BIN)/python -r bench/requirements.lock
	$(BIN)/python -m bench $(BENCH_FLAGS)

chaos: setup ## disturb a whole town under load by a seeded schedule, let it come to rest, count: FAULTS= SEED= CASES= CROWDS="whistle=20 welfare=5"
	$(BIN)/python -m local.chaos.chaos $(if $(FAULTS),--faults $(FAULTS),) $(if $(SEED),--seed $(SEED),) $(if $(CASES),--cases $(CASES),) \
		$(foreach crowd,$(CROWDS),--crowd $(crowd)) $(if $(SPEED),--speed $(SPEED),)

cluster: setup ## a town in production without containers: Temporal's roles apart, two Postgres, one kill -9 of each, then counted (exit codes: docs/production.md)
	$(BIN)/python -m local.cluster.rehearsal $(if $(SEED),--seed $(SEED),) $(if $(CASES),--cases $(CASES),)

docs: setup ## write the generated parts of docs/ anew
	$(BIN)/jiceng docs

lock: setup ## resolve the dependencies anew; the lock names no index
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --group dev pyproject.toml -o requirements.lock
