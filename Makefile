# The two that a new user needs are `make report` and `make test`.

PYTHON ?= python3
# auto: Quarto where it is on PATH; builtin: the renderer without it.
RENDERER ?= auto
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: report test experiments reproduce preview check lint clean help

help:           ## show these lines
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

report: $(VENV)/.render   ## render the report from the committed results (RENDERER=builtin: without Quarto)
	@$(BIN)/python -m reporting.render --renderer $(RENDERER)

# Each worker takes whole files, whose tests share what is slow to make, and one thread.
test: $(VENV)/.complete   ## run the test suite
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile

experiments: $(VENV)/.complete   ## compute the results that are stale or missing
	@$(BIN)/python -m experiments run

reproduce: $(VENV)/.complete   ## compute every result again and compare
	$(BIN)/python -m experiments reproduce

preview: $(VENV)/.render   ## render, then serve the site on this machine
	@if [ "$(RENDERER)" != builtin ] && command -v quarto >/dev/null; then \
		$(BIN)/python reporting/prepare.py && QUARTO_PYTHON=$(BIN)/python quarto preview; \
	else \
		$(BIN)/python -m reporting.render --renderer builtin --preview && $(BIN)/python -m http.server --bind 127.0.0.1 --directory _site 8000; \
	fi

lint: $(VENV)/.complete   ## check style and types, and that nobody typed a number into the report
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/python -m reporting.digits

check: $(VENV)/.render   ## check that every number on the pages is what the results say
	@$(BIN)/python -m reporting.check

clean:          ## delete what can be made again; results, downloads and the environment stay
	rm -rf _site _figures .pytest_cache .ruff_cache .hypothesis
	find .cache -mindepth 1 -maxdepth 1 ! -name downloads -exec rm -rf {} + 2>/dev/null || true

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.render: requirements-render.txt | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-render.txt
	@touch $@

$(VENV)/.complete: requirements.txt $(VENV)/.render
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m experiments.torchvision_shim
	@touch $@
