# Every target sets up what it needs into .venv, once, and again only when the requirements change.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONPATH := apps

DATA ?= ../shared/data/home_a.csv.gz
HOME_JSON ?= ../shared/bench/home.json
CASES ?= ../shared/bench

# Home Assistant Core has an environment of its own, and needs Python 3.13.
PYTHON_HA ?= python3.13
VENV_HA := .venv-ha

.PHONY: run test test-ha faults lint backtest bench clean

run: $(VENV)/.installed
	$(BIN)/python -m battery_optimizer.simulate.live

# Both, and the tests' closing line last unless lint has something to say.
# By two processes: tests/conftest.py says what goes together.
test: $(VENV)/.installed
	@$(MAKE) --no-print-directory lint; linted=$$?; \
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term; tested=$$?; \
	[ $$linted = 0 ] || echo 'ruff or mypy found something: see the top' >&2; \
	[ $$linted = 0 ] && [ $$tested = 0 ]

# Stories around a real Home Assistant Core: ARGS='--slow -m slow' for the one that takes a quarter of an hour,
# FOXESS_MODBUS=path for those around a checkout of the real foxess_modbus.
test-ha: $(VENV)/.installed $(VENV_HA)/.installed
	HASS=$(abspath $(VENV_HA)/bin/hass) FOXESS_MODBUS=$(abspath $(FOXESS_MODBUS)) \
	$(BIN)/python -m pytest tests/home_assistant $(ARGS)

# Every fault of docs/faults.md, 200 kills, four weeks' soak; the tables there are written anew.
faults: $(VENV)/.installed
	WRITE_FAULTS=1 $(BIN)/python -m pytest tests/faults --slow $(ARGS)

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

backtest: $(VENV)/.installed
	$(BIN)/python -m battery_optimizer.simulate backtest --data $(DATA) --home $(HOME_JSON) $(ARGS)

bench: $(VENV)/.installed
	$(BIN)/python -m battery_optimizer.simulate bench --cases $(CASES) $(ARGS)

clean:
	rm -rf $(VENV) $(VENV_HA) build .coverage*

$(VENV)/.installed: requirements.txt requirements-compare.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13) and "Python 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.12 ...")'
	@echo 'Setting up $(VENV), once; it takes a minute or two'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

$(VENV_HA)/.installed: requirements-ha.txt
	@command -v $(PYTHON_HA) >/dev/null || { echo 'Home Assistant Core needs Python 3.13: make PYTHON_HA=/path/to/python3.13 test-ha' >&2; exit 1; }
	@$(PYTHON_HA) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13) and "Home Assistant Core needs Python 3.13: make PYTHON_HA=/path/to/python3.13 test-ha")'
	@echo 'Setting up $(VENV_HA), once; it takes ten minutes and 600 MB'
	$(PYTHON_HA) -m venv $(VENV_HA)
	$(VENV_HA)/bin/pip install --quiet --disable-pip-version-check -r requirements-ha.txt
	touch $@
