"""What a scenario is given: the servers, started when first asked for and then shared, clients
that are gone when the scenario ends, and assertions that say what was wrong."""
import asyncio

from . import pki, topology
from .client import Client
from .dns import Dns
from .ejabberd import Ejabberd
from .prosody import Prosody

USERS = ["bob", "carol", "alice", "dave", "erin", "frank"]


class Stage:
    def __init__(self, build, full=False):
        self.build = build  # folder with the programs under test
        self.full = full  # long matrices wanted
        self.clients = []
        self.at_end = []  # coroutine functions that undo what the scenario did
        self.started = {}

    async def once(self, name, make):
        """The shared server of that name, started by whoever asks first."""
        if name not in self.started:
            self.started[name] = asyncio.create_task(make())
        return await self.started[name]

    async def dns(self):
        return await self.once("dns", self.start_dns)

    async def start_dns(self):
        dns = await Dns().start()
        await dns.add_domain("prosody.example", topology.address("prosody"))
        await dns.add_domain("conference.prosody.example", topology.address("prosody"))
        await dns.add_domain("ejabberd.example", topology.address("ejabberd"))
        await dns.add_domain("conference.ejabberd.example", topology.address("ejabberd"))
        return dns

    async def prosody(self):
        await self.dns()
        return await self.once("prosody", Prosody("prosody", "prosody.example", USERS).start)

    async def ejabberd(self):
        await self.dns()
        return await self.once("ejabberd", Ejabberd("ejabberd", "ejabberd.example", USERS).start)

    async def client(self, jid):
        """A client of its server, which is started when it is not there."""
        domain = jid.split("@")[1]
        server = {"prosody.example": self.prosody, "ejabberd.example": self.ejabberd}[domain]
        host = (await server()).host
        client = await Client(jid, topology.address(host)).log_in()
        self.clients.append(client)
        return client

    async def clear(self):
        """After each scenario, whatever its outcome."""
        problems = []
        for undo in [*(c.log_out for c in reversed(self.clients)), *reversed(self.at_end)]:
            try:
                await undo()
            except Exception as problem:  # pylint: disable=broad-except
                problems.append(f"{undo.__qualname__}: {problem}")
        self.clients, self.at_end = [], []
        topology.unblock()
        return problems
