"""Who comes to port 2222 without a key or code that counts gets nothing: no shell, no command, no
forwarding, no password prompt; floods are limited, and who says nothing is cut off in time."""
import asyncio
import base64
import contextlib
import hashlib

from lib import topology
from lib.node import PROVISION_PORT
from lib.process import DEADLINE, Missing, command, together
from lib.talk import both_ways

OPTIONS = ("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o",
           "ConnectTimeout=10", "-F", "/dev/null")
LOGIN_SECONDS = 2
PER_ADDRESS = 4


async def run(stage):
    await stage.nodes()
    alice, bob = await together(stage.client("alice@home.example"),
                                stage.client("bob@prosody.example"))
    key = await make_key()
    mark = stage.edge.mark()
    await host_key_is_told(stage)
    for name in (stage.core.name, "root", "nobody"):
        for words in (["-s", "provisioning"], ["-s", "pairing"], ["-s", "sftp"], ["id"], ["-N"],
                      ["-tt"], ["-N", "-R", "0:127.0.0.1:1"]):
            await refused(stage, key, name, *words)
    await stage.edge.event("ssh.refused", since=mark)
    assert "password" not in await methods(stage, key), "passwords are taken without a code"
    await stage.edge.pair()
    assert "password" in await methods(stage, key), "no password although a code is out"
    await guessed(stage, key)
    await flood(stage)
    await silent(stage)
    told = await stage.core.told("status")
    states = {row["node"]: row["state"] for row in told["tunnels"]}
    assert states == {stage.edge.name: "up", stage.home.name: "up"}, told["tunnels"]
    await both_ways(alice, bob)


async def make_key():
    file = topology.RUN / "stranger"
    await command("core", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file)
    return file


async def ssh(key, user, *words, verbose=False):
    """The stock client, from the core's own address."""
    return await command("core", "ssh", *OPTIONS, "-o", "BatchMode=yes",
                         *(["-v"] if verbose else []), "-i", key, "-p", PROVISION_PORT,
                         *options_of(words), f"{user}@{topology.address('edge')}",
                         *words_of(words))


def options_of(words):
    return [word for word in words if word.startswith("-") or ":" in word]


def words_of(words):
    return [word for word in words if not (word.startswith("-") or ":" in word)]


async def refused(stage, key, user, *words):
    status, out = await ssh(key, user, *words)
    assert status == 255 and "Permission denied" in out, (
        f"{stage.edge.name}: ssh {user} {words}: {status} {out!r}")


async def methods(stage, key):
    """What the client hears may go on."""
    _, out = await ssh(key, stage.core.name, "-N", verbose=True)
    found = [line for line in out.splitlines() if "Authentications that can continue" in line]
    assert found, out
    return found[0].split(": ")[-1]


async def host_key_is_told(stage):
    """The pin in `node self` is what ssh-keyscan finds."""
    _, out = await command("core", "ssh-keyscan", "-p", PROVISION_PORT, topology.address("edge"))
    keys = [line.split()[1:3] for line in out.splitlines() if line and not line.startswith("#")]
    assert [kind for kind, _ in keys] == ["ssh-ed25519"], out
    pin = hashlib.sha256(base64.b64decode(keys[0][1])).hexdigest()
    assert (await stage.edge.identity())["ssh-pin"] == pin, await stage.edge.identity()


async def guessed(stage, key):
    """A wrong password, with the client's own prompt answered by a program."""
    answer = topology.RUN / "askpass"
    answer.write_text("#!/bin/sh\necho aaaaaaaaaaaaaaaaaaaaaaaaaa\n")
    answer.chmod(0o755)
    mark = stage.edge.mark()
    status, out = await command(
        "core", "env", "DISPLAY=:0", f"SSH_ASKPASS={answer}", "SSH_ASKPASS_REQUIRE=force", "ssh",
        *OPTIONS, "-o", "PreferredAuthentications=password", "-i", key, "-p", PROVISION_PORT,
        f"{stage.core.name}@{topology.address('edge')}", "-s", "pairing")
    assert status == 255, out
    await stage.edge.log.wait_for(r'CodeLocation="(ssh\.refused|pairing\.failed)"', mark)


async def connect():
    return await asyncio.open_connection(topology.address("edge"), PROVISION_PORT)


async def ends(reader, deadline=DEADLINE):
    with contextlib.suppress(ConnectionError):
        try:
            await asyncio.wait_for(reader.read(), deadline)
        except asyncio.TimeoutError:
            raise Missing(f"still open after {deadline:g} s") from None


async def flood(stage):
    """From one address: no more than the limit stay, the others are closed at once."""
    await stage.edge.set("limits.ssh_connections_per_address", PER_ADDRESS)
    mark = stage.edge.mark()
    streams = [await connect() for _ in range(PER_ADDRESS + 4)]
    tasks = [asyncio.create_task(reader.read()) for reader, _ in streams]
    done = set()
    while len(done) < 4:
        more, _ = await asyncio.wait([task for task in tasks if task not in done],
                                     timeout=10, return_when=asyncio.FIRST_COMPLETED)
        assert more, f"{len(done)} of 4 were closed"
        done |= more
    await stage.edge.event("ssh.refused", since=mark)
    for task in tasks:
        task.cancel()
    for _, writer in streams:
        writer.close()
    await asyncio.gather(*tasks, return_exceptions=True)


async def silent(stage):
    """Two that say nothing, or only who they are; the tunnel from the core goes on."""
    await stage.edge.set("timeouts.ssh_login", LOGIN_SECONDS)
    mute, _ = await connect()
    polite, writer = await connect()
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    await together(ends(mute, LOGIN_SECONDS + 8), ends(polite, LOGIN_SECONDS + 8))
