"""Symptoms 33 and 34: a static route that leads nowhere while DNS would do, and static routes that
are on with an empty list; each has its alarm, and a message passes once the settings are right."""
from lib import topology
from lib.process import together
from lib.talk import both_ways

QUEUE_SECONDS = 3


async def run(stage):
    await stage.nodes()
    alice, bob = await together(stage.client("alice@home.example"),
                                stage.client("bob@prosody.example"))
    edge = stage.edge
    await edge.set("limits.queue_seconds", QUEUE_SECONDS)
    await edge.set("timeouts.tcp", 2)

    await edge.set("federation.use_static_routes", "on")
    await edge.alarm(90008)
    await both_ways(alice, bob)  # by DNS
    await edge.set("federation.use_static_routes", "off")
    await edge.no_alarm(90008)

    nowhere = topology.PEERS[-1]
    peer = await stage.peer("routed.example")
    await edge.set("federation.static_routes", f"routed.example {nowhere} 5269 1")
    await edge.set("federation.use_static_routes", "on")
    mark, since = edge.mark(), alice.mark()
    alice.say("x@routed.example", "by the dead route")
    error = await alice.error("message", since)
    assert error["from"] == "x@routed.example", error
    await edge.event("s2s.out.failed", "routed.example", since=mark)
    alarm = await edge.alarm(90009, "routed.example")
    assert nowhere in alarm["seen"], alarm
    assert not peer.served, "DNS was asked all the same"
    await edge.set("federation.static_routes")
    await edge.no_alarm(90009)
    await edge.alarm(90008)
    alice.say("x@routed.example", "by DNS")
    await peer.message("by DNS")
    await edge.set("federation.use_static_routes", "off")
    await edge.no_alarm(90008)
