#!/usr/bin/env bash
# Measures this project against other libraries and against the hardware's lower bounds, in one run of
# some minutes. Prints a table, and writes target/bench/ratios.json, growth.md and plots.
#
# usage: scripts/bench.sh [--quick] [--record] [CONTEST...]
#
#   --quick    a tenth of the rounds: to see that everything works, not to quote
#   --record   writes the results into docs/PERFORMANCE.md and docs/plots
#
# Contests: lock small wait wake burst python frame first-frame picture readers attach
# reserved create qt-bridge growth.
# Qt takes part if a C++ compiler and qt6-base-dev are installed: `bash scripts/system-packages.sh bench`.
# Aeron takes part if a C compiler is installed: a crate contains its sources, which build in half a minute.
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

# Builds the Qt contestant, if possible.
build_qt() {
    local flags
    command -v c++ >/dev/null && command -v pkg-config >/dev/null || return 1
    flags=$(pkg-config --cflags --libs Qt6Core Qt6Gui 2>/dev/null) || return 1
    # shellcheck disable=SC2086 # The flags are separate words.
    c++ -std=c++17 -O2 -fPIC crates/peer-bench/qt/peer.cpp -o "$output/qt-peer" $flags
}

# Prints the directory of Aeron's C sources, in a crate that cargo fetches.
aeron_sources() {
    cargo metadata --format-version 1 --locked --manifest-path crates/peer-bench/Cargo.toml |
        grep -o '"manifest_path":"[^"]*/rusteron-media-driver-[^"]*/Cargo.toml"' |
        sed 's/^"manifest_path":"//; s/Cargo.toml"$/aeron/'
}

# Builds Aeron's client and media driver, and the functions that peer-bench calls, as one library. Aeron's
# own CMakeLists.txt requires a newer cmake than distributions have; this builds what it builds for a
# release without optional libraries.
build_aeron() {
    local sources version objects=$output/aeron library=$output/aeron.so
    sources=$(aeron_sources) || return 1
    [ -d "$sources" ] || return 1
    [ ! "$library" -nt crates/peer-bench/aeron/link.c ] || [ ! "$library" -nt crates/peer-bench/Cargo.lock ] ||
        [ ! "$library" -nt scripts/bench.sh ] || return 0
    version=$(<"$sources/version.txt")
    rm -rf "$objects" "$library"
    mkdir -p "$objects"
    local major minor patch
    IFS=. read -r major minor patch <<<"${version%%-*}"
    local flags=(
        -std=c11 -O3 -DNDEBUG -DDISABLE_BOUNDS_CHECKS -fPIC -w
        -D_GNU_SOURCE -D_DEFAULT_SOURCE -D_FILE_OFFSET_BITS=64 -DAERON_DRIVER
        "-DAERON_VERSION_TXT=\"$version\"" '-DAERON_VERSION_GITSHA=""'
        "-DAERON_VERSION_MAJOR=$major" "-DAERON_VERSION_MINOR=$minor" "-DAERON_VERSION_PATCH=$patch"
        -DHAVE_FALLOCATE -DHAVE_POSIX_FALLOCATE -DHAVE_POSIX_MEMALIGN -DHAVE_DEV_URANDOM
        -DHAVE_POLL -DHAVE_EPOLL -DHAVE_STRUCT_MMSGHDR -DHAVE_RECVMMSG -DHAVE_SENDMMSG
        "-I$sources/aeron-client/src/main/c" "-I$sources/aeron-driver/src/main/c"
    )
    # shellcheck disable=SC2016 # The inner shell expands them.
    find crates/peer-bench/aeron "$sources"/aeron-{client,driver}/src/main/c -name '*.c' ! -name aeronmd.c -print0 |
        xargs -0 -P "$(nproc)" -I{} sh -c 'source=$1; objects=$2; shift 2
            cc "$@" -c "$source" -o "$objects/$(basename "$source" .c).o"' _ {} "$objects" "${flags[@]}" || return 1
    cc -shared -o "$library" "$objects"/*.o -lpthread -ldl -lm
}

# Replaces the part $1 of the document $2, between its marks, by the results.
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
    insert summary docs/PERFORMANCE.md
    insert goals docs/PERFORMANCE.md
    insert table docs/PERFORMANCE.md
    insert growth docs/PERFORMANCE.md
}

require_cargo
mkdir -p "$output"
readonly build=(--release --locked --manifest-path crates/peer-bench/Cargo.toml
    --target-dir "${CARGO_TARGET_DIR:-target}/peer-bench")
peer_bench=$(cargo build "${build[@]}" --message-format=json-render-diagnostics | executable_named peer-bench)
# Tests the arithmetic of the benchmark first.
cargo test --quiet "${build[@]}" >"$output/tests.log" 2>&1 || die "The benchmark's own tests fail: see $output/tests.log"
if build_qt; then
    arguments+=(--qt "$output/qt-peer")
else
    say "Qt is not measured: qt6-base-dev, a C++ compiler or pkg-config is missing."
fi
if ! command -v cc >/dev/null; then
    say "Aeron is not measured: a C compiler is missing."
elif build_aeron 2>"$output/aeron.log"; then
    arguments+=(--aeron "$output/aeron.so")
else
    say "Aeron is not measured: its sources could not be fetched or built, see $output/aeron.log."
fi
"$peer_bench" "${arguments[@]}" &
readonly measuring=$!

# Cleans up after an interrupted benchmark, which cannot.
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
