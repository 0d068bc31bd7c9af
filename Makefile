# Everything a checkout needs; each target is enough by itself. requirements/install.sh says what it reads
# from the environment (PYTHON, ACCELERATOR).

.DEFAULT_GOAL := help
.PHONY: help demo test check-gpu install format lock clean

BIN := .venv/bin
DEMO := '+experiment/demo=glob(*)'
UV := uv==0.13.8

# uv does not read pip's settings: torch's CPU build from the folder pip is pointed at, else from PyTorch's index.
TORCH_CPU := $(if $(PIP_FIND_LINKS),$(addprefix --find-links=,$(PIP_FIND_LINKS)),--torch-backend cpu)
COMPILE := pip compile --quiet --python-version 3.11 --python-platform x86_64-manylinux_2_31 --only-binary :all: \
	--no-binary antlr4-python3-runtime --constraints requirements/constraints.txt \
	--custom-compile-command "make lock" --group dev pyproject.toml requirements/also.txt

help:  ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

demo: install  ## set up, then a small sweep on the pocket model, and its table
	@$(BIN)/python -m tts_eval -m $(DEMO)

test: install  ## set up, then lint, types and tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist loadfile

check-gpu: install  ## what this machine's GPUs do, part by part (docs/gpu.md); 8 minutes at most
	$(BIN)/python -m tts_eval.check_gpu

install:  ## .venv with the pinned packages; nothing where it is up to date
	@bash requirements/install.sh

format: install  ## fix what ruff can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock:  ## compile requirements/cpu.txt and cuda.txt again; pins stay while they can
	@set -e; tools=$$(mktemp -d); trap 'rm -rf "$$tools"' EXIT; \
	python3 -m venv "$$tools"; "$$tools/bin/pip" install --quiet --disable-pip-version-check $(UV); \
	"$$tools/bin/uv" $(COMPILE) --extra cpu $(TORCH_CPU) --excludes requirements/leave_out.txt -o requirements/cpu.txt; \
	"$$tools/bin/uv" $(COMPILE) --extra cuda -o requirements/cuda.txt

clean:  ## remove .venv and the tools' caches; outputs/ stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
