# `make run` opens both windows, and `make test` runs all checks and tests.
# CONTRIBUTING.md describes the other targets.
.PHONY: run test bench model model-mutants mutants packages soak fuzz sanitize miri shots startup install uninstall

run:
	@bash scripts/run.sh

test:
	@bash scripts/test.sh

# Compares the library with others: prints a table, and writes target/bench/ratios.json.
bench:
	@bash scripts/bench.sh

# The models of `make test` with one more preemption each: takes minutes instead of seconds.
model:
	@MODEL_DEPTH=1 RUSTFLAGS="--cfg loom" cargo test --locked --release -p shm-core --lib --target-dir target/model model::

# Weakens each memory ordering of the protocols in turn; a model must fail each time. A minute each.
model-mutants:
	@python3 scripts/model-mutants.py

# Changes the code of the libraries in one place at a time, and prints which changes no test catches.
# There are about 4,000, a minute each: MUTANTS_SHARD=k/n takes every n-th of them.
mutants:
	@bash scripts/mutants.sh

# Compares the files in the packages of the libraries with the lists in scripts/packages.
packages:
	@bash scripts/packages.sh

# Kills processes at random, until SOAK_SECONDS (600) have passed or SOAK_KILLS (10,000) are done.
# SOAK_SEED repeats the random choices of an earlier run.
soak:
	@cargo run --locked --release --quiet -p e2e-tests --bin soak

# Fuzzes segments and streams, each target for FUZZ_SECONDS (60).
fuzz:
	@bash scripts/fuzz.sh

# Runs the library's tests under AddressSanitizer.
sanitize:
	@bash scripts/sanitize.sh

# Runs the library's tests that need no file under Miri.
miri:
	@bash scripts/miri.sh

# Renews docs/screenshots: both windows in all their states, light and dark.
shots:
	@bash scripts/shots.sh

# Measures the startup time and the memory of both windows against the dialog of Qt's example.
startup:
	@bash scripts/startup.sh

# PREFIX defaults to /usr/local; DESTDIR is for building packages.
install uninstall:
	@bash scripts/install.sh $@
