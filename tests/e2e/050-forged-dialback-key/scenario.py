"""A key that the claimed domain's server did not make is invalid, whoever shows it; and as
authoritative server the edge calls valid only its own key for the very pair and stream."""

from lib.peer import conditions, db_verify, message
from lib.process import together


async def run(stage):
    alice, *_ = await stage.alice_and_the_world()
    evil = await stage.peer("forger.example")
    await together(*(claim(evil, domain)
                     for domain in ("prosody.example", "ejabberd.example")))
    await authoritative(alice, evil)
    assert not any("forged" in s["body"] for s in alice.received if s.name == "message")


async def claim(evil, victim):
    """Their real server is asked, and says no."""
    stream = await evil.connect("home.example", sender="forger.example")
    assert await stream.prove(victim, "home.example", "0" * 64) == "invalid", stream.tail()
    stream.send(message(f"bob@{victim}", "alice@home.example", "forged"))
    await stream.end()
    assert conditions(stream.raw) in (None, "not-authorized", "invalid-from"), stream.tail()


async def authoritative(alice, evil):
    results = []
    evil.believe = lambda result: results.append(result) or "valid"
    alice.say("x@forger.example", "hello")
    await evil.message("hello")
    key, identity = results[0].text, evil.stanzas[-1][0].our_id
    wrong = ("0" if key[0] != "0" else "1") + key[1:]
    questions = [
        (("forger.example", "home.example", identity, key), "valid"),
        (("forger.example", "home.example", identity, wrong), "invalid"),
        (("forger.example", "home.example", identity, key[:-1]), "invalid"),
        (("forger.example", "home.example", identity, ""), "invalid"),
        (("forger.example", "home.example", identity + "0", key), "invalid"),
        (("other.example", "home.example", identity, key), "invalid"),
        (("forger.example", "conference.home.example", identity, key), "invalid"),
    ]
    stream = await evil.connect("home.example")
    for question, verdict in questions:
        stream.send(db_verify(*question))
        answer = await stream.element("verify", id=question[2])
        assert answer.get("type") == verdict, f"{question}: {answer.get('type')}"
