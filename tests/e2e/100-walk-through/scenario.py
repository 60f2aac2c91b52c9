"""The walk-through, from nodes as just installed to messages both ways: what is shown at each
step, the restart that the notification asks for, and the two symptoms with their repair."""
import re

from lib import pki, topology
from lib.node import AXL_PORT, UUID
from lib.peer import TLS, child
from lib.process import command, until
from lib.site import DOMAIN, WORLD, attachment, certificate
from lib.talk import BEING_SET_UP, NOT_SET_UP, both_ways, bounces, passes

DEADLINE = 180.0
CHANGED = "xconfiguration xcpConfiguration is_federation_enabled - changed from: 0 to: 1"
NOTICE = ("requires a restart in order for recent configuration changes to take effect. You can "
          "restart this service here. Once the service is restarted, this notification will be "
          "deleted automatically.")
PASSWORD = "another-password"


async def run(stage):
    bob = await stage.client("bob@prosody.example")
    site = await stage.own_nodes("w", bare=True)
    alice = await stage.client("alice@home.example")
    await as_installed(site)
    await prepare(site)

    marks = site.marks()
    await site.edge.configure("federation.enabled", "on")
    await what_the_logs_show(site, marks)
    await the_table(site)
    await a_restart_is_asked_for(site)
    await bounces(alice, bob.boundjid.full, BEING_SET_UP)
    await restart(site)
    await both_ways(alice, bob)
    await tls_is_required(await stage.peer("vngtp.example"))

    await wrong_credentials(site, alice, bob)
    await restart_forgotten(site, alice, bob)
    await notice_missing(site, alice, bob)


async def as_installed(site):
    for name, value in (("federation.enabled", "off"), ("federation.security_mode", "tls-required"),
                        ("federation.privacy_mode", "allow-list"),
                        ("federation.use_static_routes", "off")):
        out = await site.edge.ctl("config", "get", name)
        assert out.split() == [name, "=", value], out
    secret = await site.edge.ctl("config", "get", "federation.dialback_secret")
    assert re.fullmatch(r"\S+ = \(set, fingerprint [0-9a-f]{8}\)\n", secret), secret


async def prepare(site):
    """Everything but the switch."""
    await site.home.configure("router.apply", "restart")
    await site.last.configure("attachments", attachment())
    for name, values in (("federation.allow_list", ("prosody.example", "vngtp.example")),
                         ("tls.certificate", (certificate(),)),
                         ("tls.trust", (f"@{pki.authority_file()}",)),
                         ("dial.allowed_networks", WORLD),
                         ("dns.servers", (topology.SLOW_DNS,))):
        await site.edge.configure(name, *values)
    await site.core.configure("domains", *site.domains())
    for other in site.others:
        await site.core.joined(other)
    await site.connected()
    assert not await site.home.table(), "a row before federation is on"


async def what_the_logs_show(site, marks):
    edge, core = marks[site.edge.name], marks[site.core.name]
    await site.edge.log.wait_for(f'Detail="{re.escape(CHANGED)}"', edge)
    await site.core.log.wait_for(f'Detail="{re.escape(CHANGED)}"', core)
    await site.core.log.wait_for(
        r'Module="network\.axl" Level="INFO ?" Action="Send" '
        rf'URL="https://[^"]+:{AXL_PORT}/axl/" Function="executeSQLQuery"', core)
    await site.core.event("axl.synced", site.home.name, since=core)


async def the_table(site):
    await site.home.rows(site.edge.name)
    out = await site.home.sql("select * from xmpps2snodes")
    assert out.split()[:2] == ["pkid", "cp_id"], out
    assert re.search(rf"^ *{UUID} +cm-2_s2scp-1\.{site.edge.name} *$", out, re.MULTILINE), out


async def a_restart_is_asked_for(site):
    notices = await until(site.home.notifications, "notification", instead=site.home.alarms)
    assert len(notices) == 1, notices
    told = notices[0]
    words = f"({site.home.name}) {NOTICE}"
    assert told["description"].startswith("Cisco XCP Router"), told
    assert told["description"].endswith(words), told
    assert told["origin"] == "Cisco XCP Config Manager", told
    assert told["severity"] and int(told["count"]) >= 1 and told["created"], told
    text = await site.home.ctl("notifications")
    for word in ("Severity", "Count", "Description", "Origin", "Created"):
        assert word.lower() in text.lower(), text
    await site.home.alarm(15021)


async def restart(site):
    """And what asked for it is gone by itself."""
    mark = site.home.mark()
    await site.home.ctl("restart", "router")
    await site.home.event("router.restarted", since=mark)

    async def none():
        return not await site.home.notifications()
    await until(none, "end of the notification", instead=site.home.notifications)
    await site.home.no_alarm(15021)


async def tls_is_required(peer):
    """Visible on the wire."""
    stream = await peer.dial()
    features = await stream.open(from_="vngtp.example", to=DOMAIN)
    starttls = child(features, "starttls")
    assert starttls is not None and starttls.tag == f"{{{TLS}}}starttls", stream.tail()
    assert child(starttls, "required") is not None, stream.tail()
    stream.send(f"<starttls xmlns='{TLS}'/>")
    await stream.element("proceed")
    await stream.start_tls(peer.context(False), False, server_hostname=DOMAIN)


async def by_hand(site, password):
    """What a browser on the core is told at https://home:8443/axl."""
    url = f"https://{topology.address(site.home.host)}:{AXL_PORT}/axl"
    _, out = await command(site.core.host, "curl", "-s", "-k", "-o", "/dev/null", "-w",
                           "%{http_code}", "-u", f"{site.core.name}:{password}", url)
    return out


async def switch_off(site):
    await site.edge.configure("federation.enabled", "off")
    await site.home.rows()
    await restart(site)


async def wrong_credentials(site, alice, bob):
    """Symptom 1: out fails, in works."""
    await switch_off(site)
    await site.home.configure("axl.users", f"{site.core.name} {PASSWORD} axl")
    mark = site.core.mark()
    await site.edge.configure("federation.enabled", "on")
    await site.core.log.wait_for(
        r'Module="network\.axl" .*Function="executeSQLQuery" Status="401" Reason="None"', mark)
    await site.core.alarm(25023, site.home.name)
    await bounces(alice, bob.boundjid.full, NOT_SET_UP)
    await passes(bob, alice)
    assert await by_hand(site, "the-old-password") == "401"
    assert await by_hand(site, PASSWORD) == "200"

    await site.core.ctl("home-server", "password", site.home.name, PASSWORD)
    well, out = await site.core.refresh()
    assert well, out
    await site.core.no_alarm(25023)
    await the_table(site)


async def restart_forgotten(site, alice, bob):
    """Symptom 2, with the notification."""
    await a_restart_is_asked_for(site)
    await bounces(alice, bob.boundjid.full, BEING_SET_UP)
    await restart(site)
    await both_ways(alice, bob)


async def notice_missing(site, alice, bob):
    """Symptom 2, without it: somebody has deleted it."""
    await switch_off(site)
    await site.edge.configure("federation.enabled", "on")
    await site.home.rows(site.edge.name)
    notices = await until(site.home.notifications, "notification", instead=site.home.alarms)
    await site.home.ctl("notifications", "delete", notices[0]["number"])
    assert not await site.home.notifications(), "it is still there"
    await bounces(alice, bob.boundjid.full, BEING_SET_UP)
    await site.home.alarm(15021)
    await restart(site)
    await both_ways(alice, bob)
