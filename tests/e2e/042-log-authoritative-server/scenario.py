"""The edge as authoritative server answers a verification with the truth, and shows in its log
what the walk-through shows: the stream, the question, and that it was for dialback only."""
from lib.events import pattern, xml
from lib.peer import db_verify


async def run(stage):
    await stage.nodes()
    alice = await stage.client("alice@home.example")
    peer = await stage.peer("asking.example")
    results = []
    peer.believe = lambda result: results.append(result) or "valid"
    alice.say("x@asking.example", "hello")
    await peer.message("hello")
    key, identity = results[0].text, peer.stanzas[-1][0].our_id

    mark = stage.edge.mark()
    stream = await peer.connect("home.example")
    stream.send(db_verify("asking.example", "home.example", identity, key))
    answer = await stream.element("verify")
    assert answer.get("type") == "valid", stream.tail()
    assert answer.get("id") == identity, stream.tail()
    stream.send("</stream:stream>")
    await stream.end()

    for name, text in (
            ("onStreamOpen", "onStreamOpen:: " + xml("stream:stream", to="home.example")),
            ("stanza.component.in", "received:: " + xml(
                "db:verify", from_="asking.example", to="home.example", id=identity)),
            ("stream.in", "closing stream used for dialback only")):
        await stage.edge.log.wait_for(pattern(name) + ".*" + text, mark)
    assert not stage.edge.log.find(key, mark), "the whole dialback key is in the log"
