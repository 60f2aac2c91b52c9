"""5,000 messages each way at 500 a second, while home's router is restarted six times: the process and
its streams go on, and each message arrives exactly once, in order."""
from lib.load import Flow
from lib.process import together

COUNT, RATE, RESTARTS = 5_000, 500, 6
DEADLINE = 120


async def run(stage):
    await stage.nodes()
    alice, bob = await together(stage.lean("alice@home.example"),
                                stage.lean("bob@prosody.example"))
    pid, marks = stage.home.pid("traffic"), stage.site.marks()
    flows = [Flow(alice, bob, "out", COUNT, RATE), Flow(bob, alice, "in", COUNT, RATE)]
    await together(*(flow.run() for flow in flows), disturb(stage, flows))
    await together(*(flow.settled() for flow in flows))
    for flow in flows:
        flow.must_be_whole()
    assert stage.home.pid("traffic") == pid, "the process was restarted"
    for name in ("link.down", "attachment.down"):
        assert not stage.home.events(name, since=marks[stage.home.name]), name


async def disturb(stage, flows):
    for place in range(1, RESTARTS + 1):
        await together(*(flow.under_way(place * COUNT // (RESTARTS + 2)) for flow in flows))
        mark = stage.home.mark()
        await stage.home.ctl("restart", "router")
        await stage.home.event("router.restarted", since=mark)
