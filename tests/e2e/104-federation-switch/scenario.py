"""Switched off at the edge, streams end with system-shutdown, what waits is bounced and the row
leaves home's table; switched on again, a message passes within 30 s and nothing else is touched."""
import time

from lib.peer import header, message
from lib.process import together
from lib.talk import NOT_SET_UP, SWITCHED_OFF, both_ways, bounces

WITHIN = 30.0


async def run(stage):
    await stage.nodes()
    alice, bob = await together(stage.client("alice@home.example"),
                                stage.client("bob@prosody.example"))
    peer = await stage.peer("switch.example")
    slow = await stage.peer("slow.example")
    slow.believe = lambda result: None
    await both_ways(alice, bob)
    alice.say("x@switch.example", "before")
    await peer.message("before")
    outbound = peer.stanzas[-1][0]
    inbound = await peer.proven("home.example")
    inbound.send(message("x@switch.example", alice.boundjid.full, "before"))
    await alice.message("before")
    since = alice.mark()
    alice.say("x@slow.example", "waits")
    await slow.until(lambda: slow.served and slow.served[-1].elements, what="dialback result")

    marks = stage.site.marks()
    await stage.edge.configure("federation.enabled", "off")
    # Who sends nothing may close without an error; who sent last is told why.
    assert await inbound.stream_error() == "system-shutdown", inbound.tail()
    await outbound.end()
    error = await alice.error("message", since)
    assert error["from"] == "x@slow.example" and error["error"]["text"] == SWITCHED_OFF, error
    await stage.site.followed("off", marks)
    await bounces(alice, bob.boundjid.full, SWITCHED_OFF, NOT_SET_UP)
    refused = await peer.dial()
    refused.send(header(from_="switch.example", to="home.example"))
    await refused.end()

    processes = await pids(stage)
    marks = stage.site.marks()
    began = time.monotonic()
    await stage.edge.configure("federation.enabled", "on")
    await stage.site.followed("on", marks)
    await both_ways(alice, bob)
    took = time.monotonic() - began
    assert took < WITHIN, f"{took:.1f} s"
    assert await pids(stage) == processes, "a process was started again"
    for node in stage.site.nodes:
        for name in ("link.down", "attachment.down", "tunnel.down", "process.died"):
            assert not node.events(name, since=marks[node.name]), f"{node.name}: {name}"


async def pids(stage):
    told = await together(*(node.told("status") for node in stage.site.nodes))
    return [sorted((p["name"], p["pid"]) for p in status["processes"]) for status in told]
