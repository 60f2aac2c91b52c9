"""On the web page an operator may begin a diagnostic log, but have no TLS secrets and take nothing; an administrator
may, and downloads bundle and capture; a viewer may not even begin. The log names each."""
import asyncio
import io
import tarfile

from lib import capture, topology
from lib.process import together
from lib.talk import both_ways
from lib.web import API, account

PASSWORD = "a-good-password"
PEOPLE = {"vera": "viewer", "otto": "operator", "anna": "admin"}


async def run(stage):
    await stage.nodes()
    core, edge = stage.core, stage.edge
    alice, bob = await together(stage.client("alice@home.example"),
                                stage.client("bob@prosody.example"))
    vera, otto, anna = [await account(core, name, role, PASSWORD)
                        for name, role in PEOPLE.items()]
    marks = stage.site.marks()
    await told(vera, "only root", "diag", "start")
    await told(otto, "may have TLS secrets", "diag", "start", "capture", "secrets")
    await told(otto, "only root", "capture", "start", "eth0")
    for node in stage.site.nodes:
        assert not node.events("diag.started", since=marks[node.name]), node.name
    await done(otto, "diag", "start", "for=60")
    await edge.event("diag.started", f"node {core.name}", "secrets=no", since=marks[edge.name])
    await core.event("diag.started", "otto", since=marks[core.name])

    marks = stage.site.marks()  # a new one replaces it
    await done(anna, "diag", "start", "capture", "secrets", "for=60")
    await core.event("diag.ended", "another one replaces it", since=marks[core.name])
    await edge.event("diag.started", "secrets=yes", since=marks[edge.name])
    await both_ways(alice, bob)
    await done(otto, "diag", "mark", "from the page")
    await done(otto, "diag", "stop")
    assert (await otto.get("diag/bundle")).status == 403
    assert (await otto.get("captures/diagnostic")).status == 403
    with tarfile.open(fileobj=io.BytesIO(await download(anna, "diag/bundle")), mode="r:gz") as tar:
        names = [name.split("/", 1)[1] for name in tar.getnames()]
    assert {"merged.log", f"{edge.name}/capture.pcapng"} <= set(names), names
    await core.event("diag.taken", "anna", "what=log", since=marks[core.name])
    path = topology.RUN / "page.pcapng"
    path.write_bytes(await download(anna, "captures/diagnostic"))
    assert capture.packets(path)
    for name in PEOPLE:
        await core.ctl("account", "remove", name)


async def done(web, *words):
    answer = await web.command(*words)
    assert answer.status == 200 and answer.json["status"] == 0, answer


async def told(web, why, *words):
    """Refused, with these words."""
    answer = await web.command(*words)
    assert why in answer.body and (answer.status == 403 or answer.json["status"] == 1), answer


async def download(web, path):
    process = await asyncio.create_subprocess_exec(
        *topology.inside(web.node.host, *map(str, web.curl(API + path, "--fail"))),
        stdout=asyncio.subprocess.PIPE)
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, path
    return out
