#!/usr/bin/python3
"""Checks that what the documentation points at is there: files, headings, pictures, man pages.
Prints what is not; silent and 0 when nothing is missing."""
import pathlib
import re
import subprocess
import sys

TREE = pathlib.Path(__file__).resolve().parent.parent
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
MAN = re.compile(r"`(sallyport[a-z.-]*)\((\d)\)`")


def pages():
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=TREE,
                           check=True, capture_output=True, text=True).stdout.split()
    return [TREE / name for name in sorted(names) if (TREE / name).exists()]


def anchors(page):
    """The names that headings have, as GitHub makes them."""
    found = set()
    for heading in re.findall(r"^#+ +(.+?) *$", FENCE.sub("", page.read_text(encoding="utf-8")),
                              re.MULTILINE):
        name = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-")
        while name in found:
            name += "-1"
        found.add(name)
    return found


def missing(page):
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue  # of the net: not looked up
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists():
            yield f"{target} is not there"
        elif anchor and there.suffix == ".md" and anchor not in anchors(there):
            yield f"{target}: no such heading"
    for name, section in MAN.findall(text):
        if not list(TREE.glob(f"man/{name}.{section}*")):
            yield f"{name}({section}) is no man page of ours"


def main():
    wrong = [f"{page.relative_to(TREE)}: {what}" for page in pages() for what in missing(page)]
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
