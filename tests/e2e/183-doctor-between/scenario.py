"""Doctor names what is wrong between the nodes: symptom 10 where the edge alone is asked, 13 and 14
about the link, 11 about the tunnel, 22 about secrets that differ, 38 about clocks, a process that
stands still and a node that is gone."""
import os
import signal

from lib import doctor, topology
from lib.clock import AHEAD_SECONDS, moved_clock
from lib.doctor import Fault
from lib.node import LINK_PORT, PROVISION_PORT
from lib.site import configure_edge

DEADLINE = 500.0
OTHER = "the-secret-of-the-other-edge"


async def run(stage):
    site = await doctor.site(stage, "db")
    for node in site.nodes:
        await node.configure("timeouts.ssh_silence", 3)
    await site.core.configure("timeouts.tcp", 2)
    await doctor.all_named(stage, [
        Fault(13, link_blocked, quick=True),
        Fault(10, link_blocked, at="edge"),
        Fault(11, tunnel_blocked),
        Fault(11, another_key),
        Fault(102, process_stands_still),
        Fault(103, node_gone),
        Fault(14, wrong_interface),
        Fault(22, secrets_differ),
        Fault(38, clock_ahead),
    ])


async def link_blocked(stage):
    marks = stage.site.marks()
    topology.block_port(LINK_PORT)
    topology.reset_connections("core", LINK_PORT, "edge")
    topology.reset_accepted("edge", LINK_PORT)
    await stage.core.event("link.down", stage.edge.name, since=marks[stage.core.name])
    yield
    topology.unblock()
    await stage.core.event("link.up", stage.edge.name, since=marks[stage.core.name], deadline=60)


async def tunnel_blocked(stage):
    mark = stage.core.mark()
    topology.block_port(PROVISION_PORT)
    await stage.core.event("tunnel.failed", stage.edge.name, since=mark, deadline=40)
    yield
    topology.unblock()
    await stage.core.event("tunnel.up", stage.edge.name, since=mark, deadline=60)


async def second_edge(stage, *options, **settings):
    """Joined, and as well as the first one."""
    edge_b = await stage.another("edge", "edge2", "edge-b")
    await edge_b.configure("log.levels")
    await configure_edge(edge_b, **settings)
    mark = stage.core.mark()
    await stage.core.joined(edge_b, *options)
    await stage.core.event("tunnel.up", edge_b.name, since=mark)
    return edge_b


async def another_key(stage):
    """Set up anew without being paired anew: its link has another key too, but is not dialled
    where it listens for none."""
    edge_b = await second_edge(stage)
    mark = stage.core.mark()
    await edge_b.stop()
    await edge_b.start()
    await edge_b.configure("log.levels")
    await stage.core.event("tunnel.failed", edge_b.name, since=mark, deadline=60)
    yield
    await stage.remove_more()


async def process_stands_still(stage):
    pid = stage.home.pid("traffic")
    stage.home.killed.add(pid)  # by its own watchdog, if that takes too long
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)


async def node_gone(stage):
    mark = stage.core.mark()
    await stage.edge.stop()
    await stage.core.event("link.down", stage.edge.name, since=mark)
    yield
    await stage.edge.start(fresh=False)
    await stage.core.event("link.up", stage.edge.name, since=mark, deadline=60)


async def wrong_interface(stage):
    await second_edge(stage, f"link={topology.OUTER}:{LINK_PORT}")
    yield
    await stage.remove_more()


async def secrets_differ(stage):
    edge_b = await second_edge(stage, federation_dialback_secret=(OTHER,))
    await edge_b.configure("federation.enabled", "on")
    yield
    await stage.remove_more()


async def clock_ahead(stage):
    stage.edge.env = dict(os.environ, LD_PRELOAD=str(await moved_clock(AHEAD_SECONDS)))
    await again(stage)
    yield
    stage.edge.env = None
    await again(stage)


async def again(stage):
    """The edge is stopped and started."""
    mark = stage.core.mark()
    await stage.edge.stop()
    await stage.edge.start(fresh=False)
    for name in ("link.up", "tunnel.up"):
        await stage.core.event(name, stage.edge.name, since=mark, deadline=60)
