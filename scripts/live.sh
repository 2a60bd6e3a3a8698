#!/usr/bin/env bash
# Lets ShowSharedMem follow a test pattern on a virtual display, and prints how it performed.
#
# usage: scripts/live.sh [WIDTHxHEIGHT [FRAMES_A_SECOND [SECONDS]]]     (1920x1080 60 600)
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

size=${1:-1920x1080}
rate=${2:-60}
seconds=${3:-600}
readonly size rate seconds
readonly key=live-run

# Ends the processes that were started, in reverse order.
started=()
end() {
    local index
    for ((index = ${#started[@]} - 1; index >= 0; index--)); do
        kill "${started[index]}" 2>/dev/null || true
        wait "${started[index]}" 2>/dev/null || true
    done
    rm -rf "$folder"
}

open_display() {
    exec 3<>"$folder/display"
    Xvfb -displayfd 3 -screen 0 1600x1200x24 -noreset -nolisten tcp 2>/dev/null &
    started+=($!)
    read -r -u 3 number
    export DISPLAY=:$number
    openbox --sm-disable &>/dev/null &
    started+=($!)
}

# Prints the seconds of processor time that process $1 has used.
processor_time() {
    local ticks
    # The program's name may contain spaces; the fields after it do not.
    read -r -a ticks < <(sed 's/.*) //' "/proc/$1/stat")
    awk -v ticks="$((ticks[11] + ticks[12]))" -v rate="$(getconf CLK_TCK)" 'BEGIN { print ticks / rate }'
}

# Prints the resident memory of process $1, and its private part, in MB.
memory() {
    awk '/^(VmRSS|RssAnon):/ { mb[$1] = $2 / 1000 } END { print mb["VmRSS:"], mb["RssAnon:"] }' "/proc/$1/status"
}

follow() {
    "$bin/viewer-app" --key "$key" --verbose 2>"$folder/said" &
    viewer=$!
    started+=("$viewer")
    local window
    window=$(xdotool search --sync --onlyvisible --name '^ShowSharedMem$')
    xdotool windowactivate --sync "${window%%$'\n'*}" key F6
    until grep -q "^status: Waiting" "$folder/said"; do
        sleep 0.1
    done
}

require_cargo
for tool in Xvfb openbox xdotool; do
    command -v "$tool" >/dev/null || die "$tool is missing. Install what the tests need: bash scripts/system-packages.sh test"
done
viewer=$(cargo build --release --locked --message-format=json-render-diagnostics -p loader-app -p viewer-app |
    executable_named viewer-app)
bin=$(dirname "$viewer")
folder=$(mktemp -d /dev/shm/live.XXXXXX)
trap end EXIT
mkfifo "$folder/display"
export SHM_CORE_DIR=$folder XDG_CONFIG_HOME=$folder/config

open_display
follow
"$bin/loader-app" frames --key "$key" --test-pattern --size "$size" --fps "$rate" --count "$((rate * seconds))" \
    >"$folder/published" &
loader=$!
started+=("$loader")
sleep 1 # The window reports its first figures after half a second.
before=$(processor_time "$viewer")
while kill -0 "$loader" 2>/dev/null; do
    memory "$viewer" >>"$folder/memory"
    sleep 1
done
after=$(processor_time "$viewer")

say "$size at $rate frames a second for $seconds s, load $(cut -d' ' -f1 /proc/loadavg):"
sed 's/^/  /' "$folder/published"
grep '^live: ' "$folder/said" | tail -n 1 | tr -d ',' | awk -v seconds="$seconds" '
    { printf "  shown      %d, %.1f a second\n  skipped    %d\n  latency    %d ms, recent average\n", $2, $2 / seconds, $4, $6 }'
awk '
    $1 > most { most = $1 } $2 > private { private = $2 }
    NR <= 60 { early += $1; early_lines++ } { resident[NR] = $1 }
    END {
        for (line = NR; line > NR - 60 && line > 0; line--) { late += resident[line]; late_lines++ }
        printf "  memory     %.0f MB resident on average of the first minute, %.0f of the last, %.0f at most; private %.0f at most\n",
            early / early_lines, late / late_lines, most, private
    }
' "$folder/memory"
awk -v used="$before $after" -v seconds="$seconds" 'BEGIN {
    split(used, at, " ")
    printf "  processor  %.0f %% of one\n", 100 * (at[2] - at[1]) / seconds
}'
