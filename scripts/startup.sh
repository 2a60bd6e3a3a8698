#!/usr/bin/env bash
# Measures the startup time, the time to first content and the memory of both windows, compared with the
# dialog of Qt's own example, in one run on virtual displays.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

require_cargo
bash scripts/system-packages.sh test
messages=$(cargo build --release --locked --message-format=json-render-diagnostics \
    -p loader-app -p viewer-app -p e2e-tests --bins)
startup=$(executable_named startup <<<"$messages")
say "Load before: $(cut -d' ' -f1 /proc/loadavg)"
E2E_BIN_DIR=$(dirname "$startup") "$startup"
