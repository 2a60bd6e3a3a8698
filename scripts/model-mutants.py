#!/usr/bin/env python3
"""Weakens each memory ordering of the modelled protocols, one at a time: a model must fail.

The mutants come from the source: every fence, every acquire load, and every store or exchange that is
stronger than Relaxed, in the files of the protocols. A mutant that every model passes is printed as
SURVIVED, and the exit code is 1. Takes half a minute for each mutant; arguments select those whose
`file:line` contains one of them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Iterator, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
TREE = TARGET / "mutants"
# The files of the protocols, and the models that run them.
SOURCES = {
    "lock.rs": "model::lock",
    "semaphore/units.rs": "model::semaphore",
    "sample/ring.rs": "model::ring",
    "sample/regions.rs": "model::ring",
}

# The orderings, and their weaker replacements.
PATTERNS = [
    (re.compile(r"\bfence\(Ordering::\w+\);"), ""),
    (re.compile(r"\bload_acquire\(((?:[^()]|\([^()]*\))*)\)"), r"(\1).load(Ordering::Relaxed)"),
    (re.compile(r"Ordering::(Release|Acquire|AcqRel|SeqCst)"), "Ordering::Relaxed"),
]


class Mutant(NamedTuple):
    """A weakened line of a file."""

    source: str
    number: int
    line: str

    def __str__(self) -> str:
        return f"{self.source}:{self.number}"


def mutants() -> Iterator[Mutant]:
    """Yields a mutant for each ordering in production code."""
    for source in SOURCES:
        lines = (ROOT / "crates/shm-core/src" / source).read_text().splitlines()
        for number, line in enumerate(lines, 1):
            if line.lstrip().startswith(("//", "use ")):
                continue
            if line.startswith(("#[cfg(test)]", "#[cfg(all(test")):
                break
            for pattern, weaker in PATTERNS:
                weakened = pattern.sub(weaker, line, count=1)
                if weakened != line:
                    yield Mutant(source, number, weakened)
                    break


def survives(mutant: Mutant) -> bool:
    """Returns True if every model of its file passes with this mutant."""
    path = TREE / "crates/shm-core/src" / mutant.source
    original = path.read_text()
    lines = original.splitlines(keepends=True)
    lines[mutant.number - 1] = mutant.line + "\n"
    path.write_text("".join(lines))
    environment = os.environ | {"RUSTFLAGS": "--cfg loom -A warnings"}
    command = ["cargo", "test", "--locked", "-p", "shm-core", "--lib", "--target-dir", TARGET / "model"]
    try:
        build = subprocess.run([*command, "--no-run"], cwd=TREE, env=environment, capture_output=True)
        if build.returncode != 0:
            raise SystemExit(f"{mutant} does not compile:\n{build.stderr.decode()}")
        run = subprocess.run([*command, SOURCES[mutant.source]], cwd=TREE, env=environment, capture_output=True)
        return run.returncode == 0
    finally:
        path.write_text(original)


def main() -> int:
    """Tries every mutant; returns 1 if any survives."""
    wanted = sys.argv[1:]
    shutil.rmtree(TREE, ignore_errors=True)
    ignored = shutil.ignore_patterns("target", ".git")
    shutil.copytree(ROOT, TREE, ignore=ignored)
    survivors = 0
    tried = 0
    for mutant in mutants():
        if wanted and not any(part in str(mutant) for part in wanted):
            continue
        tried += 1
        survived = survives(mutant)
        survivors += survived
        verdict = "SURVIVED" if survived else "killed"
        print(f"{verdict:9}{mutant}: {mutant.line.strip() or '(removed)'}", flush=True)
    shutil.rmtree(TREE, ignore_errors=True)
    print(f"{tried - survivors} passed, {survivors} failed")
    return min(survivors, 1) if tried else 2


if __name__ == "__main__":
    sys.exit(main())
