# Two commands: `make book` and `make test`. Everything they need goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BOOK := _build/html/book/index.html
PINS := _build/pins
FAST := tests/kit tests/games tests/lstm genbook/kit genbook/games

.DEFAULT_GOAL := help
.PHONY: help book pdf test units search browser notebooks portable pins seeds lab live twice elsewhere studies benchmarks data format clean

# Small models on few cores: threads that wait for one another cost more than they bring.
test units search notebooks pins seeds live twice elsewhere: export OMP_NUM_THREADS := 1
export OMP_WAIT_POLICY ?= PASSIVE
# Keep freed tensors of a few MB for the next step; giving them back costs more than the step.
export MALLOC_MMAP_THRESHOLD_ ?= 1073741824
export MALLOC_TRIM_THRESHOLD_ ?= 1073741824

help:  ## show this help
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

book: $(VENV)/.book  ## build the book and print the page to open
	@$(BIN)/python -m genbook data --before-build
	$(BIN)/jupyter-book build . -n -W --keep-going
	@echo "open $(CURDIR)/$(BOOK)"

test: $(VENV)/.dev  ## lint, type-check, unit tests, then every notebook
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) units
	$(MAKE) notebooks

units: $(VENV)/.dev  ## the unit tests alone
	$(BIN)/pytest -n auto --dist worksteal

search: $(VENV)/.dev  ## the tests that draw their examples, on other examples each time
	$(BIN)/pytest -n auto --dist worksteal -m hypothesis --hypothesis-profile=default

notebooks: $(VENV)/.dev  ## run every notebook on the bundled data, compare the receipts
	GENBOOK_DATA=none GENBOOK_DOWNLOAD=0 $(BIN)/pytest -n auto --dist loadfile --nbval-lax -o addopts= -o filterwarnings= -o timeout=0 book

pdf: $(VENV)/.dev  ## print the built book into one PDF; SOLUTIONS=1 prints the solutions, too
	$(BIN)/python -m genbook pdf $(if $(SOLUTIONS),--solutions)

browser: $(VENV)/.dev  ## drive the built book in Chromium (after make book)
	$(BIN)/pytest -n auto tests/browser --ignore=tests/browser/jupyter

live: $(VENV)/.dev  ## run every notebook in JupyterLab, move every slider (minutes; LIVE="-k index" for one)
	$(BIN)/pytest tests/browser/jupyter $(LIVE)

twice: $(VENV)/.dev  ## run every cell of every notebook twice in a row, compare (minutes)
	$(BIN)/pytest -n auto tests/long/test_twice.py

elsewhere: $(VENV)/.dev  ## run every notebook, cut short, on a stand-in for a GPU (minutes)
	$(BIN)/pytest -n auto tests/long/test_elsewhere.py

portable: $(VENV)/.dev  ## unit tests and notebooks as three kinds of CPU compute, 1 and 2 threads (long)
	@set -e; for cpu in default avx2 own; do for threads in 1 2; do \
		echo "ATEN_CPU_CAPABILITY=$$cpu, $$threads thread(s)"; \
		if [ $$cpu = own ]; then unset ATEN_CPU_CAPABILITY; else export ATEN_CPU_CAPABILITY=$$cpu; fi; \
		$(MAKE) --keep-going units notebooks OMP_NUM_THREADS=$$threads; \
	done; done

pins:  ## the fast tests with the oldest and the newest packages allowed, each in its own .venv (long)
	@set -e; mkdir -p $(PINS); : > $(PINS)/newest.txt; \
	sed -nE 's/^ *"?([A-Za-z0-9_.-]+)>=([^,]+),.*/\1==\2/p' requirements.txt pyproject.toml > $(PINS)/oldest.txt; \
	for end in oldest newest; do \
		echo "the $$end packages allowed"; \
		$(PYTHON) -m venv --clear $(PINS)/$$end; \
		$(PINS)/$$end/bin/pip install --quiet $$(sed -n 's/^\(torch==[^ ]*\).*/\1/p' requirements.txt); \
		$(PINS)/$$end/bin/pip install --quiet -c $(PINS)/$$end.txt -e '.[dev]'; \
		GENBOOK_DATA=none GENBOOK_DOWNLOAD=0 \
			$(PINS)/$$end/bin/pytest -n auto -o filterwarnings= $(FAST); \
	done

seeds: $(VENV)/.dev  ## all receipts under 20 other seeds, as a table (long; goes on where it stopped)
	$(BIN)/python benchmarks/receipts_under_seeds.py run
	$(BIN)/python benchmarks/receipts_under_seeds.py table > benchmarks/receipts_under_seeds.md

lab: $(VENV)/.book  ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab book

data: $(VENV)/.book  ## download MNIST once (11 MB)
	$(BIN)/python -m genbook data

studies: $(VENV)/.book  ## re-run the recorded studies (long)
	$(BIN)/python -m genbook study all

benchmarks: $(VENV)/.book  ## measure speed, side by side
	@status=0; for name in throughput seeds pixel_sampling; do \
		echo "$(BIN)/python benchmarks/$$name.py"; \
		$(BIN)/python benchmarks/$$name.py || status=1; \
	done; exit $$status

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
