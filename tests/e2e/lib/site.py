"""Our side of the border: the home server with alice and others, and the nodes before it, set up
as an operator would, once, and then used by all scenarios.

    full     edge, core, home; the home server is attached to the home node
    small    edge, core; the home server is attached to the core
"""
import asyncio
import pathlib
import re

from . import pki, prosody, topology
from .node import Node, row
from .process import until

DOMAIN = "home.example"
DOMAINS = [DOMAIN, f"conference.{DOMAIN}"]
DIALBACK_SECRET = "the-dialback-secret-of-the-tests"
ATTACH = pathlib.Path(__file__).resolve().parents[3] / "attach" / "prosody"
WORLD = (topology.NETWORKS["world"] + ".0/24", topology.NETWORKS6["world"] + ":/64")

EDGE = {
    "federation.privacy_mode": ("off",),
    "tls.trust": ("@{authority}",),
    "tls.certificate": ("@{certificate}",),  # with its key
    "dns.servers": (topology.SLOW_DNS,),
    "dial.allowed_networks": WORLD,
    "federation.dialback_secret": (DIALBACK_SECRET,),
}
LEVELS = tuple(f"{module} debug" for module in (
    "developer.xcp.cm", "XMPPFederation", "network.dns", "network.link", "network.attachment"))


def home_server(users):
    return prosody.Prosody("users", DOMAIN, users,
                           **prosody.attached("users", DOMAIN, ATTACH))


def attachment():
    """The home server, as the last node's setting has it."""
    return (f"users prosody {topology.address('users')} {prosody.GATEWAY_PORT} gateway.{DOMAIN} "
            f"{prosody.GATEWAY_SECRET} {DOMAIN}")


def certificate():
    """Of the edge towards the world, with its key."""
    return f"@{pki.with_key(*DOMAINS)}"


async def configure_edge(edge, **others):
    """All that an edge needs but the switch; `others`: settings of this one, with _ for the dot."""
    files = {"authority": pki.authority_file(), "certificate": pki.with_key(*DOMAINS)}
    own = {name.replace("_", ".", 1): values for name, values in others.items()}
    for name, values in {**EDGE, **own}.items():
        await edge.configure(name, *(value.format(**files) for value in values))


class Site:
    def __init__(self, build, small=False, suffix=None):
        self.small = small
        suffix = suffix or ("small" if small else "a")
        self.edge = Node(build, f"edge-{suffix}", "edge")
        self.core = Node(build, f"core-{suffix}", "core")
        self.home = None if small else Node(build, f"home-{suffix}", "home")
        self.levels = LEVELS
        self.on_step = None  # called with words about each step of the set-up, and what does it

    @property
    def nodes(self):
        return [node for node in (self.edge, self.core, self.home) if node]

    @property
    def others(self):
        """Those that the core dials."""
        return [node for node in self.nodes if node is not self.core]

    @property
    def last(self):
        """The node that the home server is attached to."""
        return self.home or self.core

    def domains(self, federated="on"):
        """The core's setting."""
        via = f" {self.home.name}" if self.home else ""
        return [f"{domain} {federated}{via}" for domain in DOMAINS]

    async def step(self, words, doing):
        await (self.on_step(words, doing) if self.on_step else doing)

    async def start(self):
        edge, core, last = self.edge, self.core, self.last
        await self.step("edge, core and home node start", self.boot())
        await self.step("core: config set domains", core.configure("domains", *self.domains()))
        await self.step(f"{last.role}: config set attachments",
                        last.configure("attachments", attachment()))
        await self.step("edge: certificate, privacy mode, resolver", configure_edge(edge))
        for other in self.others:
            await self.step(f"{other.role}: pair, core: join CODE", core.joined(other))
        await self.step("tunnels (2222), links (7400) and attachment come up", self.connected())
        await self.step("edge: config set federation.enabled on; core writes the row by AXL",
                        self.switch_on())
        return self

    async def boot(self):
        """The nodes as just installed, but for what they log."""
        await asyncio.gather(*(node.start() for node in self.nodes))
        await asyncio.gather(*(node.configure("log.levels", *self.levels) for node in self.nodes))

    async def connected(self):
        await asyncio.gather(self.linked(), self.tunnelled())

    async def linked(self, since=None):
        """Links are up (again, since these marks by node name), and the attachment is."""
        since = since or {}
        await asyncio.gather(
            *(node.event("link.up", other.name, since=since.get(node.name, 0))
              for node, other in self.pairs()),
            self.last.event("attachment.up"))

    async def tunnelled(self, since=None):
        """Likewise the tunnels."""
        since = since or {}
        await asyncio.gather(*(node.event("tunnel.up", other.name, since=since.get(node.name, 0))
                               for node, other in self.pairs()))

    def pairs(self):
        """Each node and each other that it knows."""
        return [pair for other in self.others for pair in ((self.core, other), (other, self.core))]

    async def switch_on(self):
        """On the edge alone; comes back when the others have followed."""
        marks = self.marks()
        await self.edge.configure("federation.enabled", "on")
        await self.followed("on", marks)

    async def followed(self, state, marks):
        """Core and home do as the edge was told."""
        change = {"on": "0 to: 1", "off": "1 to: 0"}[state]
        await self.core.event("config.changed", f"is_federation_enabled - changed from: {change}",
                              since=marks[self.core.name])
        if self.home:
            await self.home.rows(*([self.edge.name] if state == "on" else []))
            await self.loaded(self.edge.name, state == "on")
        if state == "on":
            await until(self.edge_knows, f"{self.edge.name}: federated domains",
                        instead=lambda: self.edge.ctl("config", "get", "domains"))
            await self.edge.applied("xconfiguration domains")
        await self.core.applied(f"is_federation_enabled - changed from: {change}")

    async def loaded(self, edge, there=True):
        """Home's router works by a table with that edge, or without."""
        async def so():
            seen = self.home.events("router.loaded")
            return seen and (row(edge) in seen[-1].detail) == there
        await until(so, f"{self.home.name}: router.loaded {'with' if there else 'without'} {edge}")

    async def edge_knows(self):
        out = await self.edge.ctl("config", "get", "domains")
        return all(re.search(rf"\b{re.escape(domain)} on\b", out) for domain in DOMAINS)

    def marks(self):
        return {node.name: node.mark() for node in self.nodes}

    async def set(self, name, *values):
        """On all nodes that have it."""
        await asyncio.gather(*(node.set(name, *values) for node in self.nodes if node.takes(name)))

    async def stop(self):
        await asyncio.gather(*(node.stop() for node in self.nodes if node.process))
