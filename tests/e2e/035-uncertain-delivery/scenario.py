"""A foreign server falls silent and the connection to it breaks: what was sent and never
acknowledged is bounced, once, with the words that it may have been delivered; it is not sent a
second time, and what comes later passes over a new connection."""
import asyncio
import time

from lib import process, topology
from lib.peer import body
from lib.process import Missing, command

UNCERTAIN = "the connection broke; the stanza may have been delivered"
POLL = 0.05  # seconds: the kernel's queue tells nobody that it has grown


async def run(stage):
    await stage.nodes()
    alice = await stage.client("alice@home.example")
    peer = await stage.peer("broken.example")
    jid = "x@broken.example"
    await stage.home.set("log.levels", *stage.site.levels, "developer.xcp.jabber debug")
    mark = stage.home.mark()
    alice.say(jid, "before")
    await peer.message("before")
    await stage.home.event("stanza.written", jid, since=mark)  # it has its fate

    topology.block_address(peer.address)
    since = alice.mark()
    alice.say(jid, "uncertain")
    await in_the_kernel(peer)
    assert topology.reset_connections("edge", 5269, peer.address), "no connection"
    error = await alice.wait_for(lambda s: s.name == "message" and s["type"] == "error", since,
                                 what="bounce")
    assert error["from"] == jid, error
    assert error["error"]["type"] == "wait", error
    assert error["error"]["condition"] == "remote-server-timeout", error
    assert error["error"]["text"] == UNCERTAIN, error["error"]["text"]

    topology.unblock()
    alice.say(jid, "after")
    await peer.message("after")
    assert [body(e) for _, e in peer.stanzas] == ["before", "after"], "it was sent again"
    assert len({s for s, _ in peer.stanzas}) == 2, "not over a new connection"
    bounced = [s for s in alice.received[since:] if s["type"] == "error"]
    assert len(bounced) == 1, bounced


async def in_the_kernel(peer):
    """The edge's kernel has bytes for the peer that the peer has not acknowledged."""
    end = time.monotonic() + process.DEADLINE
    while time.monotonic() < end:
        _, out = await command("edge", "ss", "--no-header", "--tcp", "--numeric", "state",
                               "established", "dst", f"{peer.address}:5269")
        if any(int(line.split()[1]) for line in out.splitlines()):  # Recv-Q, Send-Q
            return
        await asyncio.sleep(POLL)
    raise Missing(f"nothing waits for {peer.address}'s acknowledgement: {out}")
