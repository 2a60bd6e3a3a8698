#!/usr/bin/env bash
# Lets a fuzzer lie about segments: every target, or those that are named, for
# FUZZ_SECONDS (60) each. What it learns and what it breaks stay in target/fuzz.
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

# The fuzzer at work. It ends with this script, which a background command does not by itself.
pid=""
stop() {
    [ -n "$pid" ] || return 0
    kill -KILL "$pid"
    wait "$pid" || true
    sweep
}
# What a fuzzer that died leaves.
sweep() {
    rm -rf "/dev/shm/e2e.$pid".*
    pid=""
}
trap stop EXIT
trap 'exit 130' INT TERM

# Runs one target. Its limits: no answer takes 20 seconds, nor 64 MB at a time.
fuzz() {
    local learnt=$root/corpus/$1 broken=$root/broken/$1 log=$root/$1.log status=0
    mkdir -p "$learnt" "$broken"
    # Not through `cargo fuzz run`, so that its process is known, and what it leaves when it dies.
    "$root/$host/release/$1" "$learnt" "tests/fuzz/corpus/$1" -artifact_prefix="$broken/" \
        -max_total_time="$seconds" -timeout=20 -malloc_limit_mb=64 -max_len=1200 \
        -print_final_stats=1 >"$log" 2>&1 &
    pid=$!
    wait "$pid" || status=$?
    sweep
    if [ "$status" -ne 0 ]; then
        tail -n 60 "$log"
        say "$1 broke a promise. Mend it, and put the file named above into tests/fuzz/corpus/$1."
        return 1
    fi
    say "$1: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") lies, none of them harmed anybody."
}

broken=0
for target in "${targets[@]}"; do
    fuzz "$target" || broken=$((broken + 1))
done
[ "$broken" -eq 0 ]
