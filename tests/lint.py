#!/usr/bin/python3
"""Checks what the compiler cannot: the direction of includes, engines without I/O, which libraries
each program links, and that it has a man page. Prints what is wrong; silent and 0 when nothing is.

    lint.py [BUILD-FOLDER]      the linked libraries are checked in that folder's programs
"""
import pathlib
import re
import subprocess
import sys

TREE = pathlib.Path(__file__).resolve().parent.parent
SRC = TREE / "src"

# Top first; a file may include its own folder and those further down.
LAYERS = ["role", "process", "admin", "ctl", "axl", "provision", "router", "net", "ipc", "store",
          "xmpp", "policy", "tables", "base"]

# Whole folders of engines; those elsewhere are listed in docs/architecture.md as `engine: PATH`.
ENGINE_FOLDERS = ["xmpp", "policy"]

# What an engine may not see: nothing of the system, no clock, no loop, no log. arpa/inet.h is not
# here: an engine needs inet_pton to tell an address from a name, and that reads text and touches
# nothing.
NOT_FOR_ENGINES = re.compile(
    r"sys/(?!types\.h$)|netinet/|net/|netdb\.h$|p?threads?\.h$|signal\.h$|dirent\.h$"
    r"|time\.h$|unistd\.h$|fcntl\.h$|poll\.h$|syslog\.h$|event2/|event\.h$|systemd/|base/log\.h$"
    r"|openssl/(ssl|bio|rand)\.h$|unbound")

# Programs and the libraries they link, each without its version. libc and the sanitizers' own are
# allowed to all.
LIBRARIES = {
    "sallyportd": {"libevent_core", "libsqlite3", "libconfuse", "libcrypto", "libsystemd",
                   "libidn2", "libjansson"},
    "sallyport-traffic": {"libevent_core", "libssl", "libcrypto", "libidn2", "libseccomp",
                          "libcap"},
    "sallyport-manage": {"libevent_core", "libjansson", "libseccomp", "libcap", "libcurl", "libssh",
                         "libssl", "libcrypto", "libexpat", "libsqlite3", "libevent_extra",
                         "libevent_openssl", "libarchive", "libsodium", "libidn2"},
    "sallyport-resolver": {"libevent_core", "libunbound", "libseccomp", "libcap"},
    "sallyport-capture": {"libevent_core", "libpcap", "libseccomp", "libcap"},
    "sallyport": {"libconfuse", "libjansson"},
}
FOR_ALL = {"libc", "libm", "ld-linux-x86-64", "ld-linux-aarch64", "libasan", "libubsan"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def includes_of(path):
    """What a file includes; our own headers by their path in src, however they are written."""
    for _, name in INCLUDE.findall(path.read_text(encoding="utf-8")):
        beside = (path.parent / name).resolve()
        yield str(beside.relative_to(SRC)) if beside.is_file() and SRC in beside.parents else name


def sources():
    return sorted(p for p in SRC.rglob("*") if p.suffix in (".c", ".h"))


def up_the_tree():
    """An include that points up, or to a folder that the tree does not know."""
    for path in sources():
        folder = path.relative_to(SRC).parts[0]
        if folder not in LAYERS:
            yield f"{path.relative_to(TREE)}: folder {folder} is not in the tree of layers"
            continue
        for name in includes_of(path):
            other = name.split("/")[0]
            if (other in LAYERS and (SRC / name).is_file()
                    and LAYERS.index(other) < LAYERS.index(folder)):
                yield f"{path.relative_to(TREE)}: {name} points up the tree"


def listed_engines():
    page = TREE / "docs" / "architecture.md"
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    return re.findall(r"engine: `?((?:src/)?[a-z0-9_/]+\.c)", text)


def engines():
    for path in sources():
        tested = path.stem.endswith(("_test", "_fuzz", "_bench"))
        if path.relative_to(SRC).parts[0] in ENGINE_FOLDERS and not tested:
            yield path
    for name in listed_engines():
        path = TREE / name if name.startswith("src/") else SRC / name
        if path.is_file():
            yield path
        else:
            print(f"docs/architecture.md: engine {name} is not there")
            sys.exit(1)


def reached_from(path, seen):
    """(header, file that includes it) for everything that `path` sees, through our own headers."""
    for name in includes_of(path):
        yield name, path
        header = SRC / name
        if header.is_file() and header not in seen:
            seen.add(header)
            yield from reached_from(header, seen)


def engines_with_io():
    found = {f"{where.relative_to(TREE)}: {name} in an engine"
             for path in engines()
             for name, where in reached_from(path, set()) if NOT_FOR_ENGINES.match(name)}
    return sorted(found)


def needed(program):
    out = subprocess.run(["readelf", "-d", str(program)], check=True, capture_output=True,
                         text=True).stdout
    return [re.sub(r"(-[0-9]+(\.[0-9]+)+)?\.so.*", "", name)
            for name in re.findall(r"\(NEEDED\).*\[(.*)\]", out)]


def foreign_libraries(build):
    programs = {p.name: p for p in build.rglob("sallyport*") if p.is_file() and is_program(p)}
    for name in sorted(LIBRARIES.keys() - programs.keys()):
        yield f"{name}: not in {build.name}, so nobody knows what it links"
    for name, path in sorted(programs.items()):
        if name not in LIBRARIES:
            yield f"{name}: a program without a row in the table of libraries"
            continue
        for library in needed(path):
            if library not in LIBRARIES[name] | FOR_ALL:
                yield f"{name} links {library}, which is not its own"


def programs_without_a_page():
    for name in LIBRARIES:
        if not list((TREE / "man").glob(f"{name}.[18]*")):
            yield f"{name}: no man page"


def is_program(path):
    if path.suffix or path.name.endswith(("_test", "_fuzz")):
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def main():
    wrong = [*up_the_tree(), *engines_with_io(), *programs_without_a_page()]
    if len(sys.argv) > 1:
        wrong += foreign_libraries(TREE / sys.argv[1])
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
