"""A message passes both ways between the inside and Prosody and ejabberd outside: to full and
bare addresses, with everything that is in it."""

TEXT = "<&> ü € \U0001f511 ]]&gt; \"quoted\" 'too'\n\tsecond line"


async def run(stage):
    alice, *outside = await stage.alice_and_the_world()
    for other in outside:
        for sender, receiver in ((alice, other), (other, alice)):
            for to in (receiver.boundjid.full, receiver.boundjid.bare):
                since = receiver.mark()
                await message(sender, receiver, to, since)


async def message(sender, receiver, to, since):
    stanza = sender.make_message(mto=to, mbody=TEXT, msubject="subject", mtype="chat")
    stanza["id"] = f"id-{to}"
    stanza["thread"] = "thread-1"
    stanza.send()
    got = await receiver.message(TEXT, since)
    assert got["from"] == sender.boundjid, got["from"]
    assert got["to"].bare == receiver.boundjid.bare, got["to"]
    for part in ("type", "subject", "thread"):
        assert got[part] == stanza[part], f"{part}: {got[part]!r}, sent {stanza[part]!r}"
