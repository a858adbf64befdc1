# The two that a new user needs are `make report` and `make test`.

PYTHON ?= python3
# auto: Quarto where it is on PATH; builtin: the renderer without it.
RENDERER ?= auto
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/pip install --quiet --disable-pip-version-check

# Exact versions. UNLOCKED=1, with a new .venv: the newest that the ranges in the requirements allow.
RENDER_FROM   := $(if $(UNLOCKED),-r requirements-render.txt,--require-hashes -r requirements-render.lock)
COMPLETE_FROM := -r requirements.txt $(if $(UNLOCKED),,-c constraints.txt)

.PHONY: report test torture bench experiments reproduce preview check submission lint lock audit clean help

help:           ## show these lines
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

report: $(VENV)/.render   ## render the report from the committed results (RENDERER=builtin: without Quarto)
	@$(BIN)/python -m reporting.render --renderer $(RENDERER)

# Each worker takes whole files, whose tests share what is slow to make, and one thread.
test: $(VENV)/.complete   ## run the test suite
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile

torture: $(VENV)/.complete   ## inject faults, try odd inputs, and count what is lost or wrong (PLANT=1: three planted)
	$(BIN)/python -m tests.torture $(if $(PLANT),--plant)

bench: $(VENV)/.complete   ## measure the rows of docs/speed.md that have no figure yet
	$(BIN)/python -m benchmarks

experiments: $(VENV)/.complete   ## compute the results that are stale or missing
	@$(BIN)/python -m experiments run

reproduce: $(VENV)/.complete   ## compute every result again and compare
	$(BIN)/python -m experiments reproduce

preview: $(VENV)/.render   ## show the pages in a browser, and again on every change; computes nothing
	@if [ "$(RENDERER)" != builtin ] && command -v quarto >/dev/null; then \
		$(BIN)/python reporting/prepare.py && QUARTO_PYTHON=$(BIN)/python quarto preview; \
	else \
		$(BIN)/python -m reporting.preview; \
	fi

lint: $(VENV)/.complete   ## check style and types, and that nobody typed a number into the report
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/python -m reporting.digits

check: $(VENV)/.render   ## check that every number on the pages is what the results say
	@$(BIN)/python -m reporting.check

submission: $(VENV)/.render   ## write one zip to hand in: pages, sources, results, locks, and a manifest
	@$(BIN)/python -m reporting.submission

# The render environment takes its versions from the complete one, so that the two never disagree. uv resolves
# for every machine and Python at once, as pip does not; it is needed for nothing else.
COMPILE = .cache/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url \
	--no-sources --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

lock:           ## write the exact versions again after a change of the requirements (UPGRADE=1: the newest)
	@test -x .cache/uv/bin/uv || { $(PYTHON) -m venv .cache/uv && .cache/uv/bin/pip install --quiet --disable-pip-version-check "uv>=0.9,<1"; }
	$(COMPILE) --output-file constraints.txt requirements.txt
	$(COMPILE) --generate-hashes --constraints constraints.txt --output-file requirements-render.lock requirements-render.txt

# Where PyPI does not know a package, pip-audit alone would count it as sound: --strict.
AUDIT = .cache/pip-audit/bin/pip-audit --strict --disable-pip --progress-spinner off

audit:          ## look for known vulnerabilities in the exact versions; asks PyPI
	@test -x .cache/pip-audit/bin/pip-audit || { $(PYTHON) -m venv .cache/pip-audit && .cache/pip-audit/bin/pip install --quiet --disable-pip-version-check "pip-audit>=2.9,<3"; }
	@said=$$($(AUDIT) --requirement requirements-render.lock 2>&1 && $(AUDIT) --no-deps --requirement constraints.txt 2>&1); code=$$?; \
	case "$$code $$said" in \
		0*) echo "No known vulnerability in constraints.txt and requirements-render.lock." ;; \
		*"Found "[0-9]*" known vulnerabilit"*) echo "$$said"; exit 1 ;; \
		*) echo "The list of known vulnerabilities cannot be reached from here, so nothing was audited: try where pypi.org answers." >&2; exit 2 ;; \
	esac

clean:          ## delete what can be made again; results, downloads and the environment stay
	rm -rf _site _figures .pytest_cache .ruff_cache .hypothesis
	find .cache -mindepth 1 -maxdepth 1 ! -name downloads -exec rm -rf {} + 2>/dev/null || true

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.render: requirements-render.txt requirements-render.lock | $(BIN)/python
	$(PIP) $(RENDER_FROM)
	@touch $@

$(VENV)/.complete: requirements.txt constraints.txt $(VENV)/.render
	$(PIP) $(COMPLETE_FROM)
	@$(BIN)/python -m experiments.models.torchvision_shim
	@touch $@
