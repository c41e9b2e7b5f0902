# Everything here works from a clean clone with Python 3.11 or later: each target installs what it needs into .venv.
# PYTHON=python3.12 chooses the interpreter; TORCH=torch the PyTorch to train and test with.

PYTHON ?= python3
TORCH ?= torch==2.13.0
WORKERS ?= 2

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# A change of pyproject.toml changes the names of the stamps, and so installs anew.
KEY := $(shell cksum < pyproject.toml | cut -d ' ' -f 1)
CORE := $(VENV)/installed-core-$(KEY)
DEV := $(VENV)/installed-dev-$(KEY)
DOCS := $(VENV)/installed-docs-$(KEY)
CLUSTERS := $(VENV)/installed-clusters-$(KEY)

.DEFAULT_GOAL := help
.PHONY: help demo install test clusters coverage mutation fuzz lint format bench ship sbom docs examples lock clean

help: ## Show this list.
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

demo: $(CORE) ## Find the emotions of a few texts with the model that ships.
	$(BIN)/affekt predict \
	  "I can't believe you did this for me, thank you so much!!" \
	  "Ugh. The train is late AGAIN and nobody tells us why 😡" \
	  "haha my cat fell off the sofa and pretended nothing happened 😂" \
	  "I miss my grandmother every single day 💔" \
	  "Wait, you mean the exam is today? I haven't even started..." \
	  "The meeting is at three in room 204."

install: $(DEV) ## Install everything that training and testing need.

test: $(DEV) ## Run the tests.
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(BIN)/python -m pytest -n $(WORKERS)

clusters: $(CLUSTERS) ## Run the tests on Ray and Spark (which needs Java); 'make test' skips them where these are missing.
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(BIN)/python -m pytest tests/bulk/test_bulk_ray.py tests/bulk/test_bulk_spark.py

coverage: $(DEV) ## Run the tests and show which lines and branches they reach.
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(BIN)/python -m pytest -n $(WORKERS) --cov --cov-report=term:skip-covered

mutation: $(DEV) ## Change the code in small ways and see whether the tests notice (an hour).
	$(PIP) install -q "cosmic-ray>=8.4"
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(BIN)/python scripts/mutation.py

fuzz: $(DEV) ## Feed random bytes to the table readers and the cleaning (minutes).
	$(PIP) install -q "atheris>=2.3"
	$(BIN)/python scripts/fuzz.py tables -max_total_time=180
	$(BIN)/python scripts/fuzz.py cleaning -max_total_time=180

lint: $(DEV) ## Check style, types and import rules.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV) ## Put the code into the house's form.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(CORE) ## Measure what this machine does.
	$(BIN)/python benchmarks/cleaning.py
	$(BIN)/affekt bench

ship: $(DEV) ## Train the model that ships; needs a GPU, and DATA, ENCODERS and WORK (docs/reproduce.md).
	$(BIN)/python experiments/work.py --data "$(DATA)" --encoders "$(ENCODERS)" --work "$(WORK)" teachers students thin
	$(BIN)/python experiments/ship.py --data "$(DATA)" --encoders "$(ENCODERS)" --work "$(WORK)" \
	  --install src/affekt/models/goemotions-minilm

sbom: $(CORE) ## Write what a core install ships and depends on, as CycloneDX, into dist/sbom.json.
	$(BIN)/python scripts/sbom.py dist/sbom.json

docs: $(DOCS) ## Build the documentation into site/.
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

examples: $(DEV) ## Run the pages' examples and write what they print now.
	PYTHONPATH=tests $(BIN)/python tests/docs/refresh.py

lock: $(BIN)/python ## Write the versions that development uses into requirements-dev.txt.
	$(PIP) install -q uv
	echo "$(TORCH)" > $(VENV)/torch.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --extra dev --extra docs --constraint $(VENV)/torch.txt --no-annotate \
	  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -o requirements-dev.txt pyproject.toml

clean: ## Remove what was built, but not .venv.
	rm -rf build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("affekt needs Python 3.11 or later; try: make PYTHON=python3.12 ..." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(CORE): | $(BIN)/python
	$(PIP) install -q -e .
	@touch $@

$(DEV): | $(BIN)/python
	$(PIP) install -q "$(TORCH)"
	$(PIP) install -q -e ".[dev]"
	@touch $@ $(CORE)

$(CLUSTERS): $(DEV)
	$(PIP) install -q -e ".[ray,spark]"
	@touch $@

$(DOCS): | $(BIN)/python
	$(PIP) install -q -e ".[docs]"
	@touch $@ $(CORE)
