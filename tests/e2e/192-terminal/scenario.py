"""What somebody at a terminal of 24 lines of 80 sees: a status that fits and has colours, the
time that a slow answer takes, a cut table; what a script gets: neither, and exit codes. Ctrl-C
ends what follows the log."""
import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import termios
import time

from lib import topology
from lib.process import command, until

ROWS, COLUMNS = 24, 80
COLOUR = re.compile(r"\033\[[0-9;]*m")


async def run(stage):
    alice, bob, _ = await stage.alice_and_the_world()
    edge = stage.edge
    alice.say(bob.boundjid.full, "so that there is something to show")
    await until(lambda: well(edge), "edge: all is well")

    status, seen = await at_terminal(edge, "status")
    colour = 33 if "warning: " in seen else 32  # other scenarios leave alarm 25019 standing
    assert status == 0 and seen.startswith(f"\033[1m\033[{colour}medge"), seen
    assert_fits(seen)
    for part in ("federation    on; ", "links         1 of 1 open: core", "streams ", "alarms "):
        assert part in seen, seen
    _, seen = await at_terminal(edge, "status", env={"NO_COLOR": "1"})
    assert not COLOUR.search(seen), seen
    _, seen = await at_terminal(edge, "streams", columns=40)
    lines = seen.splitlines()
    assert len(lines) > 1 and all(len(line) <= 40 for line in lines[1:]), seen
    assert "\u2026" in seen, seen
    out = await edge.ctl("streams")
    assert "\u2026" not in out and not COLOUR.search(out), out

    # Slow, and then wrong.
    os.kill(edge.pid("traffic"), signal.SIGSTOP)
    try:
        status, seen = await at_terminal(edge, "status")
        assert status == 1 and "\rwaiting for 1 s" in seen, seen
        assert "streams       not known" in seen, seen
        assert "\033[1m\033[31medge" in seen and "traffic does not answer" in seen, seen
        assert_fits(seen.split("\r")[-1])
        status, out = await edge.try_ctl("status")
        assert status == 1 and out.startswith("waiting...\n"), out
    finally:
        os.kill(edge.pid("traffic"), signal.SIGCONT)
    status, out = await command(edge.host, edge.build / "src/ctl/sallyport", "-s", "/nowhere",
                                "status")
    assert status == 2 and "no node runs here" in out, out
    for words, wanted in ((["--help"], "usage: sallyport [-c FILE"), (["-h"], "usage: sallyport [-c FILE"),
                          (["close", "--help"], "usage: sallyport close XCODER"),
                          (["config", "--help"], "usage: sallyport config show"),
                          (["--version"], "sallyport 0.")):
        status, out = await command(edge.host, edge.build / "src/ctl/sallyport", *words)
        assert status == 0 and out.startswith(wanted), (words, status, out)
    status, out = await edge.try_ctl("sttaus")
    assert status == 2 and "did you mean: sallyport status" in out, out

    status, seen = await at_terminal(edge, "log", "--follow", "last=1", interrupt=b"\x03")
    assert status == -signal.SIGINT, (status, seen)


async def well(node):
    return (await node.try_ctl("status"))[0] == 0


def assert_fits(seen):
    lines = COLOUR.sub("", seen).replace("\r", "").splitlines()
    rows = sum(1 + (len(line) - 1) // COLUMNS for line in lines)
    assert 8 <= rows < ROWS and len(max(lines[1:], key=len)) <= COLUMNS, seen


async def at_terminal(node, *words, columns=COLUMNS, env=None, interrupt=None):
    """(exit code, what a terminal of that width was shown)"""
    return await asyncio.get_running_loop().run_in_executor(
        None, type_there, node, words, columns, env or {}, interrupt)


def type_there(node, words, columns, env, interrupt):
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
    argv = topology.inside(node.host, str(node.build / "src/ctl/sallyport"), "-s",
                           str(node.socket), *words)
    pid = os.fork()
    if pid == 0:
        os.setsid()
        fcntl.ioctl(follower, termios.TIOCSCTTY, 0)
        for fd in range(3):
            os.dup2(follower, fd)
        os.execvpe(argv[0], argv, {"PATH": os.environ["PATH"], "TERM": "xterm", **env})
    os.close(follower)
    seen, end = b"", time.monotonic() + 20
    while time.monotonic() < end:
        try:
            seen += os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if interrupt and b"\n" in seen:
            os.write(leader, interrupt)
            interrupt = None
    os.close(leader)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), seen.decode().replace("\r\n", "\n")
