"""A node under test: sallyportd on its host, asked and told things by `sallyport`."""
import asyncio
import json
import os
import re
import shutil
import signal

from . import events, topology
from .process import DEADLINE, Process, command, until

BOOTSTRAP = """
role = "{role}"
name = "{name}"
data = "{data}"
control_socket = "{socket}"
"""
LISTEN = """
listen {kind} {{
	address = {{ {addresses} }}
	port = {port}
}}
"""
S2S_PORT, LINK_PORT, PROVISION_PORT, AXL_PORT, ADMIN_PORT = 5269, 7400, 2222, 8443, 9443
LISTENS = {
    "edge": {"s2s": S2S_PORT, "link": LINK_PORT, "provision": PROVISION_PORT, "admin": ADMIN_PORT},
    "core": {"admin": ADMIN_PORT},
    "home": {"link": LINK_PORT, "provision": PROVISION_PORT, "axl": AXL_PORT, "admin": ADMIN_PORT},
}
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
    "timeouts.axl": ("10",),
    "timeouts.session": ("3600",),
    "limits.sessions": ("100",),
    "admin.metrics_token": (),
    "timeouts.pairing": ("900",),
    "timeouts.ssh_login": ("20",),
    "timeouts.ssh_silence": ("15",),
    "limits.ssh_connections": ("64",),
    "limits.ssh_connections_per_address": ("8",),
    "axl.refresh": ("300",),
    "axl.versions": (),
    "router.apply": ("live",),
    "tls.certificate": (),
}
# Settings are seen by traffic, but for these.
SEEN_BY = {"dns.": "resolver", "axl.": "manage", "home_servers": "manage", "limits.ssh": "manage",
           "timeouts.ssh": "manage", "timeouts.session": "manage",
           "limits.sessions": "manage", "admin.": "manage", "timeouts.axl": "manage", "timeouts.pairing": "manage"}
# What only some roles have, and who sets what the others are told.
ROLES = {"federation.": ("edge",), "tls.": ("edge",), "dial.": ("edge",), "domains": ("core",),
         "axl.refresh": ("core",), "axl.trust": ("core",), "axl.": ("home",),
         "home_servers": ("core",), "router.": ("home",)}


def row_of(table, name):
    """The value of the first key that the name begins with."""
    return next((value for key, value in table.items() if name.startswith(key)), None)


UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def row(edge):
    """An edge's cp_id in xmpps2snodes."""
    return f"cm-2_s2scp-1.{edge.replace('.', '-')}"


def listed(told, name):
    """Rows of a JSON answer: the list itself, or by that name in it."""
    return told if isinstance(told, list) else told[name]


class Refused(AssertionError):
    """What `sallyport` did not do; the message is what it printed."""


class Node:
    def __init__(self, build, name, role, host=None):
        self.build, self.name, self.role, self.host = build, name, role, host or role
        self.listens = dict(LISTENS[role])  # ports by kind
        self.env = None  # of its processes
        self.wrapper = ()  # a command that runs it
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

    async def start(self, fresh=True):
        """Fresh: as just installed; otherwise with the store that it had."""
        if fresh:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.settings, self.before = {}, {}
        self.folder.mkdir(exist_ok=True)
        self.checked = 0
        config = self.folder / "sallyport.conf"
        config.write_text(
            BOOTSTRAP.format(role=self.role, name=self.name, data=self.folder, socket=self.socket)
            + "".join(LISTEN.format(kind=kind, port=port, addresses=", ".join(
                f'"{own}"' for own in self.addresses(kind))) for kind, port in
                      self.listens.items()))
        self.process = await Process(
            self.name, self.host,
            [*self.wrapper, self.build / "src/process/sallyportd", "-c", config],
            env=self.env).start()
        await asyncio.gather(*(self.ready(child) for child in CHILDREN))
        return self

    def addresses(self, kind):
        """Where it listens for that."""
        if kind == "admin" and self.host in topology.MANAGEMENT:
            return [topology.MANAGEMENT[self.host]]
        return [topology.address(self.host), topology.address6(self.host)]

    def address(self, kind):
        return self.addresses(kind)[0]

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

    async def told(self, *words):
        """What a command tells with --json; `status` and `doctor` exit 1 if something is wrong."""
        status, out = await self.try_ctl(*words, "--json")
        if status != 0 and not (status == 1 and words[0] in ("status", "doctor")):
            raise Refused(f"{self.name}: sallyport {' '.join(map(str, words))}: {out.strip()}")
        return json.loads(out)

    async def identity(self):
        """What `node self` tells, by name: name, role, pin, ssh-pin."""
        return dict(line.split(" = ", 1) for line in (await self.ctl("node", "self")).splitlines())

    # Other nodes.

    async def pair(self, *options):
        """A pairing code of this node."""
        out = await self.ctl("pair", *options)
        return next(word for word in out.split() if word.startswith(f"{self.name}@"))

    async def join(self, code):
        return await self.ctl("join", code)

    async def joined(self, other, *options):
        """Paired with that node, which prints the code."""
        return await self.join(await other.pair(*options))

    async def node_names(self):
        """Whom it knows."""
        return [line.split()[0] for line in (await self.ctl("node", "list")).splitlines() if line]

    # The AXL service of a home node, and its client on the core.

    async def sql(self, statement):
        return await self.ctl("run", "sql", statement)

    async def table(self):
        """xmpps2snodes: pkid by cp_id."""
        out = await self.sql("select * from xmpps2snodes")
        return {cp_id: pkid for pkid, cp_id in
                re.findall(rf"^ *({UUID}) +(\S+) *$", out, re.MULTILINE)}

    async def rows(self, *edges, deadline=DEADLINE):
        """Its table has a row for each of these edges, and no other."""
        wanted = {row(edge) for edge in edges}

        async def there():
            return set(await self.table()) == wanted
        await until(there, f"{self.name}: rows {sorted(wanted)} in xmpps2snodes", deadline,
                    self.table)

    async def home_servers(self):
        """What the core says of each home server, by name."""
        return {row["name"]: row for row in listed(
            await self.told("home-server", "list"), "home_servers")}

    async def refresh(self, *names):
        """(whether all is well, what it says)"""
        status, out = await self.try_ctl("home-server", "refresh", *names)
        return status == 0, out

    async def notifications(self):
        return listed(await self.told("notifications"), "notifications")

    async def routes(self):
        return await self.told("routes")

    # Alarms.

    async def alarms(self):
        return listed(await self.told("alarms"), "alarms")

    async def alarm(self, number, subject=None, seen="", deadline=DEADLINE):
        """It has this alarm (about that subject, with that in what was seen)."""
        async def there():
            return next((alarm for alarm in await self.alarms() if alarm["number"] == number
                         and subject in (None, alarm["subject"]) and seen in alarm["seen"]), None)
        alarm = await until(there, f"{self.name}: alarm {number} {subject or ''} {seen!r}",
                            deadline, self.alarms)
        for part in ("title", "severity", "cause", "fix"):
            assert alarm[part], alarm
        return alarm

    async def no_alarm(self, number, subject=None, deadline=DEADLINE):
        """It has it no more."""
        async def gone():
            return not [alarm for alarm in await self.alarms() if alarm["number"] == number
                        and subject in (None, alarm["subject"])]
        await until(gone, f"{self.name}: end of alarm {number} {subject or ''}", deadline,
                    self.alarms)

    # Settings.

    async def configure(self, name, *values):
        """Sets, and comes back once the process that it concerns works by it."""
        values = tuple(map(str, values))
        if self.settings.get(name, DEFAULTS.get(name)) == values:
            return
        mark = self.log.mark()
        await self.ctl("config", "set", name, *values)
        self.settings[name] = values
        await self.took(row_of(SEEN_BY, name) or "traffic", mark)

    async def took(self, child, since):
        """That process works by new settings."""
        await self.log.wait_for(
            rf'sallyport-{child}\[\d+\]: .*CodeLocation="snapshot\.taken"', since)

    async def applied(self, change):
        """Traffic works by the last change whose line has this text."""
        found = self.log.find_all(events.pattern("config.changed", change))[-1].string
        await self.took("traffic", len(self.log.lines) - self.log.lines[::-1].index(found))

    def takes(self, name):
        """Whether this setting is set on its role."""
        return self.role in (row_of(ROLES, name) or LISTENS)

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

    def running(self):
        return self.process is not None and self.process.running()

    def accidents(self):
        """What died since the last call, though nobody killed it."""
        if not self.running():
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
