"""The tests' own peer proves its domain to Prosody and ejabberd, in clear and under TLS, hears
their proof, and is told of a wrong key: what it says about the edge can be relied upon."""

from lib.peer import message
from lib.process import together


async def run(stage):
    await together(*(both_ways(stage, jid, tls) for jid in ("bob@prosody.example",
                                                            "carol@ejabberd.example")
                     for tls in ("offered", "none")))


async def both_ways(stage, jid, tls):
    host = jid.split("@")[1].split(".")[0]
    user = await stage.client(jid)
    domain = f"{host}-{tls}.example"
    peer = await stage.peer(domain, tls=tls)

    stream = await peer.proven(f"{host}.example", tls=tls != "none", to=host)
    stream.send(message(f"eve@{domain}", user.boundjid.full, f"in {tls}"))
    got = await user.message(f"in {tls}")
    assert got["from"] == f"eve@{domain}", got["from"]

    user.say(f"eve@{domain}", f"out {tls}")
    got = await peer.message(f"out {tls}")
    assert got.get("from") == user.boundjid.full, got.get("from")
    secured = next(s for s, e in peer.stanzas if e is got).secured.is_set()
    assert secured == (tls != "none"), f"TLS: {secured}"

    wrong = await peer.connect(f"{host}.example", tls=tls != "none", to=host)
    verdict = await wrong.prove(domain, f"{host}.example", "0" * 64)
    assert verdict == "invalid", verdict
