#!/usr/bin/env bash
# Runs those unit tests of shm-core under Miri that need no file or mapping, which Miri does not support:
# keys, metadata, the layout and the lock word.
#
# With --quick, leaves out the lock, whose threads take minutes, and succeeds with a message if Miri is not
# installed.
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
