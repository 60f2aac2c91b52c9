"""The tests' lean clients carry 2,000 numbered messages each way between Prosody and ejabberd, at
500 a second: each once, in order."""

from lib.load import Flow
from lib.process import together


async def run(stage):
    bob, carol = await together(stage.lean("bob@prosody.example"),
                                stage.lean("carol@ejabberd.example"))
    flows = [Flow(bob, carol, "out", 2000, 500), Flow(carol, bob, "back", 2000, 500)]
    await together(*(flow.run() for flow in flows))
    await together(*(flow.settled() for flow in flows))
    for flow in flows:
        flow.must_be_whole()
