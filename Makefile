# The two main targets: `make run` opens both windows, `make test` runs every check and test.
.PHONY: run test bench model model-mutants mutants packages soak fuzz sanitize miri shots startup install uninstall

run:
	@bash scripts/run.sh

test:
	@bash scripts/test.sh

# Compares the project with its peers, in minutes: a table, and target/bench/ratios.json.
bench:
	@bash scripts/bench.sh

# The models of `make test`, with one more preemption: minutes instead of seconds.
model:
	@MODEL_DEPTH=1 RUSTFLAGS="--cfg loom" cargo test --locked --release -p shm-core --lib --target-dir target/model model::

# Weakens each memory ordering of the protocols, one at a time: a model must fail. A minute each.
model-mutants:
	@python3 scripts/model-mutants.py

# Changes the code of the libraries in one place at a time, and prints which changes no test catches.
# There are about 4,000, a minute each: MUTANTS_SHARD=k/n takes every n-th of them.
mutants:
	@bash scripts/mutants.sh

# Compares the files in the packages of the libraries with the lists in scripts/packages.
packages:
	@bash scripts/packages.sh

# Kills programs at random, for SOAK_SECONDS (600) or SOAK_KILLS (10,000); SOAK_SEED repeats the choices
# of an earlier run.
soak:
	@cargo run --locked --release --quiet -p e2e-tests --bin soak

# Fuzzes the readers of segments with corrupt input, FUZZ_SECONDS (60) for each target.
fuzz:
	@bash scripts/fuzz.sh

# The tests of shm-core under AddressSanitizer.
sanitize:
	@bash scripts/sanitize.sh

# The tests of shm-core that need no file, under Miri.
miri:
	@bash scripts/miri.sh

# Takes the screenshots in docs/screenshots: both windows in all states, light and dark.
shots:
	@bash scripts/shots.sh

# Measures startup time and memory of both windows, compared with the dialog of Qt's example.
startup:
	@bash scripts/startup.sh

# PREFIX (default: /usr/local) is the target directory; DESTDIR is for building packages.
install uninstall:
	@bash scripts/install.sh $@
