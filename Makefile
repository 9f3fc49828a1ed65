# All commands of this project. `make` alone lists them.
#
# Variables of an archive on this machine (`make start STATE_DIR=... DEPLOY=cdk`):
#   STATE_DIR    directory of its state; each has an archive of its own
#   BACKEND      embedded (default), or localstack: LocalStack, MySQL and the STOW service in Docker
#   DEPLOY       chalice (default), or cdk: the stacks of the CDK application are deployed to the emulator
#   SAMPLE=0     store no sample study
#   AWS_REGION, EDGE_PORT, EDGE_ORIGIN_PORT, EMULATOR_PORT, DATABASE_PORT, STOW_PORT, STOW_PROXY_PORT
#   FUNCTION_TIMEOUT_SECONDS, VISIBILITY_TIMEOUT_SECONDS
# Variable of the CDK application: STACKS, the stacks that diff, deploy and destroy act on (default: --all).

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
HARNESS := $(BIN)/python -m localstack
CDK = PATH="$(CURDIR)/$(BIN):$$PATH" cdk/node_modules/.bin/cdk
STACKS ?= --all
CORE_TESTS := tests/unit/dicomweb tests/unit/services
VARIABLES := FUNCTION_TIMEOUT_SECONDS VISIBILITY_TIMEOUT_SECONDS STATE_DIR BACKEND DEPLOY AWS_REGION SAMPLE EDGE_PORT \
	EDGE_ORIGIN_PORT EMULATOR_PORT DATABASE_PORT STOW_PORT STOW_PROXY_PORT
# Only those that are set: boto3 and the CDK take an empty AWS_REGION for an error.
$(foreach variable,$(VARIABLES),$(if $($(variable)),$(eval export $(variable))))

.DEFAULT_GOAL := help
.PHONY: help run start urls stop clean check test format synth diff deploy destroy
.PHONY: docs readme
.PHONY: setup setup-checks setup-tests setup-cdk lint fast-tests core-tests

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 12

run: setup ## run the archive in the foreground until Ctrl-C
	@$(HARNESS) run

start: setup ## start the archive in the background and wait until it is ready
	@$(HARNESS) start

urls: $(BIN)/python ## print the addresses of the running archive as JSON
	@$(HARNESS) urls

stop: $(BIN)/python ## stop the archive; its data stay
	@$(HARNESS) stop

clean: $(BIN)/python ## stop the archive and remove its data, ports and logs
	@$(HARNESS) clean

# Two jobs run in parallel, the longest first; --output-sync keeps the output of each together.
check: setup-checks ## format, lint, types, import contracts, the fast tests and their coverage: about a minute
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target fast-tests lint core-tests

test: setup-tests lint ## lint and all tests, with databases, an emulator, a browser and the whole archive
	@$(BIN)/pytest

format: setup-checks ## format all Python files, and fix the lint that can be fixed
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: setup-checks ## build the documents as a site, in site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

readme: setup-checks ## write the README's tables of settings
	@$(BIN)/python -m docs.settings_table README.md

synth: setup-cdk ## write the templates of the CDK application to cdk.out
	@$(CDK) synth --quiet

diff: setup-cdk ## compare the templates with the deployed stacks (STACKS=... for some)
	@$(CDK) diff $(STACKS)

deploy: setup-cdk ## deploy the CDK application to AWS, see docs/operations.md (STACKS=... for some)
	@$(CDK) deploy $(STACKS)

destroy: setup-cdk ## remove its stacks; buckets, tables, keys and a snapshot of the index stay
	@$(CDK) destroy $(STACKS)

lint:
	@echo "Format, lint, types, import contracts:"
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

# The fast tests are run in two parts: measuring branches slows Python down, so only the tests that must take every
# branch are measured (pyproject.toml has the limit).
fast-tests:
	@echo "Tests that start no service (\`make test\` runs the others, too):"
	@$(BIN)/pytest -q --numprocesses=2 --dist=loadfile \
		-m "not harness and not database and not infrastructure" $(CORE_TESTS:%=--ignore=%)

core-tests:
	@echo "Unit tests of dicomweb and services, which must take every branch:"
	@$(BIN)/coverage run -m pytest -q $(CORE_TESTS)
	@$(BIN)/coverage report

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
