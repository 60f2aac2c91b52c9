"""10,000 messages each way at 500 a second, while the core's traffic process is killed: each
arrives exactly once, in order; the process is started again and its end is in the log."""

from lib.load import Flow
from lib.process import together

COUNT, RATE = 10_000, 500
DEADLINE = 120


async def run(stage):
    await stage.nodes()
    alice, bob = await together(stage.lean("alice@home.example"),
                                stage.lean("bob@prosody.example"))
    flows = [Flow(alice, bob, "out", COUNT, RATE), Flow(bob, alice, "in", COUNT, RATE)]
    await together(*(flow.run() for flow in flows), kill(stage, flows))
    await together(*(flow.settled() for flow in flows))
    for flow in flows:
        flow.must_be_whole()


async def kill(stage, flows):
    await together(*(flow.under_way(COUNT // 3) for flow in flows))
    marks = stage.site.marks()
    mark = marks[stage.core.name]
    pid = stage.core.kill("traffic")
    died = await stage.core.event("process.died", "traffic", since=mark)
    assert "signal 9" in died.detail, died.detail
    await stage.core.event("process.restarted", "traffic", since=mark)
    await stage.core.ready("traffic", mark)
    assert stage.core.pid("traffic") != pid
    await stage.site.linked(marks)
