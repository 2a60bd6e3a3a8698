#!/usr/bin/env bash
# Checks the words and the line lengths of code, documents and texts; part of `make test`.
#
# CONTRIBUTING.md has the rules: name the actor, use the field's standard term. A ruled-out word that
# must stay, such as a quotation, is excused by `words: ok` on its line.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

# Extended regular expressions, matched as whole words and without regard to case.
readonly ruled_out=(
    nobody somebody everybody anybody whoever whomever 'strangers?' "stranger's" 'tells whether'
    'tells? of' 'told of' 'of late' 'as one likes' 'so long as' 'to be had'
    'lets? go of' 'who dies' 'who comes' 'who joins' "the system's word" 'comes and goes'
    'puts? up with' 'turned away' 'sent away' 'for ever'
)
pattern=$(IFS='|' && echo "${ruled_out[*]}")
status=0

mapfile -t texts < <(git ls-files '*.rs' '*.md' '*.ftl' '*.sh' '*.py' '*.toml' '*.c' '*.cpp' '*.h' \
    '*.desktop' Makefile | grep -vxF scripts/words.sh)
# Debian's user "nobody" keeps its name.
if found=$(grep -Hn '' "${texts[@]}" | grep -iEw "$pattern" |
    sed -E 's/NOBODY|as_nobody|"nobody|(user|words\}) "?nobody//g' | grep -iEw "$pattern" |
    grep -vF 'words: ok'); then
    echo "$found"
    say "These words are ruled out: name the actor, or use the standard term (CONTRIBUTING.md)."
    status=1
fi

# Tables, code blocks and lines without a blank to break at may be longer.
mapfile -t documents < <(git ls-files '*.md')
python3 - "${documents[@]}" <<'PYTHON' || status=1
import sys

LONGEST = 100
found = 0
for path in sys.argv[1:]:
    is_code = False
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        line = line.rstrip("\n")
        if line.lstrip().startswith("```"):
            is_code = not is_code
        may_be_long = is_code or line.lstrip().startswith("|") or " " not in line.strip()
        if not may_be_long and len(line) > LONGEST:
            print(f"{path}:{number}: {len(line)} columns")
            found += 1
if found:
    print(f"Lines of documents wrap at {LONGEST} columns.")
sys.exit(found > 0)
PYTHON
exit "$status"
