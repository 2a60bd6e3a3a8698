#!/usr/bin/env python3
"""Compares the public items of the library crates with their committed lists, docs/api/CRATE.txt.

    scripts/public-api.py            fails and prints the difference if a list is out of date
    scripts/public-api.py --update   writes the lists

A list has every item with its signature, the methods of each type and the traits that it implements,
as rustdoc shows them with all features. Methods that come from a `Deref` target and blanket
implementations are left out. Review a changed list like code: it is what other programs compile against.
"""

import difflib
import html.parser
import os
import pathlib
import re
import subprocess
import sys

# The crates whose public items are listed: one line each.
CRATES = [
    "shm-core",
    "qt-bridge",
    "shm-io",
]

ROOT = pathlib.Path(__file__).resolve().parent.parent
LISTS = ROOT / "docs" / "api"


def document(crate):
    """Runs rustdoc, and returns the directory of the crate's pages."""
    # Warnings are the business of `make test`'s part rustdoc.
    environment = dict(os.environ, RUSTDOCFLAGS="--cap-lints allow")
    command = ["cargo", "doc", "--locked", "--quiet", "--no-deps", "--all-features", "-p", crate]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return ROOT / target / "doc" / crate.replace("-", "_")


class Page(html.parser.HTMLParser):
    """The declaration, the implementations and the links of a rustdoc page."""

    def __init__(self, path):
        super().__init__()
        self.declaration = ""
        self.impls = []  # (section, header, [associated items])
        self.reexports = []
        self.links = []
        self._section = ""
        self._capturing = None  # (tag, what)
        self._hidden = 0
        self._text = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        classes = (attributes.get("class") or "").split()
        name = attributes.get("id") or ""
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        if tag == "h2" and "section-header" in classes:
            self._section = name
        elif tag == "pre" and "item-decl" in classes:
            self._begin("pre", "declaration")
        elif tag in ("h3", "h4") and "code-header" in classes:
            self._begin(tag, tag)
        elif tag == "dt" and name.startswith("reexport."):
            self._begin("dt", "reexport")
        elif tag == "summary" and self._capturing:
            # "Show 13 variants"
            self._hidden += 1
        elif tag == "div" and self._capturing and self._capturing[0] != "pre":
            self._text.append(" ")

    def handle_endtag(self, tag):
        if tag == "summary" and self._hidden:
            self._hidden -= 1
        if tag == "div" and self._capturing and self._capturing[0] == "pre":
            # Attributes.
            self._text.append("\n")
        if not self._capturing or tag != self._capturing[0]:
            return
        what, text = self._capturing[1], "".join(self._text)
        self._capturing = None
        if what == "declaration":
            self.declaration = text
        elif what == "reexport":
            self.reexports.append(one_line(text))
        elif what == "h3":
            self.impls.append((self._section, one_line(text), []))
        # Methods of a `Deref` target follow in a section without a header of their own.
        elif self.impls and self.impls[-1][0] == self._section:
            self.impls[-1][2].append(one_line(text))

    def handle_data(self, data):
        if self._capturing and not self._hidden:
            self._text.append(data)

    def _begin(self, tag, what):
        self._capturing, self._text = (tag, what), []


def one_line(text):
    text = re.sub(r"\s+", " ", text.replace("ⓘ", "")).strip()
    return text.replace("( ", "(").replace(", )", ")")


def describe(directory, href, crate):
    """Returns the lines of one item."""
    page = Page(directory / href)
    # struct.Name.html in the folders of its modules.
    modules, file = href.rpartition("/")[::2]
    kind, name = file.split(".")[:2]
    path = "::".join([crate, *filter(None, modules.split("/")), name])
    lines = [f"{kind} {path}"]
    lines += [f"    {line.rstrip()}" for line in page.declaration.strip().splitlines()]
    autos, impls = [], []
    for section, header, items in page.impls:
        if section == "implementations":
            impls += [(0, f"    {item}") for item in items]
        elif section == "trait-implementations" and "StructuralPartialEq" not in header:
            impls.append((1, f"    {header}"))
            impls += [(1, f"        {item}") for item in items if item.startswith("type ")]
        elif section in ("foreign-impls", "implementors"):
            impls.append((1, f"    {header}"))
        elif section == "synthetic-implementations" and re.search(r"\b(Send|Sync) for ", header):
            autos.append(f"    {header}")
    # Sorted, so that the order of the source does not matter; associated types stay with their trait.
    lines += sorted(line for rank, line in impls if rank == 0)
    traits = "\n".join(line for rank, line in impls if rank == 1)
    lines += sorted(filter(None, re.split(r"\n(?=    impl)", traits)))
    return path, lines + autos


def list_items(crate):
    directory = document(crate)
    library = crate.replace("-", "_")
    items = [href for href in Page(directory / "all.html").links if is_item(href)]
    modules = {""} | {href.rpartition("/")[0] for href in items}
    blocks = [
        (library, [f"{line} (in {'::'.join(filter(None, [library, *module.split('/')]))})"])
        for module in modules
        for line in Page(directory / module / "index.html").reexports
    ]
    blocks += [describe(directory, href, library) for href in items]
    return "\n\n".join("\n".join(lines) for _, lines in sorted(blocks)) + "\n"


def is_item(href):
    return re.fullmatch(r"(\w+/)*[a-z]+\.\w+\.html", href) is not None


def main():
    update = sys.argv[1:] == ["--update"]
    if sys.argv[1:] and not update:
        sys.exit(__doc__)
    is_current = True
    for crate in CRATES:
        path = LISTS / f"{crate}.txt"
        found = list_items(crate)
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(found, encoding="utf-8")
            continue
        committed = path.read_text(encoding="utf-8") if path.exists() else ""
        if found != committed:
            is_current = False
            name = str(path.relative_to(ROOT))
            difference = difflib.unified_diff(
                committed.splitlines(), found.splitlines(), name, "public items now", lineterm=""
            )
            print("\n".join(difference))
    if not is_current:
        sys.exit("The public items have changed. If that is intended: scripts/public-api.py --update")


if __name__ == "__main__":
    main()
