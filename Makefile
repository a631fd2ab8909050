# Every target first sees to .venv/: it is made when it is missing, and filled again when pyproject.toml or
# constraints.txt change. Needed beforehand: make, Python 3.11 or newer with pip (Debian: python3 python3-pip).
#
# Variables:  LESSON=02   one lesson only            FRESH=1      start that lesson again, the old copy is kept
#             ARGS=...    handed on to the program   PYTHON=...   the Python that .venv/ is made with
#             TORCH_INDEX=URL   another package index for PyTorch, for instance the one for CPUs only

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PIP    := $(BIN)/python -m pip --disable-pip-version-check
# A process for each core, up to four, with one thread each. A notebook, or a file of tests, stays with one process.
TEST   := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
CHOSEN := $(if $(LESSON),--lesson $(LESSON))

.DEFAULT_GOAL := help
.PHONY: help setup lab test test-long test-latest lint coverage notebooks check-outputs weights systems teaching site demo bench doctor clean
# Nobody is helped by a stamp that outlives a broken set-up.
.DELETE_ON_ERROR:

help:           ## this list
	@echo 'Usage: make TARGET [LESSON=02] [FRESH=1] [ARGS=...]'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

lab: $(READY)   ## open your copy of the lessons, in work/, in JupyterLab
	@$(BIN)/python -m colorize.start $(CHOSEN) $(if $(filter-out 0 no,$(FRESH)),--fresh) $(ARGS)

test: $(READY)  ## run the tests
	TQDM_DISABLE=1 $(TEST) $(ARGS)

test-long: $(READY)  ## run the tests, the long ones too
	TQDM_DISABLE=1 $(TEST) -m "long or not long" --record data/results/test_long.json $(ARGS)

# What asks whether the pins suit the oldest Python has nothing to ask of newer packages.
test-latest:    ## run the tests with the newest packages, PyTorch alone as pinned, in an environment of its own
	@$(MAKE) --no-print-directory VENV=build/latest setup
	build/latest/bin/python -m pip --disable-pip-version-check install --quiet --upgrade --upgrade-strategy eager \
	  --editable '.[dev]' "$$(grep '^torch==' constraints.txt)"
	build/latest/bin/python -m pip --disable-pip-version-check freeze --exclude-editable > build/latest/versions.txt
	@grep -vxiFf constraints.txt build/latest/versions.txt || true
	TQDM_DISABLE=1 $(subst $(BIN),build/latest/bin,$(TEST)) $(ARGS) \
	  --deselect tests/test_environment.py::test_pins_install_on_the_oldest_python

notebooks: $(READY)  ## build notebooks/ and solutions/*.ipynb from solutions/*.py
	TQDM_DISABLE=1 $(BIN)/python -m colorize.build $(LESSON) $(ARGS)

check-outputs: $(READY)  ## run the solutions again and compare with the stored outputs
	TQDM_DISABLE=1 $(BIN)/python -m colorize.compare $(LESSON) $(ARGS)

weights: $(READY)  ## train the shipped networks again: PHOTOS=folder, NAME=one of them
	@[ -n "$(PHOTOS)" ] || { echo 'Name a folder of photos: make weights PHOTOS=folder (data/README.md says which).' >&2; exit 2; }
	@for name in $(or $(NAME),l2 smooth_l1 classification rebalanced l2_tuned first best zhang_small narrow hypercolumns classifier fusion gan); do \
	  case $$name in \
	    classifier) $(BIN)/python -m colorize.make_classifier --photos "$(PHOTOS)/cifar10_train" $(ARGS) ;; \
	    *) $(BIN)/python -m colorize train --recipe $$name --data "$(PHOTOS)" --weights data/weights $(ARGS) ;; \
	  esac || exit 1; done

systems: $(READY)  ## measure all networks on the same photos, for the README's table: PHOTOS=folder
	@[ -n "$(PHOTOS)" ] || { echo 'Name a folder of photos: make systems PHOTOS=folder (data/README.md says which).' >&2; exit 2; }
	OMP_NUM_THREADS=1 $(BIN)/python docs/systems.py "$(PHOTOS)"

teaching: $(READY)  ## write the teacher's pages, docs/teaching/, from the lessons and their checks
	$(BIN)/python -m colorize.teacher $(ARGS)

bench: $(READY)  ## run the benchmarks, on a machine that does nothing else
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m bench $(ARGS)

site: $(READY)  ## the course as a static site, for browsers and phones: build/site/index.html
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[site]'
	$(BIN)/python docs/site/build.py $(ARGS)

demo: $(READY)  ## colorize-your-photo for visitors, at http://localhost:8866
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[demo]'
	$(BIN)/python -m colorize.demo_server $(ARGS)

lint: $(READY)  ## check style and types
	$(BIN)/ruff check lib tests bench solutions docs conftest.py
	$(BIN)/ruff format --check lib tests bench solutions docs conftest.py
	$(BIN)/ruff check solutions/*.ipynb
	$(BIN)/ruff check --config solutions/ruff.toml --extend-ignore F401 notebooks/*.ipynb
	$(BIN)/mypy

coverage: $(READY)  ## run the tests of the library, and say which branches none of them takes
	TQDM_DISABLE=1 $(TEST) --cov --cov-report=term-missing:skip-covered tests $(ARGS)

doctor: $(READY)  ## say what this machine has, and what is missing
	@$(BIN)/python -m colorize.doctor $(ARGS)

setup: $(READY)  ## make .venv/ and install the packages, nothing else

clean:          ## remove .venv/ and the caches; your work/ stays
	@if [ -f "$(VENV)/pyvenv.cfg" ]; then rm -rf "$(VENV)"; fi
	@rm -rf .pytest_cache .ruff_cache .hypothesis
	@for folder in lib tests bench; do \
	  if [ -d $$folder ]; then find $$folder -type d -name __pycache__ -prune -exec rm -rf {} +; fi; done

# The virtual environment. Debian's Python without the package python3-venv cannot put pip into a new environment:
# `python3 -m venv` then fails and leaves a half-made folder. So .venv/ counts only if its pip answers; otherwise it is
# cleared and made again, at last without pip, which Python's own pip then adds from outside.
$(READY): pyproject.toml constraints.txt
	@fail() { echo "$$1" >&2; exit 1; }; \
	old='import sys; sys.exit(sys.version_info < (3, 11))'; \
	if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	  $(PYTHON) -c '' >/dev/null 2>&1 || \
	    fail 'There is no Python called "$(PYTHON)": install Python 3.11 or newer, or name yours with make PYTHON=...'; \
	  $(PYTHON) -c "$$old" || \
	    fail "The course needs Python 3.11 or newer, and $(PYTHON) is `$(PYTHON) --version 2>&1`: name a newer one with make PYTHON=..."; \
	  if [ -d "$(VENV)" ] && [ ! -f "$(VENV)/pyvenv.cfg" ] && [ -n "`ls -A "$(VENV)"`" ]; then \
	    fail 'The folder $(VENV) is not a virtual environment: move it away, then try again.'; fi; \
	  echo 'Making the virtual environment $(VENV) ...'; \
	  $(PYTHON) -m venv --clear "$(VENV)" >/dev/null 2>&1 || { \
	    $(PYTHON) -m venv --clear --without-pip "$(VENV)" && \
	    $(PYTHON) -m pip --disable-pip-version-check --python $(BIN)/python install --quiet pip; } || \
	    fail 'No virtual environment could be made: install python3-venv, or pip 22.3 or newer (see the lines above), then try again.'; \
	fi; \
	$(BIN)/python -c "$$old" || \
	  fail 'The environment $(VENV) was made with a Python older than 3.11: run make clean, then try again.'
# PyTorch's other indexes name their builds 2.13.0+cpu and the like; such a build satisfies the pin torch==2.13.0, but
# pip would take it only from the index it is told to look in. Those indexes lack most other packages, so there torch
# comes alone, and the second command, with the usual index, finds it installed and adds the rest.
ifneq ($(TORCH_INDEX),)
	$(PIP) install --no-deps --constraint constraints.txt --index-url "$(TORCH_INDEX)" torch
endif
	@echo 'Installing the packages (some minutes the first time) ...'
	$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@
