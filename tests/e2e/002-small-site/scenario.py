"""Without a home node, the home server attached to the core: messages pass both ways."""
from lib.process import together



async def run(stage):
    await stage.nodes(small=True)
    alice, bob, carol = await together(
        stage.client("alice@home.example"), stage.client("bob@prosody.example"),
        stage.client("carol@ejabberd.example"))
    for other in (bob, carol):
        alice.say(other.boundjid.full, "from the small site")
        got = await other.message("from the small site")
        assert got["from"] == alice.boundjid, got["from"]
        other.say(alice.boundjid.full, f"to the small site, {other.boundjid.domain}")
        got = await alice.message(f"to the small site, {other.boundjid.domain}")
        assert got["from"] == other.boundjid, got["from"]
