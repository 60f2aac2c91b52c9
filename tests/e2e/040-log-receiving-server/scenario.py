"""The edge as receiving server shows in its log what the walk-through shows: the result received,
the look-up with its timings, the verification's way out and back."""
from lib.events import SHORT_KEY, pattern, xml


async def run(stage):
    await stage.nodes()
    peer = await stage.peer("receiving.example")
    mark = stage.edge.mark()
    stream = await peer.proven("home.example")
    identity = stream.id

    lines = [
        ("onStreamOpen", r"onStreamOpen:: " + xml("stream:stream", to="home.example")),
        ("stanza.component.in", r"xcoder=[0-9A-F]{9} received:: "
         + xml("db:result", from_="receiving.example", to="home.example") + SHORT_KEY),
        ("Resolver", "Starting resolver lookup for 'receiving.example:puny=receiving.example:"
         "service=_xmpp-server._tcp:defport=0'"),
        ("debug", r"resolved dialback address for host=receiving\.example method=SRV "
         r"dns-timings=\(TOTAL:\d+\.\d{6} SRV:\d+\.\d{6}\)"),
        ("DBVerify", r"DBVerify stream is open\. Sending db:verify packet: "
         + xml("db:verify", from_="home.example", to="receiving.example", id=identity)
         + SHORT_KEY),
        ("DBVerify", r"DBVerify Packet Received "
         + xml("db:verify", from_="receiving.example", to="home.example", id=identity,
               type="valid")),
    ]
    place = mark
    for name, text in lines:
        found = await stage.edge.log.wait_for(pattern(name) + ".*" + text, place)
        place = stage.edge.log.lines.index(found.string, place) + 1
    xcoder = identity[:9].upper()
    assert stage.edge.log.find(rf"xcoder={xcoder} received:: <db:result", mark), (
        f"no line of the stream {xcoder}")
    assert stage.edge.log.find(r"\([0-9A-Fa-f-]{36}, home\.example:receiving\.example, (IN|OUT)\)",
                               mark), "no line of the domain pair"
    for _, _, _, key in peer.keys:
        assert not stage.edge.log.find(key, mark), "a whole dialback key is in the log"
