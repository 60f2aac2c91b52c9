"""A pairing code joins two nodes once, in its time, and never after five wrong ones; join and pair
belong to their roles; a node that is removed loses tunnel and link at once, and may come again."""
import re

from lib.process import until
from lib.talk import both_ways

DEADLINE = 150.0


async def run(stage):
    await stage.nodes()
    alice, bob = await stage.client("alice@home.example"), await stage.client("bob@prosody.example")
    core = stage.core
    other = await stage.another("edge", "edge2", "edge-b")
    await roles(stage, other)
    await wrong_code(core, other)
    await cut_off(core, other)
    await expired(core, other)
    await voided(core, other)
    await used(core, other)
    await removed(core, other)
    await both_ways(alice, bob)
    assert set(await core.node_names()) == {stage.edge.name, stage.home.name, other.name}


async def refused(core, code, *texts):
    status, out = await core.try_ctl("join", code)
    assert status != 0, f"it was taken: {out}"
    for text in texts:
        assert text in out, f"{text!r} is not said: {out!r}"
    return out


def another_secret(code):
    """The same code but for the first letter of its last part, which is the secret."""
    start, secret = code.rsplit("/", 1)
    return f"{start}/{'b' if secret[0] == 'a' else 'a'}{secret[1:]}"


async def roles(stage, other):
    code = await other.pair()
    for node in (stage.edge, stage.home):
        status, out = await node.try_ctl("join", code)
        assert status != 0 and "core" in out, out
    status, out = await stage.core.try_ctl("pair")
    assert status != 0 and len(out.split()) > 3, out


async def wrong_code(core, other):
    code = await other.pair()
    marks = core.mark(), other.mark()
    await refused(core, another_secret(code))
    await core.event("pairing.failed", other.name, since=marks[0])
    await other.log.wait_for(r'CodeLocation="(pairing\.failed|ssh\.refused)"', marks[1])
    assert other.name not in await core.node_names()
    assert core.name not in await other.node_names()
    for node in (core, other):
        for secret in (code.split("/")[-1], another_secret(code).split("/")[-1]):
            assert not node.log.find(secret), f"{node.name} logs the secret"


async def cut_off(core, other):
    code = await other.pair()
    await refused(core, code[:-5])
    await refused(core, "nonsense")
    name, rest = code.split("@")
    await refused(core, f"another@{rest}")
    parts = code.split("/")
    pin = ("B" if parts[1][0] != "B" else "C") + parts[1][1:]
    await refused(core, "/".join([parts[0], pin, parts[2]]), "key")
    assert name not in await core.node_names()


async def expired(core, other):
    mark = other.mark()
    code = await other.pair("for=10")
    await other.event("pairing.code", "state=void", "time", since=mark)
    await refused(core, code)
    assert other.name not in await core.node_names()


async def voided(core, other):
    """Five failures, whoever makes them."""
    mark = other.mark()
    code = await other.pair()
    for _ in range(5):
        await refused(core, another_secret(code))
    await other.event("pairing.code", "state=void", "five", since=mark)
    await refused(core, code)
    assert other.name not in await core.node_names()


async def used(core, other):
    marks = core.mark(), other.mark()
    code = await other.pair()
    await core.join(code)
    await core.event("pairing.done", other.name, since=marks[0])
    await other.event("pairing.done", core.name, since=marks[1])
    for node, peer, mark in ((core, other, marks[0]), (other, core, marks[1])):
        await node.event("tunnel.up", peer.name, since=mark)
        await node.event("link.up", peer.name, since=mark)
        assert peer.name in await node.node_names()
    identity = await other.identity()
    known = next(line for line in (await core.ctl("node", "list")).splitlines()
                 if line.startswith(f"{other.name} "))
    for pin in (identity["pin"], identity["ssh-pin"]):
        assert re.fullmatch("[0-9a-f]{64}", pin) and pin in known, known
    await refused(core, code)
    await refused(core, another_secret(code))


async def removed(core, other):
    """On the core; then from the other side, after pairing again."""
    for remover, peer in ((core, other), (other, core)):
        marks = {node: node.mark() for node in (core, other)}
        await remover.ctl("node", "remove", peer.name)
        for node, whom in ((core, other), (other, core)):
            await node.event("tunnel.down", whom.name, since=marks[node])
            await node.event("link.down", whom.name, since=marks[node])

        async def gone(remover=remover, peer=peer):
            told = await remover.told("status")
            return peer.name not in [row["node"] for row in told["links"] + told["tunnels"]]
        await until(gone, f"{remover.name}: {peer.name} out of the status")
        if peer.name in await remover.node_names():
            raise AssertionError(f"{remover.name} still knows {peer.name}")
        await peer.ctl("node", "remove", remover.name)
        marks = {node: node.mark() for node in (core, other)}
        await core.joined(other)
        await core.event("link.up", other.name, since=marks[core])
        await core.event("tunnel.up", other.name, since=marks[core])
