# Two commands matter: `make run` opens both windows, `make test` proves everything.
.PHONY: run test

run:
	@bash scripts/run.sh

test:
	@bash scripts/test.sh
