"""Allow list: who is on it may talk both ways, who is not is refused both ways, chat domains need
entries of their own. Deny list: the other way round. Nothing is looked up for who is refused."""

from lib.peer import db_error, db_result, message
from lib.process import together

RULES = "the rules here do not allow contact with this domain"


async def run(stage):
    alice, bob, carol = await stage.alice_and_the_world()
    one = await stage.peer("one.example")
    two = await stage.peer("two.example", "conference.one.example")

    await stage.edge.set("federation.allow_list", "prosody.example", "one.example")
    await stage.edge.set("federation.privacy_mode", "allow-list")
    mark = stage.edge.mark()
    alice.say(bob.boundjid.full, "allowed")
    await bob.message("allowed")
    bob.say(alice.boundjid.full, "allowed too")
    await alice.message("allowed too")
    await passes(alice, one, "one.example")
    await together(
        refused(alice, carol.boundjid.bare), refused(alice, "x@two.example"),
        refused(alice, "room@conference.one.example"),
        refused_in(two, "two.example"), refused_in(two, "conference.one.example"))
    assert not two.served, "it was dialled"
    looked_up = stage.edge.events("Resolver", "two.example", since=mark)
    assert not looked_up, looked_up

    await stage.edge.set("federation.deny_list", "two.example")
    await stage.edge.set("federation.privacy_mode", "deny-list")
    await refused(alice, "x@two.example")
    await refused_in(two, "two.example")
    await passes(alice, two, "conference.one.example")
    alice.say(carol.boundjid.full, "not denied")
    await carol.message("not denied")


async def refused(client, to):
    since = client.mark()
    client.say(to, f"to {to}")
    error = await client.wait_for(lambda s: s["type"] == "error" and s["from"] == to, since,
                                  what=f"error from {to}")
    assert error["error"]["condition"] == "not-allowed", error
    assert error["error"]["text"] == RULES, error["error"]["text"]


async def refused_in(peer, domain):
    stream = await peer.connect("home.example", sender=domain)
    stream.send(db_result(domain, "home.example", peer.key(stream, domain, "home.example")))
    answer = await stream.element("result")
    assert answer.get("type") == "error" and db_error(answer) == "not-allowed", stream.tail()


async def passes(alice, peer, domain):
    alice.say(f"x@{domain}", f"to {domain}")
    await peer.message(f"to {domain}")
    stream = await peer.proven("home.example", sender=domain)
    stream.send(message(f"x@{domain}", alice.boundjid.full, f"from {domain}"))
    await alice.message(f"from {domain}")
