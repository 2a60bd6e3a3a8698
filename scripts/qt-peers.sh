#!/usr/bin/env bash
# Builds the real Qt programs that tests/qt communicates with, in DIRECTORY:
#
#   qt-peer     of tests/qt-peer/main.cpp, with Debian's qt6-base-dev
#   venv        a virtual environment with PySide6_Essentials, for tests/qt-peer/peer.py
#
# Skips what is up to date. If one cannot be built, prints why, and exits with 1.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

[ $# -eq 1 ] || die "usage: $0 DIRECTORY"
mkdir -p "$1"
directory=$(cd "$1" && pwd)
readonly directory
readonly pyside=PySide6_Essentials==6.12.0
status=0

# Several tests may run this at the same time.
exec 9>"$directory/lock"
flock 9

source=tests/qt-peer/main.cpp
if ! [ "$directory/qt-peer" -nt "$source" ]; then
    if flags=$(pkg-config --cflags --libs Qt6Gui 2>/dev/null); then
        # The flags are separate words.
        # shellcheck disable=SC2086
        c++ -std=c++17 -O2 -fPIC -Wall -o "$directory/qt-peer" "$source" $flags
    else
        say "Qt 6 is not installed, so the C++ peer was not built: apt-get install qt6-base-dev"
        status=1
    fi
fi

if ! [ -e "$directory/venv/ready" ]; then
    if python3 -m venv "$directory/venv" >"$directory/log" 2>&1 &&
        "$directory/venv/bin/pip" install --quiet "$pyside" >>"$directory/log" 2>&1; then
        touch "$directory/venv/ready"
    else
        tail -n 3 "$directory/log"
        say "PySide6 could not be installed, so the Python peer was not built."
        status=1
    fi
fi
exit "$status"
