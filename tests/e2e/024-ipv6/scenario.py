"""A server that has only IPv6 is reached, proves itself and is proven to like any other; of a host
with both families IPv4 is dialled when IPv6 is refused or swallowed; and over IPv6, too, nobody
outside reaches inside."""
import sys

from lib import topology
from lib.node import LINK_PORT
from lib.peer import db_verify, message
from lib.process import command, together

CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)"


async def run(stage):
    await stage.nodes()
    alice = await stage.client("alice@home.example")
    await stage.edge.set("timeouts.tcp", 2)
    await together(only_ipv6(stage, alice), refused(stage, alice), swallowed(stage, alice),
                   nobody_reaches_inside())


async def only_ipv6(stage, alice):
    peer = await stage.peer("six.example", ipv6=True)
    claims = []
    peer.believe = lambda result: claims.append(result) or "valid"

    mark = stage.edge.mark()
    alice.say("x@six.example", "out by six")
    await peer.message("out by six")
    await stage.edge.event("s2s.out.attempt", "peer=six.example", f"[{peer.address}]:5269",
                           since=mark)
    stream, _ = peer.stanzas[-1]
    assert stream.secured.is_set(), "no TLS"
    assert far_end(stream) == topology.address6("edge"), far_end(stream)

    ask = await peer.connect("home.example")
    assert far_end(ask) == topology.address6("edge"), far_end(ask)
    ask.send(db_verify("six.example", "home.example", stream.our_id, claims[0].text))
    answer = await ask.element("verify", id=stream.our_id)
    assert answer.get("type") == "valid", ask.tail()

    proven = await peer.proven("home.example")
    assert far_end(proven) == topology.address6("edge"), far_end(proven)
    assert peer.verified, "the key was not verified by IPv6"
    proven.send(message("x@six.example", alice.boundjid.full, "in by six"))
    got = await alice.message("in by six")
    assert got["from"] == "x@six.example", got["from"]


def far_end(stream):
    return stream.transport.get_extra_info("peername")[0]


async def refused(stage, alice):
    await next_is_ipv4(stage, alice, "refused-by-six.example", "tcp-refused")


async def swallowed(stage, alice):
    await next_is_ipv4(stage, alice, "swallowed-by-six.example", "tcp-timeout",
                       topology.block_address)


async def next_is_ipv4(stage, alice, domain, why, spoil=lambda address: None):
    """Nobody listens at the IPv6 address that the DNS gives beside the peer's own."""
    peer = await stage.peer(domain, dns=False)
    six = topology.PEERS6[topology.PEERS.index(peer.address)]
    await stage.domain(domain, peer.address, six)
    spoil(six)
    mark = stage.edge.mark()
    alice.say(f"x@{domain}", f"to {domain}")
    await peer.message(f"to {domain}")
    tried = [(event.fields["address"], event.fields["after"])
             for event in stage.edge.events("s2s.out.attempt", f"peer={domain}", since=mark)]
    assert tried == [(f"[{six}]:5269", "none"), (f"{peer.address}:5269", why)], tried


async def nobody_reaches_inside():
    assert await reaches("core", "home"), "not even from inside"
    assert await reaches("core", "edge"), "the core does not reach the DMZ"
    for host, to in (("edge", "home"), ("prosody", "home")):
        assert not await reaches(host, to), f"{host} reaches {to}"


async def reaches(host, to):
    """Whether a TCP connection to the link's port comes about over IPv6."""
    status, _ = await command(host, sys.executable, "-c", CONNECT, topology.address6(to), LINK_PORT)
    return status == 0
