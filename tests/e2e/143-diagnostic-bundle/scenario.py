"""The bundle of three nodes, saved on the core: their logs at level debug merged by time, with the mark;
settings, status, alarms, versions, captures; and none of the secrets of any node. Then all is as it was."""
import json
import re

from lib import capture, topology
from lib.process import together, until
from lib.talk import both_ways

PARTS = ("log.txt", "settings.txt", "status.json", "alarms.json", "versions.txt", "capture.pcapng")
QUIET = "network.admin"  # a module that no scenario has at debug


async def run(stage):
    await stage.nodes()
    core, nodes = stage.core, stage.site.nodes
    alice, bob = await together(stage.client("alice@home.example"),
                                stage.client("bob@prosody.example"))
    marks = stage.site.marks()
    await core.ctl("diag", "start", "capture", "secrets", "for=60")
    for node in nodes:
        await node.alarm(25019, "diagnostic log")
    await core.ctl("diag", "mark", "federation is switched on now")
    await capture.new_streams(stage.edge, "prosody.example")
    await both_ways(alice, bob)
    running = {row["node"]: row for row in (await core.told("diag", "status"))["nodes"]}
    assert set(running) == {node.name for node in nodes}, running
    assert all(row["state"] == "running" and row["secrets"] and row["lines"] > 0
               for row in running.values()), running
    await core.ctl("diag", "stop")
    for node in nodes:
        await node.event("diag.ended", "ended it", since=marks[node.name])
        await node.no_alarm(25019, "diagnostic log")

    folder = topology.RUN / "bundle"
    folder.mkdir(exist_ok=True)
    files = await capture.bundle(core, folder)
    wanted = {"README.txt", "merged.log", *(f"{node.name}/{part}" for node in nodes
                                           for part in PARTS)}
    assert set(files) == wanted, set(files) ^ wanted
    assert "Not here" not in files["README.txt"].read_text()
    merged = files["merged.log"].read_text().splitlines()
    logs = [files[f"{node.name}/log.txt"].read_text().splitlines() for node in nodes]
    assert sorted(merged) == sorted(line for log in logs for line in log)
    for node, log in zip(nodes, logs):
        told(node, log)
    nodes_by_time = re.findall(r"^\S+ (\S+) ", "\n".join(merged), re.MULTILINE)
    assert len([1 for a, b in zip(nodes_by_time, nodes_by_time[1:]) if a != b]) > 5, "not merged"
    for node in nodes:
        assert json.loads(files[f"{node.name}/status.json"].read_text())["node"]["name"] == node.name
        json.loads(files[f"{node.name}/alarms.json"].read_text())
        assert "sallyport " in files[f"{node.name}/versions.txt"].read_text()
    assert "message " in capture.dialogue(files[f"{stage.edge.name}/capture.pcapng"])
    # of the attachment too, which has no TLS
    assert b"</body>" in files[f"{stage.home.name}/capture.pcapng"].read_bytes()
    no_secret_in(nodes, files)

    for node in nodes:  # who took it is in the log of each
        await node.event("diag.taken", "what=log", since=marks[node.name])
    await again_as_before(stage.edge)
    await nothing_is_missed(stage.edge)


def told(node, log):
    """All of its processes, control too, at level debug, from its beginning to its end, with the mark."""
    text = "\n".join(log)
    for process in ("sallyportd", "sallyport-traffic", "sallyport-manage"):
        assert re.search(rf"^\S+ {node.name} {process}\[", text, re.MULTILINE), process
    assert 'CodeLocation="diag.started"' in log[0], log[0]
    assert 'CodeLocation="diag.ended"' in log[-1], log[-1]
    assert 'Level="DEBUG"' in text
    assert re.search('CodeLocation="diag.mark".*federation is switched on now', text), node.name


def no_secret_in(nodes, files):
    held = [line for node in nodes for secret in capture.secrets(node)
            for line in capture.lines_of(secret)]
    assert len(held) > 10, "where are the secrets?"
    for name, path in files.items():
        content = path.read_bytes()
        for secret in held:
            assert secret.encode() not in content, f"a secret is in {name}"


async def again_as_before(edge):
    """No module is at debug that was not."""
    mark = edge.mark()
    await edge.ctl("config", "history")

    async def asked():
        return edge.events("admin.request", "config history", since=mark)
    await until(asked, "the request in the log")
    assert not [line for line in edge.log.lines[mark:]
                if f'Module="{QUIET}" Level="DEBUG"' in line]


async def nothing_is_missed(edge):
    """A log that was begun without a capture has none, and its bundle does not complain."""
    await edge.ctl("diag", "start", "for=60")
    await edge.ctl("diag", "stop")
    out = await edge.ctl("diag", "bundle", topology.RUN / "no-capture.tar.gz")
    assert out.endswith("bytes of 1 node\n"), out
