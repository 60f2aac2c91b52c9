#!/usr/bin/python3
"""Checks that docs/log.md has every module and event of src/tables/events.h, and no other. Prints
what to do; silent and 0 when nothing is.

    log_page.py [--write]      --write: makes them anew
"""
import pathlib
import re
import sys

TREE = pathlib.Path(__file__).resolve().parent.parent
PAGE = TREE / "docs" / "log.md"
MARK = "<!-- Below: tests/log_page.py --write, from src/tables/events.h. -->\n"
TEXT = r'((?:"[^"]*"\s*)+)'


def macro(text, name):
    """Its lines, as one."""
    body = re.search(rf"^#define {name}\(X\)(.*?[^\\])$", text, re.MULTILINE | re.DOTALL)[1]
    return re.sub(r"\\\n\s*", " ", body)


def joined(text):
    """String literals side by side, as one text."""
    return "".join(re.findall(r'"([^"]*)"', text))


def tables():
    text = (TREE / "src" / "tables" / "events.h").read_text(encoding="utf-8")
    modules = dict(re.findall(r'X\((\w+), "([^"]+)"\)', macro(text, "EVENT_MODULES")))
    events = re.findall(rf'X\(\w+, (\w+), (\w+), "([^"]+)",\s*{TEXT}\)', macro(text, "EVENTS"))
    counts = {key: sum(module == key for module, *_ in events) for key in modules}
    yield "\n## Modules\n\n| Module | Events |\n|---|---|\n"
    for key, name in modules.items():
        yield f"| `{name}` | {counts[key]} |\n"
    yield "\n## Events\n\n| Event | Module | Level | What it means |\n|---|---|---|---|\n"
    for module, level, location, words in events:
        means = joined(words).replace("|", "\\|").replace("<", "&lt;")
        yield f"| `{location}` | `{modules[module]}` | {level} | {means} |\n"


def main():
    page = PAGE.read_text(encoding="utf-8")
    by_hand = page[:page.index(MARK) + len(MARK)]
    wanted = by_hand + "".join(tables())
    if "--write" in sys.argv[1:]:
        PAGE.write_text(wanted, encoding="utf-8")
    elif page != wanted:
        print("docs/log.md: not what src/tables/events.h has: tests/log_page.py --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
