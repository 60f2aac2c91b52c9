"""What a scenario is given: the servers, started when first asked for and then shared, clients
that are gone when the scenario ends, and assertions that say what was wrong."""
import asyncio

from . import topology
from .client import Client
from .dns import Dns
from .ejabberd import Ejabberd
from .load import LeanClient
from .node import Node
from .peer import Peer
from .prosody import Prosody
from .site import DOMAINS, Site, home_server

USERS = ["bob", "carol", "alice", "dave", "erin", "frank"]
OUTSIDE = ["bob@prosody.example", "carol@ejabberd.example"]  # one user of each foreign server


class Stage:
    def __init__(self, build, full=False):
        self.build = build  # folder with the programs under test
        self.full = full  # long matrices wanted
        self.clients = []
        self.at_end = []  # coroutine functions that undo what the scenario did
        self.started = {}
        self.site = None
        self.failed = set()  # arrangements that do not even start
        self.peers = 0
        self.more = []  # nodes beside the site's
        self.on_step = None  # see Site

    async def once(self, name, make):
        """The shared server of that name, started by whoever asks first."""
        if name not in self.started:
            self.started[name] = asyncio.create_task(make())
        return await self.started[name]

    async def dns(self):
        return await self.once("dns", self.start_dns)

    async def start_dns(self):
        dns = await Dns().start()
        for host in ("prosody", "ejabberd"):
            for domain in (f"{host}.example", f"conference.{host}.example"):
                await dns.add_domain(domain, topology.address(host))
        for domain in DOMAINS:
            await dns.add_domain(domain, topology.address("edge"), topology.address6("edge"))
        return dns

    async def prosody(self):
        await self.dns()
        return await self.once("prosody", Prosody("prosody", "prosody.example", USERS).start)

    async def ejabberd(self):
        await self.dns()
        return await self.once("ejabberd", Ejabberd("ejabberd", "ejabberd.example", USERS).start)

    async def users(self):
        """The home server."""
        return await self.once("users", home_server(USERS).start)

    # Our side.

    async def nodes(self, small=False):
        """Edge, core and home, or without home node; the other arrangement is stopped."""
        await asyncio.gather(self.dns(), self.users())
        if self.site and self.site.small != small:
            await self.vacate()
        if not self.site:
            if small in self.failed:
                raise AssertionError("the nodes did not start: see the first failure")
            self.site = Site(self.build, small)
            self.site.on_step = self.on_step
            try:
                await self.site.start()
            except BaseException:
                self.failed.add(small)
                await self.vacate()
                raise
        return self.site

    async def vacate(self):
        """Stops the nodes; the next scenario that wants some gets new ones."""
        site, self.site = self.site, None
        if site:
            await site.stop()

    async def own_nodes(self, suffix, bare=False):
        """Edge, core and home of this scenario's own; bare: as just installed."""
        await asyncio.gather(self.dns(), self.users())
        await self.vacate()
        self.site = Site(self.build, suffix=suffix)
        self.at_end.append(self.vacate)
        await (self.site.boot() if bare else self.site.start())
        return self.site

    async def another(self, role, host, name, wrapper=()):
        """One more node, on a host of its own, for the core to join; removed in the end."""
        node = Node(self.build, name, role, host)
        node.wrapper = wrapper
        self.more.append(node)
        self.at_end.append(self.remove_more)
        await node.start()
        await node.configure("log.levels", *self.site.levels)
        return node

    async def remove_more(self):
        """Takes the nodes of `another` away and out of the core's settings."""
        more, self.more = self.more, []
        for node in more:
            if self.site and node.name in await self.core.node_names():
                await self.core.ctl("node", "remove", node.name)
            if node.running():
                await node.stop()

    @property
    def edge(self):
        return self.site.edge

    @property
    def core(self):
        return self.site.core

    @property
    def home(self):
        return self.site.home

    # Who talks.

    async def server(self, domain):
        """The server of that domain, started when it is not there."""
        if domain == "home.example" and not self.site:
            await self.nodes()
        return await {"prosody.example": self.prosody, "ejabberd.example": self.ejabberd,
                      "home.example": self.users}[domain]()

    async def client(self, jid, kind=Client):
        """A client of its server."""
        server = await self.server(jid.split("@")[1])
        client = await kind(jid, topology.address(server.host)).log_in()
        self.clients.append(client)
        return client

    async def lean(self, jid):
        """A client for many messages."""
        return await self.client(jid, LeanClient)

    async def alice_and_the_world(self):
        """alice@home.example with the nodes, and a user of each foreign server."""
        await self.nodes()
        return await asyncio.gather(self.client("alice@home.example"),
                                    *(self.client(jid) for jid in OUTSIDE))

    async def peer(self, *domains, listen=True, port=5269, dns=True, host=None, ipv6=False,
                   **options):
        """A foreign server of our own making, at an address of its own, in the DNS."""
        addresses = topology.PEERS6 if ipv6 else topology.PEERS
        address = addresses[self.peers % len(addresses)]
        self.peers += 1
        peer = Peer(address, *domains, **options)
        self.at_end.append(peer.stop)
        if listen:
            await peer.listen(port)
        if dns:
            for domain in domains:
                await self.domain(domain, address, port=port, host=host)
        return peer

    async def domain(self, domain, *addresses, port=5269, host=None):
        """That domain in the DNS while the scenario lasts."""
        dns = await self.dns()
        await dns.add_domain(domain, *addresses, port=port, host=host)
        host = host or f"xmpp.{domain}"

        async def forget():
            await dns.remove(f"_xmpp-server._tcp.{domain}.")
            await dns.remove(f"{host}.")
        self.at_end.append(forget)

    async def clear(self):
        """After each scenario, whatever its outcome."""
        problems = []
        topology.unblock()
        problems += self.accidents()
        restore = [node.restore for node in self.site.nodes] if self.site else []
        for undo in [*(c.log_out for c in reversed(self.clients)), *restore,
                     *reversed(self.at_end)]:
            try:
                await undo()
            except Exception as problem:  # pylint: disable=broad-except
                problems.append(f"{undo.__qualname__}: {problem}")
        self.clients, self.at_end = [], []
        problems += self.accidents()
        if dns := self.started.get("dns"):
            relay = (await dns).relay
            relay.delay_s, relay.lose = 0.0, False
        return problems

    def accidents(self):
        nodes = [*(self.site.nodes if self.site else []), *self.more]
        return [problem for node in nodes for problem in node.accidents()]
