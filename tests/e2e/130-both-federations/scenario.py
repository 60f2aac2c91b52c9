"""Symptom 9: the home server federates by itself beside the edge (its XMPP Federation Node Status
is On); alarm 90004 says so on home, and is gone once it is switched off there."""
from lib.process import together
from lib.talk import both_ways

DEADLINE = 120.0
OFF = '"s2s"; "s2s_auth_certs"; "dialback"'


async def run(stage):
    await stage.nodes()
    await stage.home.no_alarm(90004)
    try:
        await federating(stage, "")
        alarm = await stage.home.alarm(90004)
        assert "users" in alarm["subject"] + alarm["seen"], alarm
    finally:
        await federating(stage, OFF)
    await stage.home.no_alarm(90004)
    alice, bob = await together(stage.client("alice@home.example"),
                                stage.client("bob@prosody.example"))
    await both_ways(alice, bob)


async def federating(stage, disabled):
    """The home server is started again with these modules off."""
    users = await stage.users()
    mark = stage.home.mark()
    await users.stop()
    await stage.home.event("attachment.down", since=mark)
    users.options["disabled"] = disabled
    await users.start()
    await stage.home.event("attachment.up", since=mark, deadline=60)
