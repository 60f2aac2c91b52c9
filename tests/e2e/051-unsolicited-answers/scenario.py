"""Answers that nobody asked for prove nothing: db:verify and db:result of type valid on an inbound
stream, for another pair or id on ours; the streams go on, and only the exact answer counts."""
from lib.peer import db_result, db_verify, message


async def run(stage):
    await stage.nodes()
    alice = await stage.client("alice@home.example")
    await inbound(stage, alice)
    await outbound(stage, alice)
    await verifying(stage)
    bad = [s["body"] for s in alice.received if s.name == "message" and "forged" in s["body"]]
    assert not bad, bad


async def inbound(stage, alice):
    """SEC-01a and c, on a stream that came to the edge."""
    peer = await stage.peer("unasked.example")
    for number, unasked in enumerate((
            db_verify("victim.example", "home.example", "x", "", type="valid"),
            db_verify("unasked.example", "home.example", "x", "", type="valid"),
            db_result("victim.example", "home.example", "", type="valid"),
            db_result("unasked.example", "home.example", "", type="valid"))):
        mark = stage.edge.mark()
        stream = await peer.connect("home.example")
        stream.send(unasked)
        await stage.edge.event("s2s.refused", stream.id[:9].upper(), since=mark)
        if number % 2:  # the stream goes on
            key = peer.key(stream, "unasked.example", "home.example")
            assert await stream.prove("unasked.example", "home.example", key) == "valid"
            stream.send(message("x@unasked.example", alice.boundjid.full, f"fence {number}"))
            await alice.message(f"fence {number}")
        stream.send(message("x@victim.example", alice.boundjid.full, "forged"))
        expected = "invalid-from" if number % 2 else "not-authorized"
        assert await stream.stream_error() == expected, stream.tail()


async def outbound(stage, alice):
    """SEC-01c on the stream that the edge opened: nothing is flushed but by the right answer."""
    peer = await stage.peer("slow-answer.example")
    peer.believe = lambda result: None
    mark = stage.edge.mark()
    alice.say("x@slow-answer.example", "waiting")
    await peer.until(lambda: any(e.tag.endswith("}result") for s in peer.served
                                 for e in s.elements), what="db:result")
    stream = peer.served[-1]
    for sender, target in (("victim.example", "home.example"),
                           ("slow-answer.example", "conference.home.example"),
                           ("slow-answer.example", "prosody.example")):
        stream.send(db_result(sender, target, "", type="valid"))
    await stage.edge.several(3, "s2s.refused", "slow-answer.example", since=mark)
    assert not peer.stanzas, "flushed by an answer for another pair"
    stream.send(db_result("slow-answer.example", "home.example", "", type="valid"))
    await peer.message("waiting")


async def verifying(stage):
    """SEC-01b on the stream by which the edge asks: a wrong pair or id first, then the truth."""
    peer = await stage.peer("verify-twice.example")

    def lie(verify):
        ours, theirs, identity = verify.get("to"), verify.get("from"), verify.get("id")
        stream = peer.served[-1]
        for answer in ((ours, theirs, identity + "0"), ("victim.example", theirs, identity),
                       (ours, "conference.home.example", identity)):
            stream.send(db_verify(*answer, "", type="valid"))
        return "invalid"
    peer.verify = lie
    stream = await peer.connect("home.example")
    verdict = await stream.prove("verify-twice.example", "home.example", "0" * 64)
    assert verdict == "invalid", verdict
