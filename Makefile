# Two commands matter: `make run` and, while it runs, `make demo`. `make test` shows that everything works.
.DEFAULT_GOAL := help
.PHONY: help run demo test check bench lock clean
BIN := .venv/bin
# real calls mostly wait for sound: several test processes share the cores well
JOBS ?= 2

help:           ## this list
	@awk -F ':.*## ' '/^[a-z%-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' Makefile

run:            ## start a real Asterisk and the service with the sample operator; Ctrl-C stops both
	@tools/bootstrap.sh
	@tools/desk.sh
	@exec $(BIN)/hotline up

demo:           ## while `make run` runs: a simulated customer calls 1860
	@tools/bootstrap.sh
	@exec $(BIN)/hotline demo

test:           ## install what tests need and run everything, real calls and a real browser included
	@tools/bootstrap.sh
	@tools/test-packages.sh
	@tools/desk.sh
	@tools/desk.sh test
	@$(BIN)/hotline asterisk install
	HOTLINE_TEST_ALL=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile

check:          ## lint, types, import rules, and the lint of asterisk-conf
	@tools/bootstrap.sh
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hotline check

bench:          ## measure; prints a table for each benchmark
	@tools/bootstrap.sh
	@$(BIN)/python -m tests.benchmarks

proof-%:        ## one long run, e.g. proof-api (docs/proof.md names them all); said again, it goes on
	@tools/bootstrap.sh
	@$(BIN)/python -m tests.proof $*

lock:           ## pin what is installed now
	@{ echo '# What this release was tested with; `make` installs exactly these. Made by `make lock`.'; \
	   $(BIN)/pip list --format=freeze | grep -viE '^(hotline|pip|setuptools)=='; } > requirements.lock

clean:          ## forget everything that was installed or recorded here (var/ holds the data: it is kept)
	rm -rf .venv .venv-fuzz .venv-mutants .venv-sqlmap .venv-peers cti/web/desk/node_modules cti/web/desk/dist .mypy_cache .ruff_cache .pytest_cache
