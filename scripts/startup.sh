#!/usr/bin/env bash
# Measures how both programs start, beside the example dialog of Qt 5, on a virtual display: process
# start to first drawing, resident memory, size of the program.
#
# usage: scripts/startup.sh [ROUNDS]      (11)
#
# PROGRAMS names a folder with loader-app and viewer-app that are built already; without it they are
# built in release. Qt's dialog comes with Debian's qtbase5-examples.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

readonly qt=/usr/lib/x86_64-linux-gnu/qt5/examples/corelib/ipc/sharedmemory/sharedmemory
for tool in Xvfb python3; do
    command -v "$tool" >/dev/null || die "$tool is missing. Install what the tests need: bash scripts/system-packages.sh test"
done
if [ -z "${PROGRAMS:-}" ]; then
    require_cargo
    viewer=$(cargo build --release --locked --message-format=json-render-diagnostics -p loader-app -p viewer-app |
        executable_named viewer-app)
    PROGRAMS=$(dirname "$viewer")
fi
[ -x "$qt" ] || say "Qt's dialog is not measured: install qtbase5-examples."
exec python3 scripts/startup.py "${1:-11}" "$PROGRAMS" "$qt"
