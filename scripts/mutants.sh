#!/usr/bin/env bash
# Mutation testing of shm-core, shm-io and the streams of qt-bridge (cargo-mutants): changes the code in one
# place at a time, runs the tests of the three libraries, and prints the share of mutants that a test
# catches, and the mutants that no test catches.
#
# There are about 4,000 mutants, at half a minute to a minute each. MUTANTS_SHARD=k/n (0 <= k < n) tests
# every n-th of them, from the k-th. Arguments go to cargo-mutants: `--list` prints the mutants, `--re NAME`
# selects those that match. MUTANTS_TIMEOUT (180) bounds each run of the tests in seconds.
# A mutant that does not compile does not count; one that makes the tests hang counts as caught.
#
# Uses an installed cargo-mutants, or installs it into target/tools, once.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

require_cargo
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
tools=$target/tools
PATH=$PATH:$tools/bin
if ! command -v cargo-mutants >/dev/null; then
    say "Installing cargo-mutants into $tools..."
    CARGO_TARGET_DIR=$tools/build cargo install cargo-mutants --locked --quiet --root "$tools" ||
        die "cargo-mutants is not installed, and could not be installed."
    rm -rf "$tools/build"
fi

readonly test_timeout=${MUTANTS_TIMEOUT:-180}

arguments=(
    --file 'crates/shm-core/src/**' --file 'crates/shm-io/src/**'
    --file crates/qt-bridge/src/stream.rs --file 'crates/qt-bridge/src/stream/**'
    # Compiled for the model checker only; see `make model-mutants`.
    --exclude 'crates/shm-core/src/model/**' --exclude crates/shm-core/src/model.rs
    --exclude '**/tests.rs'
    --package shm-core --package qt-bridge --package shm-io
    --test-package shm-core --test-package qt-bridge --test-package shm-io
    --features shm-core/async,shm-core/presence
    --timeout "$test_timeout" --build-timeout 600 --colors never
)
# Round-robin spreads each shard over all files.
[ -z "${MUTANTS_SHARD:-}" ] || arguments+=(--shard "$MUTANTS_SHARD" --sharding round-robin)

results=$target/mutation
mkdir -p "$results"
status=0
# One target directory for all runs, so that dependencies are built once. No documentation tests: they
# take longer than all others.
CARGO_TARGET_DIR=$results/build cargo mutants "${arguments[@]}" --output "$results" "$@" -- --locked --tests || status=$?
case " $* " in *" --list "*) exit "$status" ;; esac
case $status in
0 | 2 | 3) ;; # All caught; some missed; some timed out.
*) die "cargo-mutants failed ($status): see $results/mutants.out" ;;
esac

count() {
    sed '/^$/d' "$results/mutants.out/$1.txt" | wc -l
}
caught=$(($(count caught) + $(count timeout)))
viable=$((caught + $(count missed)))
if [ "$viable" -eq 0 ]; then
    say "No viable mutant."
    exit
fi
[ "$caught" -eq "$viable" ] || say "Caught by no test:" "$(cat "$results/mutants.out/missed.txt")"
say "Tests catch $caught of $viable viable mutants ($((100 * caught / viable)) %)."
