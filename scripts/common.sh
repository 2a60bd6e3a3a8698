# shellcheck shell=bash
# Common functions, sourced by the other scripts. Changes to the root of the work tree.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() {
    printf '%s\n' "$*"
}

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

require_cargo() {
    if ! command -v cargo >/dev/null && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
        PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    fi
    command -v cargo >/dev/null ||
        die "cargo was not found. Install Rust 1.95 or newer (rustup does it), open a new terminal, and try again."
}

# Prints the path of the program $1 from the cargo messages (JSON lines) on standard input.
executable_named() {
    sed -n 's/.*"executable":"\([^"]*\/'"$1"'\)".*/\1/p'
}
