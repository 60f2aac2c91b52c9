"""A child process whose output lines can be waited for."""
import asyncio
import re
import signal
import time
import traceback

from . import topology

DEADLINE = 20.0  # seconds for any one event, unless the caller knows better
POLL = 0.2  # between questions about what no line tells


class Missing(AssertionError):
    """What was waited for did not come in time."""


def explain(failure):
    """Where an assertion failed, and its words."""
    place = traceback.extract_tb(failure.__traceback__)
    line = next((f for f in reversed(place) if f.filename.endswith("scenario.py")), place[-1])
    return f"{line.line}\n    {failure}" if str(failure) else line.line


class Several(AssertionError):
    """More than one failure, each explained."""


async def together(*coroutines):
    """Runs all to their ends and gives their results; fails with everything that failed."""
    results = await asyncio.gather(*coroutines, return_exceptions=True)
    failures = [result for result in results if isinstance(result, BaseException)]
    for failure in failures:
        if len(failures) == 1 or not isinstance(failure, AssertionError):
            raise failure
    if failures:
        raise Several("\n".join(explain(failure) for failure in failures))
    return results


async def until(question, what, deadline=DEADLINE, instead=None):
    """Asks `await question()` until the answer is true and gives that; `instead` tells in the end
    what there is instead."""
    end = time.monotonic() + deadline
    while not (answer := await question()):
        if time.monotonic() > end:
            raise Missing(f"{what}: not in {deadline:g} s"
                          + (f"; instead: {await instead()}" if instead else ""))
        await asyncio.sleep(POLL)
    return answer


class Lines:
    """Lines as they come, kept, with waiters. A mark is a place in the list."""

    def __init__(self, name):
        self.name = name
        self.lines = []
        self.times = []
        self.wake = asyncio.Event()

    def add(self, line):
        self.lines.append(line)
        self.times.append(time.monotonic())
        self.wake.set()
        self.wake = asyncio.Event()

    def mark(self):
        return len(self.lines)

    def find(self, pattern, since=0):
        """The first match of a regular expression since the mark, or None."""
        for line in self.lines[since:]:
            if found := re.search(pattern, line):
                return found
        return None

    def find_all(self, pattern, since=0):
        return [found for line in self.lines[since:] if (found := re.search(pattern, line))]

    async def wait_for(self, pattern, since=0, deadline=DEADLINE):
        end = time.monotonic() + deadline
        while not (found := self.find(pattern, since)):
            wake = self.wake
            try:
                await asyncio.wait_for(wake.wait(), end - time.monotonic())
            except asyncio.TimeoutError:
                tail = "\n    ".join(self.lines[since:][-15:])
                raise Missing(f"{self.name}: no line like {pattern!r} in {deadline:g} s; "
                              f"last lines:\n    {tail}") from None
        return found


class Process:
    """Runs on a host; stdout and stderr go line by line into `log` and into a file."""

    def __init__(self, name, host, command, env=None, cwd=None):
        self.name, self.host, self.command = name, host, command
        self.env, self.cwd = env, cwd
        self.log = Lines(name)
        self.process = None
        self.reader = None
        self.on_line = None  # called with each line, beside keeping it

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(
            *topology.inside(self.host, *map(str, self.command)), env=self.env, cwd=self.cwd,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, limit=1 << 22)
        self.reader = asyncio.create_task(self.read())
        return self

    async def read(self):
        logs = topology.RUN / "logs"
        logs.mkdir(exist_ok=True)
        with open(logs / f"{self.name}.log", "a", encoding="utf-8") as file:
            async for raw in self.process.stdout:
                line = raw.decode("utf-8", "replace").rstrip("\n")
                self.log.add(line)
                file.write(line + "\n")
                file.flush()
                if self.on_line:
                    self.on_line(line)
        self.log.add(f"[{self.name} ended with status {await self.process.wait()}]")

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process is not None and self.process.returncode is None

    async def stop(self, how=signal.SIGTERM, deadline=10.0):
        if not self.running():
            return
        self.process.send_signal(how)
        try:
            await asyncio.wait_for(self.process.wait(), deadline)
        except asyncio.TimeoutError:
            self.process.kill()
            await self.process.wait()
            raise Missing(f"{self.name}: still there {deadline:g} s after signal {how}") from None


async def command(host, *argv, deadline=DEADLINE, env=None):
    """Runs a short command on a host; returns (status, output)."""
    process = await asyncio.create_subprocess_exec(
        *topology.inside(host, *map(str, argv)), env=env, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    try:
        out, _ = await asyncio.wait_for(process.communicate(), deadline)
    except asyncio.TimeoutError:
        process.kill()
        raise Missing(f"{argv[0]}: not done in {deadline:g} s") from None
    return process.returncode, out.decode("utf-8", "replace")
