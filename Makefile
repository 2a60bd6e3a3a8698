# Two commands matter: `make run` opens both windows, `make test` proves everything.
.PHONY: run test bench model model-mutants mutants packages soak fuzz sanitize miri shots startup install uninstall

run:
	@bash scripts/run.sh

test:
	@bash scripts/test.sh

# Everything beside its peers, in minutes: a table, and target/bench/ratios.json.
bench:
	@bash scripts/bench.sh

# The models of `make test` with one more preemption each: minutes instead of seconds.
model:
	@MODEL_DEPTH=1 RUSTFLAGS="--cfg loom" cargo test --locked --release -p shm-core --lib --target-dir target/model model::

# Weakens each memory ordering of the protocols in turn: a model must fail. A minute each.
model-mutants:
	@python3 scripts/model-mutants.py

# Changes the libraries' code in one place at a time: a test must fail. Many hours for all of it;
# MUTANTS_SHARD=k/n takes every n-th change.
mutants:
	@bash scripts/mutants.sh

# Compares the files in the packages of the libraries with scripts/packages.
packages:
	@bash scripts/packages.sh

# Kills programs at random moments until SOAK_SECONDS (600) or SOAK_KILLS (10,000) are over;
# SOAK_SEED repeats the choices of an earlier run.
soak:
	@cargo run --locked --release --quiet -p e2e-tests --bin soak

# Lets a fuzzer lie about segments, FUZZ_SECONDS (60) for each target.
fuzz:
	@bash scripts/fuzz.sh

# The library's tests under AddressSanitizer.
sanitize:
	@bash scripts/sanitize.sh

# The library's tests that need no file, under Miri.
miri:
	@bash scripts/miri.sh

# Takes the pictures in docs/screenshots: both windows in all their states, light and dark.
shots:
	@bash scripts/shots.sh

# How soon both windows are there, and what they take, beside the dialog of Qt's example.
startup:
	@bash scripts/startup.sh

# PREFIX=/usr/local is the default; DESTDIR is for those who build packages.
install uninstall:
	@bash scripts/install.sh $@
