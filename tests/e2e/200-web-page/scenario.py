"""The web pages of three nodes in Debian's Chromium: the first login by link, federation switched on,
the router restarted at home, the map live, a wrong AXL password named and mended, why a domain fails;
every page held against axe-core, and one way with the keyboard alone. With PICTURES=FOLDER in the
environment the screens of the documentation are left there."""
import asyncio
import json
import os
import pathlib
import re

from lib import topology
from lib.load import Flow
from lib.process import together
from lib.talk import both_ways

DEADLINE = 240.0
HERE = pathlib.Path(__file__).resolve().parent
PASSWORD = "the-axl-password"
COUNT, RATE = 10_000, 25  # messages each way, for as long as somebody looks
FAILING = "closed.example"


async def run(stage):
    bob = await stage.client("bob@prosody.example")
    site = await stage.own_nodes("web")
    alice = await stage.client("alice@home.example")
    await as_before_the_switch(site)
    await stage.domain(FAILING, topology.PEERS[7])  # nobody listens there

    flows = [Flow(await stage.lean(one), await stage.lean(other), name, COUNT, RATE)
             for one, other, name in ((alice.boundjid.bare, bob.boundjid.bare, "out"),
                                      (bob.boundjid.bare, alice.boundjid.bare, "in"))]
    running = []

    async def do(word):
        if word == "messages":
            await both_ways(alice, bob)
            running.extend(asyncio.create_task(flow.run()) for flow in flows)
        elif word == "failing":
            alice.say(f"somebody@{FAILING}", "are you there?")
            await site.edge.event("s2s.out.failed", f"peer={FAILING}")
    try:
        await Browser(site, stage).run(do)
    finally:
        for task in running:
            task.cancel()


async def as_before_the_switch(site):
    """Federation is off, home's router wants its restart, and the AXL password is known."""
    marks = site.marks()
    await site.edge.configure("federation.enabled", "off")
    await site.followed("off", marks)
    await together(*(node.configure("log.levels") for node in site.nodes))
    await site.home.configure("router.apply", "restart")
    await site.home.configure("axl.users", f"{site.core.name} {PASSWORD} axl")
    await site.core.ctl("home-server", "password", site.home.name, PASSWORD)


class Browser:
    def __init__(self, site, stage):
        self.site = site
        self.nodes = {"edge": site.edge, "core": site.core, "home": site.home}
        self.pictures = os.environ.get("PICTURES", "")
        self.full = stage.full

    async def link(self, node):
        return re.search(r"https://\S+", await node.ctl("admin", "link"))[0]

    async def run(self, do):
        wanted = topology.RUN / "browser.json"
        wanted.write_text(json.dumps({
            "web": str(HERE.parents[2] / "web"),
            "links": {role: await self.link(node) for role, node in self.nodes.items()},
            "names": {role: node.name for role, node in self.nodes.items()},
            "axlPassword": PASSWORD, "failing": FAILING, "pictures": self.pictures,
            "full": self.full}))
        process = await asyncio.create_subprocess_exec(
            "node", HERE / "browser.mjs", wanted, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, limit=1 << 20)
        try:
            said = await self.listen(process, do)
            assert await process.wait() == 0, "\n".join(said)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def listen(self, process, do):
        """Does what it asks for; gives what it said last."""
        said = []
        async for line in process.stdout:
            text = line.decode().rstrip()
            said.append(text)
            if text.startswith("ask: "):
                await do(text[5:])
                process.stdin.write(b"done\n")
                await process.stdin.drain()
        return said[-60:]
