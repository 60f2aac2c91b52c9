"""Changed settings take effect at once and close no stream that they do not concern."""
from lib.peer import db_error, db_result, message


async def run(stage):
    alice, bob, carol = await stage.alice_and_the_world()
    peer = await stage.peer("concerned.example")
    for other in (bob, carol):
        alice.say(other.boundjid.full, "before")
        await other.message("before")
        other.say(alice.boundjid.full, f"before {other.boundjid.domain}")
        await alice.message(f"before {other.boundjid.domain}")
    alice.say("x@concerned.example", "before")
    await peer.message("before")
    inbound = await peer.proven("home.example")
    inbound.send(message("x@concerned.example", alice.boundjid.full, "before concerned"))
    await alice.message("before concerned")
    outbound = peer.stanzas[-1][0]

    marks = stage.site.marks()
    await stage.edge.set("limits.queue_stanzas", 900)
    await stage.edge.set("timeouts.dialback", 20)
    await stage.edge.set("federation.deny_list", "concerned.example")
    await stage.edge.set("federation.privacy_mode", "deny-list")

    alice.say("x@concerned.example", "after")
    error = await alice.error()
    assert error["error"]["condition"] == "not-allowed", error
    await outbound.end()
    again = await peer.connect("home.example")
    again.send(db_result("concerned.example", "home.example",
                         peer.key(again, "concerned.example", "home.example")))
    assert db_error(await again.element("result")) == "not-allowed", again.tail()
    inbound.send(message("x@concerned.example", alice.boundjid.full, "after concerned"))
    await inbound.end()

    for other in (bob, carol):
        alice.say(other.boundjid.full, "after")
        await other.message("after")
        other.say(alice.boundjid.full, f"after {other.boundjid.domain}")
        await alice.message(f"after {other.boundjid.domain}")
    assert not any(s["body"] == "after concerned" for s in alice.received), "it came through"
    for name in ("s2s.out.closed", "s2s.in.closed", "s2s.out.ready", "s2s.in.ready"):
        for domain in ("prosody.example", "ejabberd.example"):
            seen = stage.edge.events(name, domain, since=marks[stage.edge.name])
            assert not seen, f"{name}: {seen[0].detail}"
    for node in stage.site.nodes:
        for name in ("link.down", "attachment.down", "process.died"):
            assert not node.events(name, since=marks[node.name]), f"{node.name}: {name}"
