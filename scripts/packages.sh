#!/usr/bin/env bash
# Compares the files in the packages of the three libraries with the lists in scripts/packages, so that
# no file enters or leaves a package unnoticed. Takes about a second and builds nothing.
#
# --update writes the lists anew: review them with `git diff scripts/packages`, and commit them.
# --build makes the packages in target/package and builds each from its own files: minutes.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

readonly crates=(shm-core qt-bridge shm-io)

# What stands in the package of $1. Its revision file exists in a git work tree only.
files_of() {
    cargo package --package "$1" --offline --locked --allow-dirty --list 2>/dev/null |
        grep -vx .cargo_vcs_info.json | LC_ALL=C sort
}

require_cargo
case "${1:-}" in
--build)
    cargo package --offline --locked --allow-dirty "${crates[@]/#/--package=}"
    exit
    ;;
--update)
    mkdir -p scripts/packages
    for crate in "${crates[@]}"; do
        files_of "$crate" >"scripts/packages/$crate.txt"
    done
    exit
    ;;
"") ;;
*) die "usage: scripts/packages.sh [--update | --build]" ;;
esac

status=0
for crate in "${crates[@]}"; do
    files_of "$crate" | diff -u --label "scripts/packages/$crate.txt" --label "package of $crate" \
        "scripts/packages/$crate.txt" - || status=1
done
[ "$status" -eq 0 ] ||
    die "The packages changed. If that is intended: bash scripts/packages.sh --update"
say "The packages of ${crates[*]} contain the expected files."
