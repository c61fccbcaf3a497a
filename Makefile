# Every target sets up what it needs into .venv, once, and again only when the requirements change.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONPATH := apps

DATA ?= ../shared/data/home_a.csv.gz
HOME_JSON ?= ../shared/bench/home.json
CASES ?= ../shared/bench

.PHONY: run test lint backtest bench clean

run: $(VENV)/.installed
	$(BIN)/python -m battery_optimizer.simulate.live

# Both, and the tests' closing line last unless lint has something to say.
test: $(VENV)/.installed
	@$(MAKE) --no-print-directory lint; linted=$$?; \
	$(BIN)/python -m pytest --cov --cov-report=term; tested=$$?; \
	[ $$linted = 0 ] || echo 'ruff or mypy found something: see the top' >&2; \
	[ $$linted = 0 ] && [ $$tested = 0 ]

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

backtest: $(VENV)/.installed
	$(BIN)/python -m battery_optimizer.simulate backtest --data $(DATA) --home $(HOME_JSON) $(ARGS)

bench: $(VENV)/.installed
	$(BIN)/python -m battery_optimizer.simulate bench --cases $(CASES) $(ARGS)

clean:
	rm -rf $(VENV) build .coverage

$(VENV)/.installed: requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13) and "Python 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.12 ...")'
	@echo 'Setting up $(VENV), once; it takes a minute or two'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@
