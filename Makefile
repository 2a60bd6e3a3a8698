# Two commands matter: `make run` opens both windows, `make test` proves everything.
.PHONY: run test soak

run:
	@bash scripts/run.sh

test:
	@bash scripts/test.sh

# Kills programs at random moments until SOAK_SECONDS (600) or SOAK_KILLS (10,000) are over;
# SOAK_SEED repeats the choices of an earlier run.
soak:
	@cargo run --locked --release --quiet -p e2e-tests --bin soak
