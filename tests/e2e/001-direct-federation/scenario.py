"""Prosody and ejabberd federate directly: a message passes each way, and neither is changed."""


async def run(stage):
    bob = await stage.client("bob@prosody.example")
    carol = await stage.client("carol@ejabberd.example")

    bob.say(carol.boundjid.full, "from Prosody: <&> ü")
    got = await carol.message("from Prosody: <&> ü")
    assert got["from"] == bob.boundjid, got["from"]

    carol.say(bob.boundjid.full, "from ejabberd")
    got = await bob.message("from ejabberd")
    assert got["from"] == carol.boundjid, got["from"]
