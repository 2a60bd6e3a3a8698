#!/usr/bin/env bash
# Measures this project beside its peers and beside what no peer can beat, in one run of some
# minutes; prints one table, and writes target/bench/ratios.json, growth.md and plots.
#
# usage: scripts/bench.sh [--quick] [--record] [CONTEST...]
#
#   --quick    a tenth of the rounds: to see that everything works, not to quote
#   --record   puts what was measured into README.md, docs/PERFORMANCE.md and docs/plots
#
# Contests: lock small wait wake burst python frame first-frame picture readers attach
# reserved create qt-bridge growth.
# Qt takes part where a compiler and qt6-base-dev are installed: `bash scripts/system-packages.sh bench`.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

readonly output=target/bench
recorded=no
arguments=(--output "$output")
for argument in "$@"; do
    if [ "$argument" = --record ]; then
        recorded=yes
    else
        arguments+=("$argument")
    fi
done

# Builds what speaks for Qt, where that can be done.
build_qt() {
    local flags
    command -v c++ >/dev/null && command -v pkg-config >/dev/null || return 1
    flags=$(pkg-config --cflags --libs Qt6Core Qt6Gui 2>/dev/null) || return 1
    # shellcheck disable=SC2086 # The flags are words.
    c++ -std=c++17 -O2 -fPIC crates/peer-bench/qt/peer.cpp -o "$output/qt-peer" $flags
}

# Puts a part of what was measured between its marks in a document.
insert() {
    local part=$1 page=$2
    awk -v part="$part" -v file="$output/$part.md" '
        $0 ~ "^<!-- " part ": end" { print ""; skipped = 0 }
        !skipped
        $0 ~ "^<!-- " part ": begin" {
            skipped = 1
            print ""
            while ((getline line < file) > 0) print line
        }
    ' "$page" >"$output/page.md"
    cp "$output/page.md" "$page"
}

record() {
    mkdir -p docs/plots
    cp "$output"/plots/*.svg docs/plots/
    insert summary README.md
    insert goals docs/PERFORMANCE.md
    insert table docs/PERFORMANCE.md
    insert growth docs/PERFORMANCE.md
}

require_cargo
mkdir -p "$output"
readonly build=(--release --locked --manifest-path crates/peer-bench/Cargo.toml
    --target-dir "${CARGO_TARGET_DIR:-target}/peer-bench")
peer_bench=$(cargo build "${build[@]}" --message-format=json-render-diagnostics | executable_named peer-bench)
# Whether what it counts with can be trusted.
cargo test --quiet "${build[@]}" >"$output/tests.log" 2>&1 || die "The benchmark's own tests fail: see $output/tests.log"
if build_qt; then
    arguments+=(--qt "$output/qt-peer")
else
    say "Qt is not measured: qt6-base-dev, a C++ compiler or pkg-config is missing."
fi
"$peer_bench" "${arguments[@]}" &
readonly measuring=$!

# Ends what is interrupted, which can't clean up after itself.
end() {
    kill "$measuring" 2>/dev/null || true
    wait "$measuring" 2>/dev/null || true
    rm -rf "/dev/shm/pb.$measuring."* "/dev/shm/peer-bench.$measuring."*
}

trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
wait "$measuring"
if [ "$recorded" = yes ]; then
    record
fi
