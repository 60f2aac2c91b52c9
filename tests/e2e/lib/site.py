"""Our side of the border: the home server with alice and others, and the nodes before it, paired
and configured once and then used by all scenarios.

    full     edge, core, home; the home server is attached to the home node
    small    edge, core; the home server is attached to the core
"""
import asyncio
import pathlib

from . import pki, prosody, topology
from .node import LINK_PORT, Node

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


class Site:
    def __init__(self, build, small=False):
        self.small = small
        suffix = "small" if small else "a"
        self.edge = Node(build, f"edge-{suffix}", "edge", "edge",
                         [("s2s", 5269), ("link", LINK_PORT)])
        self.core = Node(build, f"core-{suffix}", "core", "core", [])
        self.home = None if small else Node(build, f"home-{suffix}", "home", "home",
                                            [("link", LINK_PORT)])
        self.levels = LEVELS

    @property
    def nodes(self):
        return [node for node in (self.edge, self.core, self.home) if node]

    @property
    def last(self):
        """The node that the home server is attached to."""
        return self.home or self.core

    async def start(self):
        await asyncio.gather(*(node.start() for node in self.nodes))
        await asyncio.gather(*(self.configure(node) for node in self.nodes))
        marks = [node.mark() for node in self.nodes]
        for other in self.nodes:
            if other is not self.core:
                await other.add_node(self.core)
                await self.core.add_node(other, f"{topology.address(other.host)}:{LINK_PORT}")
        await asyncio.gather(self.linked(), *(
            node.event("link.up", since=mark) for node, mark in zip(self.nodes, marks)))
        return self

    async def configure(self, node):
        via = f" {self.home.name}" if node is self.core and self.home else ""
        await node.configure("log.levels", *self.levels)
        await node.configure("domains", *(f"{domain} on{via}" for domain in DOMAINS))
        if node is self.edge:
            files = {"authority": pki.authority_file(), "certificate": pki.with_key(*DOMAINS)}
            for name, values in EDGE.items():
                await node.configure(name, *(value.format(**files) for value in values))
        if node is self.last:
            await node.configure(
                "attachments", f"users prosody {topology.address('users')} "
                f"{prosody.GATEWAY_PORT} gateway.{DOMAIN} {prosody.GATEWAY_SECRET} {DOMAIN}")
        await node.configure("federation.enabled", "on")

    async def linked(self, since=None):
        """Links and attachment are up (again, since these marks by node name)."""
        since = since or {}
        waits = [self.core.event("link.up", other.name, since=since.get(self.core.name, 0))
                 for other in self.nodes if other is not self.core]
        await asyncio.gather(*waits, self.last.event("attachment.up"))

    def marks(self):
        return {node.name: node.mark() for node in self.nodes}

    async def set(self, name, *values):
        """On all nodes."""
        await asyncio.gather(*(node.set(name, *values) for node in self.nodes))

    async def stop(self):
        await asyncio.gather(*(node.stop() for node in self.nodes if node.process))
