"""Symptom 11: the SSH tunnel to the edge is down because its port is blocked, or because the edge
has another key than at pairing; the alarm says which, and the repair ends it."""
from lib import topology
from lib.node import PROVISION_PORT
from lib.process import together
from lib.site import configure_edge
from lib.talk import both_ways

DEADLINE = 150.0
SILENCE_SECONDS = 3


async def run(stage):
    await stage.nodes()
    alice, bob = await together(stage.client("alice@home.example"),
                                stage.client("bob@prosody.example"))
    await blocked(stage, alice, bob)
    await another_key(stage, alice, bob)


async def blocked(stage, alice, bob):
    edge, core = stage.edge, stage.core
    await stage.site.set("timeouts.ssh_silence", SILENCE_SECONDS)
    await core.set("timeouts.tcp", 2)
    marks = stage.site.marks()
    topology.block_port(PROVISION_PORT)
    await core.event("tunnel.down", edge.name, since=marks[core.name])
    await edge.event("tunnel.down", core.name, since=marks[edge.name])
    await core.event("tunnel.failed", edge.name, since=marks[core.name], deadline=40)
    await core.alarm(35014, edge.name)
    await edge.alarm(35013, core.name)
    status, out = await core.try_ctl("status")
    assert status == 0 and "tunnel" in out and edge.name in out, out
    await edge.set("federation.security_mode", "tls-optional")  # the core cannot hear of it
    assert not core.events("replica.taken", edge.name, since=marks[core.name])
    await both_ways(alice, bob)

    topology.unblock()
    await core.event("tunnel.up", edge.name, since=marks[core.name], deadline=60)
    await core.event("replica.taken", edge.name, since=marks[core.name])
    await core.no_alarm(35014)
    await together(core.no_alarm(35013), edge.no_alarm(35013))


async def another_key(stage, alice, bob):
    """An edge set up anew: nobody takes it for the old one."""
    core = stage.core
    edge_b = await stage.another("edge", "edge2", "edge-b")
    mark = core.mark()
    await core.joined(edge_b)
    await core.event("tunnel.up", edge_b.name, since=mark)
    await edge_b.stop()
    mark = core.mark()
    await edge_b.start()
    await configure_edge(edge_b)
    await core.event("tunnel.failed", edge_b.name, since=mark, deadline=60)
    alarm = await core.alarm(35013, edge_b.name, seen="key", deadline=40)
    assert edge_b.name in alarm["seen"] + alarm["subject"], alarm
    mark = core.mark()
    await core.joined(edge_b)
    await core.event("tunnel.up", edge_b.name, since=mark)
    await core.no_alarm(35013, edge_b.name)
    await both_ways(alice, bob)
