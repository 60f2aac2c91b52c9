"""The edge as initiating server shows in its log what the walk-through shows: the result sent,
the time it is given, and the connection's change of state."""
from lib.events import SHORT_KEY, pattern, xml


async def run(stage):
    await stage.nodes()
    alice = await stage.client("alice@home.example")
    peer = await stage.peer("initiated.example")
    keys = []
    peer.believe = lambda result: keys.append(result.text) or "valid"
    mark = stage.edge.mark()
    alice.say("x@initiated.example", "hello")
    await peer.message("hello")

    lines = [
        ("Resolver", "Starting resolver lookup for 'initiated.example:puny=initiated.example:"
         "service=_xmpp-server._tcp:defport=0'"),
        ("stanza.component.out", r"xcoder=[0-9A-F]{9} sending:: "
         + xml("db:result", from_="home.example", to="initiated.example") + SHORT_KEY),
        ("stream.out", r"\([0-9A-Fa-f-]{36}, home\.example:initiated\.example, OUT\) "
         r"xcoder=[0-9A-F]{9} Scheduling dialback timeout in 30 secs\."),
        ("ConnInfoHistory", r"Connection state change: PENDING->CONNECTED: "),
    ]
    place = mark
    for name, text in lines:
        found = await stage.edge.log.wait_for(pattern(name) + ".*" + text, place)
        place = stage.edge.log.lines.index(found.string, place) + 1
    ready = await stage.edge.event("s2s.out.ready", "initiated.example", since=mark)
    assert "xcoder=" in ready.detail, ready.detail
    for key in keys:
        assert not stage.edge.log.find(key, mark), "a whole dialback key is in the log"
        assert stage.edge.log.find(key[:8], mark), "the key's beginning is not in the log"
