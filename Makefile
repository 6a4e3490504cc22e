# Every target first sets up .venv (seconds when nothing has changed). `make help` lists them.

PYTHON ?= python3
JOBS ?= 2
OPS ?=
BIN := .venv/bin
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS)

.DEFAULT_GOAL := help
.PHONY: help setup test test-slow test-all demo docs lint clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile
	@echo "  PYTHON=python3.11 chooses the interpreter, JOBS=2 the test processes"
	@echo "  OPS=compiled compiles mmcv's operators (needs g++ and minutes, MAX_JOBS=2 limits it)"

setup: ## Make .venv with the tested versions of everything without a compiler (the first time minutes)
	@$(PYTHON) tools/bootstrap --ops '$(OPS)'

test: setup ## Run the test suite, without the tests marked slow
	$(PYTEST) -m 'not slow'

test-slow: setup ## Run the tests marked slow: every config is trained, processes are killed (about half an hour)
	$(PYTEST) -m slow

test-all: setup ## Run the whole test suite, with many more inputs for each property
	$(PYTEST) --hypothesis-profile=thorough

demo: setup ## Train, score and draw a small forecaster on data made here
	$(BIN)/python tools/demo.py

docs: setup ## Build the pages of docs/ into site/ (Python 3.11 or newer)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

lint: setup ## Check style, likely bugs and formatting with ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clean: ## Remove .venv and what builds and tests leave (the compiled mmcv in ~/.cache/mmforecast stays)
	rm -rf .venv build dist site *.egg-info mmforecast/.mim .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
