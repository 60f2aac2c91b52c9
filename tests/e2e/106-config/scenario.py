"""Settings go out to a file and come back the same; a dry run says what it would close and changes
nothing; a revision can be compared and restored; a file that is refused leaves all as it was."""
from lib import topology
from lib.process import together
from lib.talk import both_ways


async def run(stage):
    await stage.nodes()
    alice, bob = await together(stage.client("alice@home.example"),
                                stage.client("bob@prosody.example"))
    await both_ways(alice, bob)
    edge = stage.edge
    before = await settings(edge)
    file = topology.RUN / "edge.settings"
    file.write_text(await edge.ctl("config", "export"))
    assert "(secret " in file.read_text() and "the-dialback-secret" not in file.read_text()
    marks = stage.site.marks()

    assert await edge.ctl("config", "apply", "--dry-run", file) is not None
    await edge.ctl("config", "apply", file)
    assert await settings(edge) == before, "its own export changes something"

    revision = await newest(edge)
    await dry_run(edge, before)
    await refused(edge, file, before)
    assert await newest(edge) == revision, "what changed nothing made a revision"
    for name in ("s2s.out.closed", "s2s.in.closed", "link.down"):
        assert not edge.events(name, since=marks[edge.name]), name
    await both_ways(alice, bob)

    await change_and_restore(edge, file, before, revision)
    await both_ways(alice, bob)


async def settings(node):
    return await node.ctl("config", "show")


async def newest(node):
    """The number of the last revision."""
    return max(int(line.split()[0]) for line in (await node.ctl("config", "history")).splitlines()
               if line and line.split()[0].isdigit())


async def dry_run(edge, before):
    """It names what would end, and ends nothing."""
    out = await edge.ctl("config", "set", "--dry-run", "federation.deny_list", "prosody.example")
    assert "federation.deny_list" in out, out
    out = await edge.ctl("config", "set", "--dry-run", "federation.privacy_mode", "allow-list")
    assert "prosody.example" in out, f"whom it cuts off is not said: {out!r}"
    out = await edge.ctl("config", "set", "--dry-run", "federation.enabled", "off")
    assert "prosody.example" in out, f"whom it cuts off is not said: {out!r}"
    assert await settings(edge) == before, "a dry run changed something"


async def refused(edge, file, before):
    """A file with one bad line among good ones."""
    bad = topology.RUN / "bad.settings"
    lines = file.read_text().splitlines()
    for line, word in (("limits.queue_seconds = 0", "limits.queue_seconds"),
                       ("federation.nonsense = on", "federation.nonsense"),
                       ("federation.allow_list = bad..example", "bad..example"),
                       ("what is this", "")):
        bad.write_text("\n".join(["limits.depth = 60", *lines, line, ""]))
        for extra in (["--dry-run"], []):
            status, out = await edge.try_ctl("config", "apply", *extra, bad)
            assert status != 0 and word in out and len(out.split()) >= 3, f"{line}: {out!r}"
        assert await settings(edge) == before, f"{line}: something was changed"


async def change_and_restore(edge, file, before, revision):
    changed = topology.RUN / "changed.settings"
    changed.write_text(file.read_text() + "limits.queue_seconds = 50\n"
                       "federation.allow_list = one.example\n"
                       "federation.allow_list = two.example\n")
    out = await edge.ctl("config", "apply", changed)
    for word in ("limits.queue_seconds", "50", "two.example"):
        assert word in out, out
    assert "limits.queue_seconds = 50" in await settings(edge)
    diff = await edge.ctl("config", "diff", revision, "now")
    assert any(line.startswith("+") and "two.example" in line for line in diff.splitlines()), diff
    assert any(line.startswith("+") and "= 50" in line for line in diff.splitlines()), diff
    out = await edge.ctl("config", "restore", "--dry-run", revision)
    assert "limits.queue_seconds" in out, out
    assert "limits.queue_seconds = 50" in await settings(edge), "a dry run restored it"
    await edge.ctl("config", "restore", revision)
    assert await settings(edge) == before, await edge.ctl("config", "diff", revision, "now")
    assert not (await edge.ctl("config", "diff", revision, "now")).strip()
    assert await newest(edge) > revision, "a restore is a revision of its own"
