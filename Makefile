# Two commands: `make book` and `make test`. Everything they need goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BOOK := _build/html/book/index.html

.DEFAULT_GOAL := help
.PHONY: help book test browser notebooks lab studies benchmarks data format clean

# Small models on few cores: threads that wait for one another cost more than they bring.
test notebooks: export OMP_NUM_THREADS := 1
export OMP_WAIT_POLICY ?= PASSIVE
# Keep freed tensors of a few MB for the next step; giving them back costs more than the step.
export MALLOC_MMAP_THRESHOLD_ ?= 1073741824
export MALLOC_TRIM_THRESHOLD_ ?= 1073741824

help:  ## show this help
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

book: $(VENV)/.book  ## build the book and print the page to open
	$(BIN)/jupyter-book build . -n -W --keep-going
	@echo "open $(CURDIR)/$(BOOK)"

test: $(VENV)/.dev  ## lint, type-check, unit tests, then every notebook
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto --dist worksteal
	$(MAKE) notebooks

notebooks: $(VENV)/.dev  ## run every notebook on the bundled data, compare the receipts
	GENBOOK_DATA=none GENBOOK_DOWNLOAD=0 $(BIN)/pytest -n auto --dist loadfile --nbval-lax -o addopts= -o filterwarnings= -o timeout=0 book

browser: $(VENV)/.dev  ## drive the built book in Chromium (after make book)
	$(BIN)/pytest -n auto tests/browser

lab: $(VENV)/.book  ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab book

data: $(VENV)/.book  ## download MNIST once (11 MB)
	$(BIN)/python -m genbook data

studies: $(VENV)/.book  ## re-run the recorded studies (long)
	$(BIN)/python -m genbook study all

benchmarks: $(VENV)/.book  ## measure speed, side by side
	$(BIN)/python benchmarks/throughput.py
	$(BIN)/python benchmarks/seeds.py
	$(BIN)/python benchmarks/pixel_sampling.py

format: $(VENV)/.dev  ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove what was built; keep .venv
	rm -rf _build

$(VENV)/.python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.torch: requirements.txt $(VENV)/.python
	$(BIN)/pip install --quiet $$(sed -n 's/^\(torch==[^ ]*\).*/\1/p' requirements.txt)
	touch $@

$(VENV)/.book: requirements.txt pyproject.toml $(VENV)/.torch
	$(BIN)/pip install --quiet -r requirements.txt -e .
	touch $@

$(VENV)/.dev: $(VENV)/.book
	$(BIN)/pip install --quiet -e '.[dev]'
	touch $@
