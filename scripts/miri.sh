#!/usr/bin/env bash
# Runs the library's unit tests under Miri: names, metadata, the words of the
# layout and the lock. Files and mappings it does not know.
#
# With --quick without the lock, whose threads take minutes, and where Miri is
# missing it only says so.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

require_cargo
if ! cargo +nightly miri --version >/dev/null 2>&1; then
    missing="Miri was not found. Install it with: rustup toolchain install nightly --component miri --component rust-src"
    [ "${1:-}" = --quick ] || die "$missing"
    say "$missing"
    exit
fi
arguments=()
[ "${1:-}" != --quick ] || arguments=(--skip lock::tests)
cargo +nightly miri test --locked -p shm-core --lib \
    --target-dir "${CARGO_TARGET_DIR:-target}/miri" -- "${arguments[@]}"
