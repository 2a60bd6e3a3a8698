#!/usr/bin/env bash
# Builds and opens both windows. Without a display, opens them on a virtual one, simulates mouse and
# keyboard, and saves screenshots.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

# Succeeds if DISPLAY or WAYLAND_DISPLAY leads to a display: checks for the socket of a local one, and
# assumes that a remote one exists.
display_is_usable() {
    case ${WAYLAND_DISPLAY:-} in
        "") ;;
        /*) [ -S "$WAYLAND_DISPLAY" ] && return ;;
        *) [ -S "${XDG_RUNTIME_DIR:-}/$WAYLAND_DISPLAY" ] && return ;;
    esac
    case ${DISPLAY:-} in
        "") return 1 ;;
        :*)
            local number=${DISPLAY#:}
            [ -S "/tmp/.X11-unix/X${number%%.*}" ]
            ;;
    esac
}

build() {
    cargo build --release --locked --message-format=json-render-diagnostics "$@"
}

open_windows() {
    local messages loader viewer pids=() interrupted="" status=0
    messages=$(build -p loader-app -p viewer-app)
    loader=$(executable_named loader-app <<<"$messages")
    viewer=$(executable_named viewer-app <<<"$messages")
    say "Opening SharedMemoryLoad and ShowSharedMem. Close both windows, or press Ctrl-C here, to end."
    # Background commands of a shell ignore Ctrl-C, so it is forwarded.
    trap 'interrupted=yes; kill -TERM "${pids[@]}" 2>/dev/null || true' INT TERM
    "$loader" &
    pids+=($!)
    "$viewer" &
    pids+=($!)
    local pid
    for pid in "${pids[@]}"; do
        wait "$pid" || status=$?
    done
    if [ -n "$interrupted" ]; then
        wait # The trap interrupted the first wait.
        status=0
    fi
    return "$status"
}

demonstrate() {
    local messages demo
    messages=$(build -p loader-app -p viewer-app -p e2e-tests --bins)
    demo=$(executable_named demo <<<"$messages")
    E2E_BIN_DIR=$(dirname "$demo") "$demo" target/screenshots
}

require_cargo
if display_is_usable; then
    bash scripts/system-packages.sh window
    open_windows
else
    say "No display found: both windows open on a virtual one."
    bash scripts/system-packages.sh headless
    demonstrate
fi
