#!/usr/bin/env bash
# Takes screenshots of both windows in all states, light and dark, for docs/screenshots.
#
# `scripts/shots.sh STATE …` takes only those; tests/src/bin/shots.rs lists the names.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

require_cargo
bash scripts/system-packages.sh test
messages=$(cargo build --release --locked --message-format=json-render-diagnostics \
    -p loader-app -p viewer-app -p e2e-tests --bins)
shots=$(executable_named shots <<<"$messages")
E2E_BIN_DIR=$(dirname "$shots") "$shots" docs/screenshots "$@"
