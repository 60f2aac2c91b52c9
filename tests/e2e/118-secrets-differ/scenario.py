"""Symptom 22: the partner's verification reaches the edge with the other secret and hears
`invalid`; messages bounce with that reason, alarm 90005 names it, one secret for both ends it."""
import asyncio

from lib.peer import db_verify
from lib.process import together, until
from lib.site import DIALBACK_SECRET, configure_edge
from lib.talk import NOT_BELIEVED

OTHER = "the-secret-of-the-other-edge"


async def run(stage):
    await stage.nodes()
    alice = await stage.client("alice@home.example")
    edge_b = await stage.another("edge", "edge2", "edge-b")
    await configure_edge(edge_b, federation_dialback_secret=(OTHER,))
    mark = edge_b.mark()
    await stage.core.joined(edge_b)
    await edge_b.event("config.changed", "xconfiguration domains", since=mark)
    await edge_b.configure("federation.enabled", "on")
    await together(*(node.alarm(90005) for node in (stage.core, stage.edge, edge_b)))

    peer = await stage.peer("partner.example")
    results = []
    peer.believe = lambda result: results.append(result)  # no answer before we have asked
    since = alice.mark()
    alice.say("x@partner.example", "not believed")
    assert await asked(peer, results, edge_b) == "invalid"
    answer(peer, results.pop(), "invalid")
    error = await alice.error("message", since)
    assert error["error"]["text"] == NOT_BELIEVED, error
    await edge_b.event("dialback.invalid", since=mark)

    await edge_b.configure("federation.dialback_secret", DIALBACK_SECRET)
    await together(*(node.no_alarm(90005) for node in (stage.core, stage.edge, edge_b)))
    await stage.edge.ctl("retry", "partner.example")  # it would wait a little before it dials again
    await asks_again(alice, results)
    assert await asked(peer, results, edge_b) == "valid"
    answer(peer, results.pop(), "valid")
    await peer.message("believed")


async def asks_again(alice, results):
    """For 2 s after a failure that no retry mends, the edge refuses without asking the peer."""
    async def tried():
        alice.say("x@partner.example", "believed")
        await asyncio.sleep(1)
        return results
    await until(tried, "db:result after the secret was changed")


async def asked(peer, results, edge):
    """What that edge, as authoritative server, says of the key that came."""
    await peer.until(lambda: results, what="db:result")
    result, stream_id = results[-1], peer.served[-1].our_id
    stream = await peer.dial(edge.host)
    await stream.open(peer.context(False), from_="partner.example", to="home.example")
    stream.send(db_verify("partner.example", "home.example", stream_id, result.text))
    return (await stream.element("verify")).get("type")


def answer(peer, result, verdict):
    stream = peer.served[-1]
    stream.send(f"<db:result from='{result.get('to')}' to='{result.get('from')}' "
                f"type='{verdict}'/>")
