"""Every command that has --json prints JSON and nothing else, on each role, by the command's own
help; what has arguments is given some."""
import json
import re

from lib.process import together
from lib.talk import both_ways

# Those with arguments that must be said.
ARGUMENTS = {
    "why": ["prosody.example"], "probe": ["prosody.example"], "trace": ["prosody.example", "for=1"],
    "config get": ["domains"], "config diff": ["1", "now"],
}
ON_EDGES = ("why", "probe", "trace")  # who faces the world, or can ask who does


async def run(stage):
    alice, bob, _ = await stage.alice_and_the_world()
    await both_ways(alice, bob)
    commands = await with_json(stage.edge)
    assert {"status", "alarms", "streams", "config history", "node list"} <= set(commands), commands
    for node in stage.site.nodes:
        for command in commands:
            if node is not stage.edge and command in ON_EDGES:
                continue
            words = [*command.split(), *ARGUMENTS.get(command, [])]
            status, out = await node.try_ctl(*words, "--json", deadline=40)
            assert status in (0, 1), f"{node.name}: {command}: {out}"
            assert status == 0 or command in ("doctor", "status"), f"{node.name}: {command}: {out}"
            read(command, out)
    told = (await together(*(node.told("node", "self") for node in stage.site.nodes)))[0]
    assert told["name"] == stage.edge.name and re.fullmatch("[0-9a-f]{64}", told["pin"]), told
    newest = (await stage.edge.told("config", "history"))[0]
    assert newest["author"] and newest["setting"] and newest["revision"] > 1, newest


def read(command, out):
    """One document, or with commands that stream a line for each."""
    try:
        json.loads(out)
    except ValueError:
        lines = out.splitlines()  # none, if a stream is quiet while it is traced
        assert command == "trace" or command == "log" and lines, f"{command}: {out[:300]}"
        for line in lines:
            json.loads(line)


async def with_json(node):
    names = re.findall(r"^  (\S+(?: \S+)?)  ", await node.ctl("help"), re.MULTILINE)
    usages = await together(*(node.ctl("help", *name.split()) for name in names))
    return [name for name, usage in zip(names, usages) if "[--json]" in usage.splitlines()[0]]
