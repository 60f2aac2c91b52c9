"""Each node in turn loses its data folder and is set up anew from its exported file, as the handbook
says: then all is well again, and messages pass both ways."""
import re

from lib import pki, topology
from lib.process import until
from lib.site import DIALBACK_SECRET, DOMAINS, attachment
from lib.talk import both_ways

DEADLINE = 120.0
CERTIFICATES = ("tls.certificate", "admin.certificate", "axl.certificate")


async def run(stage):
    bob = await stage.client("bob@prosody.example")
    site = await stage.own_nodes("n")
    alice = await stage.client("alice@home.example")
    await both_ways(alice, bob)
    for node in site.nodes:
        await node.configure("log.levels")  # at debug, which doctor names
    for node in site.nodes:
        await anew(site, node)
        await both_ways(alice, bob)


def edited(exported):
    """With the secrets that somebody knows, and without what the node will make or be given again."""
    text = re.sub(r"(?m)^attachments = .*", f"attachments = {attachment()}", exported)
    text = re.sub(r"(?m)^(federation\.dialback_secret = ).*", rf"\g<1>{DIALBACK_SECRET}", text)
    text = re.sub(r"(?m)^.*\(secret .*\n", "", text)
    for name in CERTIFICATES:
        text = re.sub(rf"(?ms)^{re.escape(name)} = <<END\n.*?^END\n", "", text)
    return text


async def anew(site, node):
    file = topology.RUN / f"{node.name}.conf"
    file.write_text(edited(await node.ctl("config", "export")))
    await node.stop()
    await node.start()
    await node.ctl("config", "apply", file)
    if node is site.edge:
        await node.ctl("cert", "install", pki.with_key(*DOMAINS))
    for other in site.others if node is site.core else [node]:
        await site.core.joined(other)
    await site.home.rows(site.edge.name)
    await site.loaded(site.edge.name)

    async def well():
        status, out = await site.core.try_ctl("doctor")
        return status == 0 and all(other.name in out for other in site.nodes)
    await until(well, f"all is well after {node.name} was set up anew",
                instead=lambda: site.core.try_ctl("doctor"))
