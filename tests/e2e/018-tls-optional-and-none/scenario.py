"""TLS optional: peers with and without TLS both work, both ways. No TLS: none is offered or taken,
and a peer that requires it is told."""
from lib.peer import child, message


async def run(stage):
    await stage.nodes()
    alice = await stage.client("alice@home.example")

    await stage.edge.set("federation.security_mode", "tls-optional")
    plain = await stage.peer("plain-optional.example", tls="none")
    await both_ways(alice, plain, tls=False)
    secure = await stage.peer("secure-optional.example", tls="required")
    await both_ways(alice, secure, tls=True)

    await stage.edge.set("federation.security_mode", "no-tls")
    offering = await stage.peer("offering.example")
    await both_ways(alice, offering, tls=False)
    stream = await offering.dial()
    features = await stream.open(from_="offering.example", to="home.example")
    assert child(features, "starttls") is None, stream.tail()

    await stage.peer("insisting.example", tls="required")
    since = alice.mark()
    alice.say("x@insisting.example", "in clear?")
    error = await alice.error(since=since)
    assert error["error"]["condition"] == "remote-server-not-found", error
    assert error["error"]["text"] == (
        "the domain's server requires encryption, which is switched off here"), error


async def both_ways(alice, peer, tls):
    domain = peer.domains[0]
    alice.say(f"x@{domain}", f"to {domain}")
    await peer.message(f"to {domain}")
    carrier = peer.stanzas[-1][0]
    assert carrier.secured.is_set() == tls, f"{domain}: TLS {carrier.secured.is_set()}"
    stream = await peer.proven("home.example", tls=tls)
    stream.send(message(f"x@{domain}", alice.boundjid.full, f"from {domain}"))
    got = await alice.message(f"from {domain}")
    assert got["from"] == f"x@{domain}", got["from"]
