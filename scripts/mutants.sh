#!/usr/bin/env bash
# Changes the code of the libraries in one place at a time (cargo-mutants), runs their tests, and prints
# the share of changes that a test catches, and those that none does.
#
# MUTANTS_SHARD=k/n takes every n-th mutant, from the k-th (0 <= k < n): all of them take many hours.
# Arguments go to cargo-mutants: `--list` prints the mutants, `--re NAME` takes those that match.
# Mutants that do not compile do not count; a test that hangs counts as one that fails.
#
# Uses the cargo-mutants of this machine, or installs it into target/tools, once.
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

# A test that does not end is killed after this many seconds; they take about 30 together.
readonly test_timeout=${MUTANTS_TIMEOUT:-180}

arguments=(
    --file 'crates/shm-core/src/**' --file 'crates/shm-io/src/**'
    --file crates/qt-bridge/src/stream.rs --file 'crates/qt-bridge/src/stream/**'
    # What only the model checker compiles; `make model-mutants` is for that.
    --exclude 'crates/shm-core/src/model/**' --exclude crates/shm-core/src/model.rs
    --exclude '**/tests.rs'
    --package shm-core --package qt-bridge --package shm-io
    --test-package shm-core --test-package qt-bridge --test-package shm-io
    --features shm-core/async,shm-core/presence
    --timeout "$test_timeout" --build-timeout 600 --colors never
    # Spreads each shard over all files.
    --sharding round-robin
)
[ -z "${MUTANTS_SHARD:-}" ] || arguments+=(--shard "$MUTANTS_SHARD")

results=$target/mutation
mkdir -p "$results"
status=0
# Dependencies stay built from one run to the next; documentation tests would cost more than all others.
CARGO_TARGET_DIR=$results/build cargo mutants "${arguments[@]}" --output "$results" "$@" -- --locked --tests || status=$?
case " $* " in *" --list "*) exit "$status" ;; esac
case $status in
0 | 2 | 3) ;; # All caught, some missed, some timed out.
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
