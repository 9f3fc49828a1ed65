# Everything one does with this project. `make` alone lists the targets.
#
# Variables: STATE_DIR (where an archive's state lies), BACKEND (embedded, or localstack for Docker), DEPLOY (chalice,
# or cdk: the harness deploys the CDK application), AWS_REGION, SAMPLE=0 (no sample study), EDGE_PORT, EDGE_ORIGIN_PORT,
# EMULATOR_PORT, DATABASE_PORT, STOW_PORT, STOW_PROXY_PORT; STACKS of the CDK application.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
HARNESS := $(BIN)/python -m localstack
CDK = PATH="$(CURDIR)/$(BIN):$$PATH" cdk/node_modules/.bin/cdk
STACKS ?= --all
VARIABLES := FUNCTION_TIMEOUT_SECONDS VISIBILITY_TIMEOUT_SECONDS STATE_DIR BACKEND DEPLOY AWS_REGION SAMPLE EDGE_PORT \
	EDGE_ORIGIN_PORT EMULATOR_PORT DATABASE_PORT STOW_PORT STOW_PROXY_PORT
# Not those that are empty: an empty AWS_REGION is an error to whoever reads it.
$(foreach variable,$(VARIABLES),$(if $($(variable)),$(eval export $(variable))))

.DEFAULT_GOAL := help
.PHONY: help run start urls stop clean check test format synth diff deploy destroy
.PHONY: setup setup-checks setup-tests setup-cdk lint fast-tests

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 12

run: setup ## run the archive in the foreground; Ctrl-C ends it
	@$(HARNESS) run

start: setup ## start the archive in the background, and return when it is ready
	@$(HARNESS) start

urls: $(BIN)/python ## print the addresses of the running archive as JSON
	@$(HARNESS) urls

stop: $(BIN)/python ## end what `make start` started
	@$(HARNESS) stop

clean: $(BIN)/python ## remove the archive's data
	@$(HARNESS) clean

# The two halves run at once; --output-sync prints the output of each in one piece.
check: setup-checks ## format, lint, types, import contracts and the fast tests: under a minute
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint fast-tests

test: setup-tests lint ## all that the project promises
	@$(BIN)/pytest

format: setup-checks ## bring all Python files into shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

synth: setup-cdk ## write the templates of the CDK application to cdk.out
	@$(CDK) synth --quiet

diff: setup-cdk ## compare them with what is deployed; STACKS names some
	@$(CDK) diff $(STACKS)

deploy: setup-cdk ## deploy the CDK application (docs/operations.md); STACKS names some
	@$(CDK) deploy $(STACKS)

destroy: setup-cdk ## remove its stacks; buckets, tables, keys and a snapshot of the index stay
	@$(CDK) destroy $(STACKS)

lint:
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fast-tests:
	@$(BIN)/pytest -q -m "not harness and not database and not infrastructure"

setup:
	@$(PYTHON) localstack/install.py $(if $(filter cdk,$(DEPLOY)),--cdk)

setup-cdk:
	@$(PYTHON) localstack/install.py --cdk

setup-checks:
	@$(PYTHON) localstack/install.py --for checks

setup-tests:
	@$(PYTHON) localstack/install.py --for tests

$(BIN)/python:
	@echo "error: nothing is installed yet; \`make start\` installs what is needed and starts the archive" >&2; exit 1
