#!/usr/bin/env bash
# Runs the fuzz targets (all, or those that are named) for FUZZ_SECONDS (60) each. The corpus and the
# inputs that fail stay in target/fuzz.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

require_cargo
command -v cargo-fuzz >/dev/null ||
    die "cargo-fuzz was not found. Install it with: cargo install --locked cargo-fuzz"
cargo +nightly --version >/dev/null 2>&1 ||
    die "A nightly compiler was not found. Install it with: rustup toolchain install nightly"

readonly seconds=${FUZZ_SECONDS:-60}
root=$(mkdir -p "${CARGO_TARGET_DIR:-target}/fuzz" && cd "${CARGO_TARGET_DIR:-target}/fuzz" && pwd)
host=$(rustc +nightly -vV | sed -n 's/^host: //p')
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(basename --suffix=.rs fuzz/fuzz_targets/*.rs)

cargo +nightly fuzz build --target-dir "$root"

# The running fuzzer. Bash does not end background commands on exit, so `stop` does.
pid=""
stop() {
    [ -n "$pid" ] || return 0
    kill -KILL "$pid"
    wait "$pid" || true
    sweep
}
# Removes the files that a killed fuzzer leaves.
sweep() {
    rm -rf "/dev/shm/e2e.$pid".*
    pid=""
}
trap stop EXIT
trap 'exit 130' INT TERM

# Runs the target $1. An input fails if it takes 20 seconds, or 64 MB in one allocation.
fuzz() {
    local corpus=$root/corpus/$1 failures=$root/failures/$1 log=$root/$1.log status=0
    mkdir -p "$corpus" "$failures"
    # Not through `cargo fuzz run`: its process id is needed, to end it and to remove its files.
    "$root/$host/release/$1" "$corpus" "tests/fuzz/corpus/$1" -artifact_prefix="$failures/" \
        -max_total_time="$seconds" -timeout=20 -malloc_limit_mb=64 -max_len=1200 \
        -print_final_stats=1 >"$log" 2>&1 &
    pid=$!
    wait "$pid" || status=$?
    sweep
    if [ "$status" -ne 0 ]; then
        tail -n 60 "$log"
        say "$1 failed. Fix the bug, and add the input named above to tests/fuzz/corpus/$1."
        return 1
    fi
    say "$1: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, no failure."
}

failed=0
for target in "${targets[@]}"; do
    fuzz "$target" || failed=$((failed + 1))
done
[ "$failed" -eq 0 ]
