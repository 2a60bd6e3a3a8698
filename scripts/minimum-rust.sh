#!/usr/bin/env bash
# Compiles shm-core with the oldest Rust that its manifest promises, which Debian 12 carries as
# rustc-web and cargo-web.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

minimum=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' crates/shm-core/Cargo.toml)
if ! /usr/bin/rustc --version 2>/dev/null | grep -q "^rustc $minimum\."; then
    say "SKIPPED: Rust $minimum is not installed in /usr/bin (Debian 12: apt-get install rustc-web cargo-web)."
    exit
fi
# A directory of its own, because another compiler would rebuild the dependencies each time.
PATH=/usr/bin:$PATH /usr/bin/cargo check --locked --package shm-core --features async,presence \
    --target-dir "${CARGO_TARGET_DIR:-target}/minimum-rust"
