#!/usr/bin/python3
"""Types into real shells (bash, zsh, fish) with Tab, and looks at what they made of it. Before,
what was made from the tables is given to shellcheck and groff.

    completion_live.py [BUILD-FOLDER]

`sallyport` is a function there that prints its arguments, so what is checked is what the command
would have been called with.
"""
import os
import pathlib
import pty
import re
import select
import subprocess
import sys
import tempfile
import time

TREE = pathlib.Path(__file__).resolve().parent.parent.parent
DEADLINE_S = 20

SHELLS = {
    "bash": (["bash", "--noprofile", "--norc", "-i"], "sallyport() { printf '<%s>' \"$@\"; echo '<>'; }"),
    "zsh": (["zsh", "-f", "-i"],
            "autoload -Uz compinit; compinit -D; sallyport() { printf '<%s>' \"$@\"; echo '<>'; }"),
    "fish": (["fish", "--no-config", "-i"],
             "function sallyport; printf '<%s>' $argv; echo '<>'; end"),
}

# What is typed, and the arguments that come of it.
ROWS = [
    ("sallyport stat\t", ["status"]),
    ("sallyport status --j\t", ["status", "--json"]),
    ("sallyport conf\tge\tfederation.ena\t", ["config", "get", "federation.enabled"]),
    ("sallyport config set federation.security_mode tls-o\t",
     ["config", "set", "federation.security_mode", "tls-optional"]),
    ("sallyport config set --dry\tfederation.use_s\tof\t",
     ["config", "set", "--dry-run", "federation.use_static_routes", "off"]),
    ("sallyport home-server re\tf\t", ["home-server", "refresh"]),
    ("sallyport home-server add h1 addr\t192.0.2.1:8443 verify=o\t",
     ["home-server", "add", "h1", "address=192.0.2.1:8443", "verify=off"]),
    ("sallyport config apply bigf\t", ["config", "apply", "bigfile.txt"]),
    ("sallyport -c bigf\tstat\t", ["-c", "bigfile.txt", "status"]),
    ("sallyport completion fi\t", ["completion", "fish"]),
    ("sallyport help conf\tsh\t", ["help", "config", "show"]),
    ("sallyport log level network.d\tdeb\t", ["log", "level", "network.dns", "debug"]),
    ("sallyport log level al\tdeb\t", ["log", "level", "all", "debug"]),
    ("sallyport join fed\t", ["join", "fed"]),  # nothing may be offered where nothing is known
]


class Shell:
    def __init__(self, argv, folder):
        env = {"PATH": os.environ["PATH"], "HOME": folder, "TERM": "dumb", "LANG": "C.UTF-8",
               "PS1": "", "INPUTRC": "/dev/null"}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(argv[0], argv, env)
        self.seen = ""

    def type(self, text):
        os.write(self.fd, text.encode())

    def expect(self, pattern):
        """Until the pattern is seen; None after the deadline."""
        end = time.monotonic() + DEADLINE_S
        while True:
            found = re.search(pattern, self.seen)
            if found:
                self.seen = self.seen[found.end():]
                return found
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            if not ready:
                return None
            try:
                self.seen += os.read(self.fd, 65536).decode(errors="replace")
            except OSError:
                return None

    def finish(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def check(name, script, folder):
    argv, prepare = SHELLS[name]
    shell, wrong = Shell(argv, folder), 0
    # the marker is split, so that its echo is not taken for it
    shell.type(f"{prepare}\rsource {script}\recho rea''dy\r")
    if not shell.expect(r"ready\r?\n"):
        print(f"{name}: does not start: {shell.seen!r}")
        shell.finish()
        return len(ROWS)
    for typed, arguments in ROWS:
        for piece in re.findall(r"[^\t]*\t|[^\t]+$", typed):
            shell.type(piece)
        shell.type("\r")
        found = shell.expect(r"((?:<[^<>\r\n]*>)*)<>")
        got = re.findall(r"<([^>]*)>", found.group(1)) if found else shell.seen
        good = got == arguments
        wrong += not good
        print(f"{'ok' if good else 'FAILED'} {name}: {typed!r}{'' if good else f' gave {got}'}")
        if not found:
            break
    shell.finish()
    return wrong


def lint(folder):
    """shellcheck of the script for bash, and groff's warnings about each man page."""
    commands = [["shellcheck", "-s", "bash", folder / "src/ctl/sallyport.bash"]]
    pages = [*sorted((folder / "man").glob("*.[1-9]")), *sorted((TREE / "man").glob("*.[1-9]"))]
    others = {page: re.fullmatch(r"\.so man\d/(.*)\n", page.read_text()) for page in pages}
    commands += [["groff", "-man", "-Tutf8", "-ww", "-z", page] for page in pages
                 if not others[page]]
    wrong = 0
    for page, other in others.items():  # another name of a page, as it is installed
        if other and page.parent / other[1] not in pages:
            wrong += 1
            print(f"FAILED {page.name}: {other[1]} is not there")
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        good = done.returncode == 0 and not done.stderr
        wrong += not good
        print(f"{'ok' if good else 'FAILED'} {command[0]} {command[-1].name}"
              f"{'' if good else ': ' + done.stdout + done.stderr}")
    return wrong if len(pages) > 3 else wrong + 1


def main():
    build = TREE / (sys.argv[1] if len(sys.argv) > 1 else "build")
    wrong = lint(build)
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "bigfile.txt").touch()
        for name, file in (("bash", "sallyport.bash"), ("zsh", "_sallyport"),
                           ("fish", "sallyport.fish")):
            wrong += check(name, build / "src" / "ctl" / file, folder)
    print(f"{wrong} wrong" if wrong else "all is as it should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
