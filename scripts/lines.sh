#!/usr/bin/env bash
# Counts the production lines of Rust of each crate: `scripts/lines.sh [REVISION]`.
#
# Without a revision it counts the work tree. A production line is a line of crates/*/src that is neither
# blank nor a comment (`//`, `///`, `//!`) nor part of a test. Tests are
#   - items under `#[cfg(...)]` that require `test`, `loom`, `doctest` or the feature `testing`: the lines up
#     to the end of the item, which rustfmt puts at the column of its start, and the file of a module;
#   - crates/*/tests, crates/*/benches, crates/*/examples, the package `tests`, fuzz and crates/peer-bench.
# The languages (*.ftl), scripts and manifests are not counted.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

root=.
if [ $# -gt 0 ]; then
    root=$(mktemp -d)
    trap 'rm -rf "$root"' EXIT
    git archive "$1" crates | tar -x -C "$root"
fi
cd "$root"

mapfile -t files < <(find crates -path '*/src/*' -name '*.rs' -not -path 'crates/peer-bench/*' | LC_ALL=C sort)

# Reads every file twice: first for the files of test modules, then to count.
awk '
    # Returns the directory of the submodules of a file.
    function modules_of(file) {
        if (file ~ /\/(lib|main|mod)\.rs$/) sub(/\/[^\/]*$/, "", file)
        else sub(/\.rs$/, "", file)
        return file
    }
    function is_test(file,    path) {
        for (path in tests) if (file == path ".rs" || index(file, path "/") == 1) return 1
        return 0
    }
    function needs_tests(line) {
        if (line !~ /^#\[cfg\(/) return 0
        gsub(/not\(((any|all)\()?[^()]*\)+/, "", line)
        return line ~ /[(, ](test|loom|doctest|feature = "testing")[,)\]]/
    }
    FNR == 1 {
        skipping = 0
        in_tests = pass == 2 && is_test(FILENAME)
    }
    in_tests || /^ *$/ || /^ *\/\// { next }
    {
        match($0, /^ */)
        indent = RLENGTH
        line = substr($0, indent + 1)
    }
    skipping {
        # Other attributes of the item.
        if (!begun && line ~ /^#\[/) next
        if (!begun && match(line, /mod [a-z0-9_]+;$/)) {
            name = substr(line, RSTART + 4, RLENGTH - 5)
            if (pass == 1) tests[modules_of(FILENAME) "/" name] = 1
        }
        begun = 1
        if (indent == at && line ~ /[;},]$/) skipping = 0
        next
    }
    needs_tests(line) {
        skipping = 1
        begun = 0
        at = indent
        next
    }
    pass == 2 {
        split(FILENAME, part, "/")
        count[part[2]]++
    }
    END {
        for (crate in count) {
            printf "%6d %s\n", count[crate], crate | "sort -k2"
            sum += count[crate]
        }
        close("sort -k2")
        printf "%6d sum\n", sum
    }
' pass=1 "${files[@]}" pass=2 "${files[@]}"
