"""Each child of each node that dies is started again, with the cause in the log, and messages pass
both ways afterwards; the others go on undisturbed."""

from lib.node import CHILDREN
from lib.process import together


async def run(stage):
    alice, *outside = await stage.alice_and_the_world()
    for child in CHILDREN:
        before = {(node.name, other): node.pid(other) for node in stage.site.nodes
                  for other in CHILDREN if other != child}
        marks = stage.site.marks()
        await together(*(killed(node, child) for node in stage.site.nodes))
        if child == "traffic":
            await stage.site.linked(marks)
            await stage.site.last.event("attachment.up", since=marks[stage.site.last.name])
        for node in stage.site.nodes:
            await node.told("status")
            for other in CHILDREN:
                if other != child:
                    assert node.pid(other) == before[node.name, other], (
                        f"{node.name}: {other} went too when {child} died")
        for other in outside:
            alice.say(other.boundjid.full, f"without {child}")
            await other.message(f"without {child}")
            other.say(alice.boundjid.full, f"{other.boundjid.domain} without {child}")
            await alice.message(f"{other.boundjid.domain} without {child}")


async def killed(node, child):
    mark = node.mark()
    pid = node.kill(child)
    died = await node.event("process.died", child, since=mark)
    assert "signal 9" in died.detail, died.detail
    await node.event("process.restarted", child, since=mark)
    await node.ready(child, mark)
    assert node.pid(child) != pid, f"{node.name}: {child}"
