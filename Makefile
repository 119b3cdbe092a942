# `make demo`, `make test`, `make check` and `make bench` each work alone on a fresh clone: they
# need Python 3.11 or newer and make, and install what they use into .venv; `make test-oldest` and
# `make test-served` have an environment of their own.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTHONS := python3.14 python3.13 python3.12 python3.11 python3 python
OLDEST := .venv-oldest
SECONDS ?= 60
SEED ?= 0

# Processes share what is compiled: the tests start some, each of which imports the package.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-oldest test-served fuzz check format bench docs clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/demo.stamp ## train on real data and write report.html
	$(BIN)/pullback demo

test: $(VENV)/test.stamp ## run the test suite and the examples in the documents
	$(BIN)/python -m pytest -q -n auto

test-oldest: $(OLDEST)/test.stamp ## run it with the oldest supported versions of all libraries
	$(OLDEST)/bin/python -m pytest -q -n auto

test-served: $(OLDEST)/test.stamp ## run the tests of NumPy's and SciPy's functions with these
	$(OLDEST)/bin/python -m pytest -q -n auto tests/scipy \
	    tests/test_coverage.py tests/programs/test_scientific.py

fuzz: $(VENV)/test.stamp ## try random programs and odd arguments, SECONDS=60 of each kind
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS) --seed $(SEED)

check: $(VENV)/check.stamp ## lint, type check, and check the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/python tools/check_imports.py

format: $(VENV)/check.stamp ## format the code, sort the imports
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format .

bench: $(VENV)/bench.stamp ## compare speeds with other libraries, side by side
	$(BIN)/python -m benchmarks
	@mkdir -p build
	$(BIN)/python -m benchmarks native --json build/native.json --plot build/native.png

docs: $(VENV)/docs.stamp ## write the reference to build/docs
	$(BIN)/pdoc --docformat numpy --math --output-directory build/docs pullback

clean: ## remove the environments and everything that was generated
	rm -rf $(VENV) $(OLDEST) build dist report.html .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests tools benchmarks examples -name __pycache__ -prune -exec rm -rf {} +

# The oldest environment takes the oldest Python, too.
$(OLDEST)/created.stamp: PYTHONS := python3.11 python3.12 python3.13 python3 python

$(VENV)/created.stamp $(OLDEST)/created.stamp:
	@for python in $(PYTHON) $(PYTHONS); do \
	    if "$$python" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' \
	        2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "make: pullback needs Python 3.11 or newer with its venv module, and none of these" \
	        "is one: $(PYTHON) $(PYTHONS)." >&2; \
	    echo "make: install one, or name yours: make PYTHON=/path/to/python3 ..." >&2; exit 1; \
	fi; \
	echo "creating $(@D) with $$("$$found" --version)"; \
	"$$found" -m venv $(@D)
	@touch $@

$(VENV)/%.stamp: pyproject.toml | $(VENV)/created.stamp
	@echo "installing pullback[$*] into $(VENV)"
	@$(PIP) install --editable '.[$*]'
	@touch $@

$(OLDEST)/test.stamp: pyproject.toml tools/lower_bounds.py | $(OLDEST)/created.stamp
	@echo "installing pullback[test] and the oldest versions it works with into $(OLDEST)"
	@$(OLDEST)/bin/python tools/lower_bounds.py test > $(OLDEST)/constraints.txt
	@$(OLDEST)/bin/python -m pip --disable-pip-version-check --quiet install \
	    --editable '.[test]' --constraint $(OLDEST)/constraints.txt
	@touch $@
