#!/usr/bin/env bash
# Runs the tests of shm-core under AddressSanitizer: no out-of-bounds access, no use after free, no leak.
#
# With --if-present, prints a message and succeeds if the compiler lacks the sanitizer.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

require_cargo
host=$(rustc -vV | sed -n 's/^host: //p')
if ! compgen -G "$(rustc --print sysroot)/lib/rustlib/$host/lib/librustc-*_rt.asan.a" >/dev/null; then
    missing="The compiler lacks AddressSanitizer: install one with rustup (https://rustup.rs)."
    [ "${1:-}" = --if-present ] || die "$missing"
    say "$missing"
    exit
fi
# With --target the flags apply to the tests, and not to build scripts. Sanitizers need a nightly compiler;
# RUSTC_BOOTSTRAP allows them in this one, so that the tests run as shipped.
export RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address
readonly package=(--locked -p shm-core --target "$host" --target-dir "${CARGO_TARGET_DIR:-target}/sanitize")
# A test runs the examples.
cargo build "${package[@]}" --examples
cargo test "${package[@]}" --lib --tests
