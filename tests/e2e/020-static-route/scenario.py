"""A static route beats the DNS, also as the way to the authoritative server; of two routes the one
with the lower priority comes first, and the next when it refuses. A domain with a route needs no
entry in the allow list."""
from lib.peer import message


async def run(stage):
    await stage.nodes()
    alice = await stage.client("alice@home.example")
    by_dns = await stage.peer("routed.example")
    by_route = await stage.peer("routed.example", "unknown-to-dns.example", dns=False,
                                port=5270)
    await stage.edge.set("federation.static_routes",
                         f"routed.example {by_route.address} 5271 1",
                         f"routed.example {by_route.address} 5270 2",
                         f"unknown-to-dns.example {by_route.address} 5270 1")
    await stage.edge.set("federation.use_static_routes", "on")
    await stage.edge.set("federation.privacy_mode", "allow-list")

    alice.say("x@routed.example", "by the route")
    await by_route.message("by the route")
    stream = await by_route.proven("home.example")
    stream.send(message("x@routed.example", alice.boundjid.full, "verified by the route"))
    await alice.message("verified by the route")
    alice.say("x@unknown-to-dns.example", "by the route alone")
    await by_route.message("by the route alone")
    assert not by_dns.served, "the DNS was followed"
