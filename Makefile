# Two commands matter: `make run` opens both windows, `make test` proves everything.
.PHONY: run test model

run:
	@bash scripts/run.sh

test:
	@bash scripts/test.sh

# The models of `make test` with one more preemption each: minutes instead of seconds.
model:
	@MODEL_DEPTH=1 RUSTFLAGS="--cfg loom" cargo test --locked --release -p shm-core --lib --target-dir target/model model::
