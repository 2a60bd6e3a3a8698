#!/usr/bin/env bash
# Runs every check and every test, part by part, and prints the time of each.
#
# Optimises only the instruction count. A part that cannot run here prints "SKIPPED: reason"; with
# CI=true a skip is a failure. The last line sums up.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

require_cargo
# Always the whole workspace: for a part of it cargo chooses other features, and
# builds the dependencies again. For the same reason warnings become errors by an
# argument to clippy, not by the compiler's flags.
readonly workspace=(--workspace --locked)

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
summary=()
parts_passed=0
parts_failed=0

# part NAME COMMAND... runs one part and remembers how it ended and how long it took.
part() {
    local name=$1 log=$logs/${#summary[@]}.log began=$SECONDS status=0 verdict=passed
    shift
    printf '\n== %s\n' "$name"
    "$@" 2>&1 | tee "$log" || status=$?
    if [ "$status" -ne 0 ]; then
        verdict=FAILED
    elif [ "${CI:-}" = true ] && grep -q '^SKIPPED' "$log"; then
        say "SKIPPED counts as failed, because CI=true."
        verdict=FAILED
    fi
    if [ "$verdict" = passed ]; then
        parts_passed=$((parts_passed + 1))
    else
        parts_failed=$((parts_failed + 1))
    fi
    summary+=("$(printf '%-14s %-6s %4d s' "$name" "$verdict" $((SECONDS - began)))")
}

packages() {
    # The parts that need a missing package say so.
    bash scripts/system-packages.sh test || say "SKIPPED: system packages are missing."
}

format() {
    cargo fmt --all --check && cargo fmt --manifest-path fuzz/Cargo.toml --check &&
        cargo fmt --manifest-path crates/peer-bench/Cargo.toml --check
}

documentation() {
    RUSTDOCFLAGS="-D warnings" cargo doc "${workspace[@]}" --no-deps
}

# The public items of the libraries against docs/api.
public_items() {
    python3 scripts/public-api.py
}

# Builds everything once, so that the parts after this one only run.
build() {
    cargo build "${workspace[@]}" --lib --bins --tests --examples \
        --message-format=json-render-diagnostics >"$logs/build.json"
}

end_to_end() {
    local loader
    loader=$(executable_named loader-app <"$logs/build.json")
    if [ -z "$loader" ]; then
        say "The programs were not built."
        return 1
    fi
    E2E_BIN_DIR=$(dirname "$loader") cargo test "${workspace[@]}" --test e2e --test crash_image --test fuzz --test qt
}

# The lock and the exchange of regions under a model checker; `make model` goes deeper.
models() {
    RUSTFLAGS="--cfg loom" cargo test --locked -p shm-core --lib \
        --target-dir "${CARGO_TARGET_DIR:-target}/model" model::
}

# The instructions of what is done most often, against recorded bounds: whatever else runs meanwhile.
instructions() {
    if ! command -v valgrind >/dev/null; then
        say "SKIPPED: valgrind is not installed."
        return
    fi
    cargo bench --locked -p shm-core --bench instructions
}

segments() {
    {
        find /dev/shm /tmp -maxdepth 1 \( -name 'shm-core.*' -o -name 'e2e.*' -o -name '*qipc_*' \)
        # Qt's System V segments and semaphores begin with the letter Q.
        ipcs -m -s | awk '$1 ~ /^0x51/ { print "ipcs:", $1 }'
    } 2>/dev/null | sort
}

work_tree() {
    git status --porcelain 2>/dev/null || true
}

# What the tests must not leave behind: segments, and uncommitted snapshots.
leftovers() {
    local new
    new=$(comm -13 "$logs/segments" <(segments))
    if [ -n "$new" ]; then
        say "Left behind in /dev/shm or /tmp, or of System V:" "$new"
        return 1
    fi
    new=$(comm -13 <(sort "$logs/work_tree") <(work_tree | sort))
    if [ -n "$new" ]; then
        say "Changed in the work tree (a new snapshot? look at it, then commit it):" "$new"
        return 1
    fi
    say "No segment was left, nothing was changed in the work tree."
}

segments >"$logs/segments"
work_tree >"$logs/work_tree"

part packages packages
part rustfmt format
part clippy cargo clippy "${workspace[@]}" --all-targets -- -D warnings
part rustdoc documentation
part public-items public_items
part words bash scripts/words.sh
part package-files bash scripts/packages.sh
part build build
part dependencies bash scripts/deny.sh
part minimum-rust bash scripts/minimum-rust.sh
part unit+gui cargo test "${workspace[@]}" --exclude e2e-tests --lib --bins --tests --examples
part doctests cargo test "${workspace[@]}" --exclude e2e-tests --doc
part models models
part instructions instructions
part sanitizer bash scripts/sanitize.sh --if-present
part miri bash scripts/miri.sh --quick
part end-to-end end_to_end
part leftovers leftovers

# The number of tests that ended so, over all test programs: passed | failed.
tests() {
    # "test result: ok. 12 passed; 0 failed; ..." is the line that each prints.
    cat "$logs"/*.log | awk -v verdict="$1;" '
        /^test result:/ { for (i = 2; i <= NF; i++) if ($i == verdict) sum += $(i - 1) }
        END { print sum + 0 }'
}

passed=$((parts_passed + $(tests passed)))
failed=$((parts_failed + $(tests failed)))
skipped=$(cat "$logs"/*.log | grep -c '^SKIPPED' || true)

printf '\n== summary\n'
printf '%s\n' "${summary[@]}"
printf '%-21s %4d s\n' total "$SECONDS"
if [ "$skipped" -gt 0 ]; then
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
else
    printf '%d passed, %d failed\n' "$passed" "$failed"
fi
[ "$failed" -eq 0 ]
