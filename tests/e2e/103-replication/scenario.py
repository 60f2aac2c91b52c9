"""What the edge and the core tell each other arrives, also what was changed while the tunnel was
down, as soon as it is back; revisions and ages are in the status of both."""
from lib import topology
from lib.node import PROVISION_PORT
from lib.process import until
from lib.talk import NO_PART, both_ways, bounces

DEADLINE = 150.0
SILENCE_SECONDS = 3
NEW = "new.home.example"


async def run(stage):
    site = await stage.own_nodes("r")
    alice, bob = await stage.client("alice@home.example"), await stage.client("bob@prosody.example")
    edge, core = site.edge, site.core
    for node in site.nodes:
        await node.configure("timeouts.ssh_silence", SILENCE_SECONDS)
    await in_step(site)

    marks = site.marks()
    topology.block_port(PROVISION_PORT)
    for node, other in ((core, edge), (edge, core)):
        await node.event("tunnel.down", other.name, since=marks[node.name])
    await both_ways(alice, bob)  # stanzas have a way of their own
    mark = core.mark()
    await edge.ctl("config", "set", "federation.enabled", "off")
    await edge.ctl("config", "set", "federation.security_mode", "tls-optional")
    await core.ctl("config", "set", "domains", *site.domains(), f"{NEW} on {site.home.name}")
    told = await tunnel(core, edge)
    assert told["state"] != "up" and told["why"], told
    row = await tunnel(edge, core)
    assert row["ours"] > row["acknowledged"], row
    assert not core.events("config.changed", "is_federation_enabled", since=mark), "by which way?"
    assert NEW not in await edge.ctl("config", "get", "domains")

    mark = edge.mark()
    topology.unblock()
    await core.event("replica.taken", edge.name, since=marks[core.name], deadline=60)
    await core.event("config.changed", "is_federation_enabled - changed from: 1 to: 0",
                     since=marks[core.name])
    await edge.event("replica.acknowledged", core.name, since=mark)

    async def known():
        return f"{NEW} on" in await edge.ctl("config", "get", "domains")
    await until(known, "the new domain on the edge")
    await in_step(site)

    await edge.ctl("config", "set", "federation.enabled", "on")
    await site.home.rows(edge.name)
    await site.loaded(edge.name)
    await both_ways(alice, bob)
    await core.configure("domains", *site.domains("off"))

    async def off():
        return "home.example off" in await edge.ctl("config", "get", "domains")
    await until(off, "the domain's switch on the edge")
    await bounces(alice, bob.boundjid.full, NO_PART)
    await core.configure("domains", *site.domains())
    await until(site.edge_knows, "the domains on the edge")
    await edge.applied("xconfiguration domains")
    await both_ways(alice, bob)


async def tunnel(node, other):
    told = await node.told("status")
    return next(row for row in told["tunnels"] if row["node"] == other.name)


async def in_step(site):
    """Each has stored the other's last, and has heard of it lately."""
    async def so():
        for node, other in site.pairs():
            row = await tunnel(node, other)
            back = await tunnel(other, node)
            if (row["state"] != "up" or row["acknowledged"] != row["ours"]
                    or row["theirs"] != back["ours"]
                    or row["heard_ms"] > SILENCE_SECONDS * 1000):
                return False
        return True

    async def instead():
        return [(node.name, await tunnel(node, other)) for node, other in site.pairs()]
    await until(so, "all revisions acknowledged", instead=instead)
