#!/usr/bin/env bash
# Runs the library's tests under AddressSanitizer: no access outside what is
# allocated, none to what is freed, nothing leaked.
#
# With --if-present it only says so where the compiler came without the sanitizer.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

require_cargo
host=$(rustc -vV | sed -n 's/^host: //p')
if ! compgen -G "$(rustc --print sysroot)/lib/rustlib/$host/lib/librustc-*_rt.asan.a" >/dev/null; then
    missing="The compiler came without AddressSanitizer: install it with rustup (https://rustup.rs)."
    [ "${1:-}" = --if-present ] || die "$missing"
    say "$missing"
    exit
fi
# With a target of its own the flags concern what is tested, and not the build's own tools. Sanitizers
# are for nightly compilers; the variable opens them to this one, so that the tests run as they ship.
export RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address
readonly package=(--locked -p shm-core --target "$host" --target-dir "${CARGO_TARGET_DIR:-target}/sanitize")
# A test runs them.
cargo build "${package[@]}" --examples
cargo test "${package[@]}" --lib --tests
