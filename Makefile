# GNU make 3.81 and later. Every target installs what it needs first; the first time takes a few minutes.

BIN := $(CURDIR)/.venv/bin
PY := $(BIN)/python
STAMP := .venv/.installed
PRICES := .venv/.installed-prices
# Those that wait for nodes first, so that they do not stand alone at the end.
SUITES := integration fork property differential unit
# Two processes, whatever the machine: the suites start nodes of their own.
JOBS ?= 2
# A file stays in one process: several share a chain, and the demo, among their tests.
PYTEST = $(PY) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

# ape looks for the compiler and for anvil on PATH.
export PATH := $(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup demo tour week backtest stress test mutate lint format bench compile abi lock clean distclean

help:
	@echo "make demo      the worked example: real prices, a real local chain, plots and a report in build/demo"
	@echo "make tour      with an issuer: stock on margin, a hedge, a million of depth from 50,000, a redemption; in build/tour"
	@echo "make week      a long weekend: earnings, a halt, 72 hours shut, a split; a plot and a report in build/week"
	@echo "make backtest  the margin formula on real prices since 1985; tables, plots and a report in build/backtest"
	@echo "make stress    four crashes on chain with 220 accounts and live keepers; plots, a walk and a report in build/stress"
	@echo "make test      every test (or one kind: make $(foreach suite,$(SUITES),test-$(suite)))"
	@echo "make mutate    spoil the margin model in every small way and see whether a test notices"
	@echo "make lint      formatting, lint, types, contract sizes"
	@echo "make format    rewrite Python files in the project's format"
	@echo "make bench     gas of every operation, against the committed snapshot"
	@echo "make compile   compile every contract"
	@echo "make abi       rewrite the committed ABIs in prime_perps/abi"
	@echo "make lock      rewrite requirements.lock from pyproject.toml"
	@echo "make clean     remove build results (make distclean: and the environment)"

setup: $(STAMP)

$(STAMP): scripts/setup.sh pyproject.toml requirements.lock package.json package-lock.json
	@scripts/setup.sh
	@touch $(STAMP)

demo: $(STAMP)
	$(BIN)/ape run demo $(ARGS)

tour: $(STAMP)
	$(BIN)/ape run tour $(ARGS)

week: $(STAMP)
	$(BIN)/ape run week $(ARGS)

backtest: $(STAMP) $(PRICES)
	$(BIN)/ape run backtest $(ARGS)

stress: $(STAMP) $(PRICES)
	$(BIN)/ape run stress $(ARGS)

$(PRICES): requirements-backtest.txt $(STAMP)
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --requirement $< || \
		{ echo "prices: pip could not install $< (see above); is the package index reachable?" >&2; exit 1; }
	@touch $@

# Compiled once before the workers start, so that they do not do it side by side.
test: compile
	$(PYTEST) $(wildcard $(SUITES:%=tests/%)) $(ARGS)

# 100,000 random books against the reference, and twenty times the examples of every property: for a quiet hour.
test-property-deep: compile
	PRIME_PERPS_BOOKS=100000 HYPOTHESIS_PROFILE=deep $(PYTEST) tests/differential tests/property $(ARGS)

test-%: compile
	$(PYTEST) tests/$* $(ARGS)

mutate: compile
	$(PY) -m tests.mutation $(ARGS)

lint: compile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PY) -m prime_perps.lint

format: $(STAMP)
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(STAMP)
	$(PY) -m benchmarks.gas $(ARGS)

compile: $(STAMP)
	$(PY) -c "from prime_perps import compiler; compiler.load_all()"

abi: $(STAMP)
	$(PY) -m prime_perps.abi

lock: $(STAMP)
	scripts/lock.sh

clean:
	rm -rf build .build .pytest_cache .hypothesis .mypy_cache .ruff_cache prime_perps.egg-info

distclean: clean
	rm -rf .venv .tools
