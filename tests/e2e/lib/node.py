"""A node under test: sallyportd on its host, asked and told things by `sallyport`."""
import asyncio
import os
import re
import signal

from . import events, topology
from .process import DEADLINE, Process, command

BOOTSTRAP = """
role = "{role}"
name = "{name}"
data = "{data}"
control_socket = "{socket}"
"""
LISTEN = """
listen {kind} {{
	address = {{ "{address}", "{address6}" }}
	port = {port}
}}
"""
LINK_PORT = 7400
CHILDREN = ("traffic", "manage", "resolver")

# What the settings are when nobody has set them, for those that scenarios change.
DEFAULTS = {
    "federation.enabled": ("off",),
    "federation.privacy_mode": ("allow-list",),
    "federation.allow_list": (),
    "federation.deny_list": (),
    "federation.use_static_routes": ("off",),
    "federation.static_routes": (),
    "federation.security_mode": ("tls-required",),
    "federation.verify_server_certificates": ("on",),
    "dial.allowed_networks": (),
    "log.levels": (),
    "limits.queue_seconds": ("60",),
    "limits.queue_stanzas": ("1000",),
    "limits.link_queue_seconds": ("60",),
    "timeouts.tcp": ("10",),
    "timeouts.step": ("15",),
    "timeouts.verify": ("25",),
    "timeouts.dialback": ("30",),
    "timeouts.authentication": ("60",),
}


class Refused(AssertionError):
    """What `sallyport` did not do; the message is what it printed."""


class Node:
    def __init__(self, build, name, role, host, listens):
        self.build, self.name, self.role, self.host = build, name, role, host
        self.listens = listens  # pairs of kind and port
        self.folder = topology.RUN / name
        self.socket = self.folder / "control.sock"
        self.process = None
        self.settings = {}  # as set, by name
        self.before = {}  # what the scenario changed: name and what it was
        self.killed = set()  # pids of children, by us
        self.checked = 0  # up to where the log has been read for accidents

    @property
    def log(self):
        return self.process.log

    async def start(self):
        self.folder.mkdir(exist_ok=True)
        config = self.folder / "sallyport.conf"
        config.write_text(
            BOOTSTRAP.format(role=self.role, name=self.name, data=self.folder, socket=self.socket)
            + "".join(LISTEN.format(kind=kind, address=topology.address(self.host),
                                     address6=topology.address6(self.host), port=port)
                      for kind, port in self.listens))
        self.process = await Process(
            self.name, self.host,
            [self.build / "src/process/sallyportd", "-c", config]).start()
        await asyncio.gather(*(self.ready(child) for child in CHILDREN))
        return self

    async def ready(self, child, since=0, deadline=DEADLINE):
        return await self.log.wait_for(
            rf'sallyport-{child}\[\d+\]: .*CodeLocation="process\.ready"', since, deadline)

    async def stop(self):
        await self.process.stop()

    # What `sallyport` is asked.

    async def try_ctl(self, *words, deadline=DEADLINE):
        """(status, output) of a command."""
        return await command(self.host, self.build / "src/ctl/sallyport", "-s", self.socket, *words,
                             deadline=deadline)

    async def ctl(self, *words):
        status, out = await self.try_ctl(*words)
        if status != 0:
            raise Refused(f"{self.name}: sallyport {' '.join(map(str, words))}: {out.strip()}")
        return out

    async def identity(self):
        """What `node self` tells: name, role, pin, with or without their names before them."""
        words = (await self.ctl("node", "self")).replace("=", " ").split()
        return [word for word in words if word not in ("name", "role", "pin")]

    async def add_node(self, other, address=None):
        """Pairs by hand; with the address where we have to dial it."""
        name, role, pin = await other.identity()
        await self.ctl("node", "add", name, f"role={role}", f"pin={pin}",
                       *([f"address={address}"] if address else []))

    # Settings.

    async def configure(self, name, *values):
        """Sets, and comes back once the process that it concerns works by it."""
        values = tuple(map(str, values))
        if self.settings.get(name, DEFAULTS.get(name)) == values:
            return
        mark = self.log.mark()
        await self.ctl("config", "set", name, *values)
        self.settings[name] = values
        reader = "resolver" if name.startswith("dns.") else "traffic"
        await self.log.wait_for(
            rf'sallyport-{reader}\[\d+\]: .*CodeLocation="snapshot\.taken"', mark)

    async def set(self, name, *values):
        """For a scenario: as it was again afterwards."""
        old = self.settings.get(name, DEFAULTS.get(name))
        assert old is not None, f"{name}: what is its default?"
        self.before.setdefault(name, old)
        await self.configure(name, *values)

    async def restore(self):
        before, self.before = self.before, {}
        for name, values in reversed(before.items()):
            await self.configure(name, *values)

    # What the log tells.

    def mark(self):
        return self.log.mark()

    async def event(self, name, *texts, since=0, deadline=DEADLINE):
        """The first event of that name since the mark whose Detail has all the texts."""
        return events.read((await self.log.wait_for(events.pattern(name, *texts), since,
                                                    deadline)).string)

    async def several(self, count, name, *texts, since=0):
        """So many events of that name."""
        place = since
        for _ in range(count):
            found = await self.log.wait_for(events.pattern(name, *texts), place)
            place = self.log.lines.index(found.string, place) + 1

    def events(self, name, *texts, since=0):
        """Those so far."""
        return [events.read(found.string)
                for found in self.log.find_all(events.pattern(name, *texts), since)]

    # Its processes.

    def pid(self, child):
        """Of the child that wrote the log last."""
        for line in reversed(self.log.lines):
            if found := re.search(rf" sallyport-{child}\[(\d+)\]: ", line):
                return int(found[1])
        raise LookupError(f"{self.name}: no {child} yet")

    def kill(self, child, how=signal.SIGKILL):
        """Returns the pid that is gone."""
        pid = self.pid(child)
        self.killed.add(pid)
        os.kill(pid, how)
        return pid

    def accidents(self):
        """What died since the last call, though nobody killed it."""
        if not self.process or not self.process.running():
            return [f"{self.name}: the node itself is gone"]
        died = self.events("process.died", since=self.checked)
        self.checked = self.mark()
        return [f"{self.name}: {event.detail}" for event in died
                if int(event.fields["pid"]) not in self.killed]

    def memory(self, child="traffic"):
        """Resident bytes."""
        with open(f"/proc/{self.pid(child)}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) * 1024 for line in status
                        if line.startswith("VmRSS:"))

    def connections(self, port):
        """How many TCP connections its host has with that port at the far or near end."""
        out = topology.run(*topology.inside(
            self.host, "ss", "--no-header", "--tcp", "--numeric", "state", "established",
            "(", "dport", "=", f":{port}", "or", "sport", "=", f":{port}", ")"))
        return len(out.splitlines())
