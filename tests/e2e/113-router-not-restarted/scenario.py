"""Symptoms 7, 8 and 39: with router.apply restart, home bounces until its router is restarted, with
the notification and without it; and settings that are stored but cannot work are named."""
from lib.node import row
from lib.process import until
from lib.site import certificate
from lib.talk import BEING_SET_UP, both_ways, bounces

DEADLINE = 120.0


async def run(stage):
    site = await stage.own_nodes("p")
    alice, bob = await stage.client("alice@home.example"), await stage.client("bob@prosody.example")
    await site.home.configure("router.apply", "restart")
    await noticed(site, alice, bob)
    await unnoticed(site, alice, bob)
    await not_active(site, alice, bob)
    await cannot_work(site, alice, bob)


async def written_anew(site):
    """The row is lost, the router reads that, and the core writes it again."""
    await site.home.sql("delete from xmpps2snodes")
    await restart(site)
    await site.core.refresh()
    await site.home.rows(site.edge.name)


async def restart(site):
    mark = site.home.mark()
    await site.home.ctl("restart", "router")
    await site.home.event("router.restarted", since=mark)


async def repaired(site, alice, bob):
    await restart(site)
    await both_ways(alice, bob)
    await site.home.no_alarm(15021)

    async def none():
        return not await site.home.notifications()
    await until(none, "end of the notification", instead=site.home.notifications)


async def noticed(site, alice, bob):
    """Row 7."""
    mark = site.home.mark()
    await written_anew(site)
    await site.home.event("notice.raised", since=mark)
    notices = await until(site.home.notifications, "notification")
    assert "requires a restart" in notices[0]["description"], notices
    await bounces(alice, bob.boundjid.full, BEING_SET_UP)
    await repaired(site, alice, bob)


async def unnoticed(site, alice, bob):
    """Row 8."""
    await written_anew(site)
    notices = await until(site.home.notifications, "notification")
    await site.home.ctl("notifications", "delete", notices[0]["number"])
    assert not await site.home.notifications()
    await bounces(alice, bob.boundjid.full, BEING_SET_UP)
    await site.home.alarm(15021)
    await repaired(site, alice, bob)


async def not_active(site, alice, bob):
    """Row 39: what is stored is not what is loaded, and the routes show both."""
    await written_anew(site)
    await site.home.alarm(15021)
    await bounces(alice, bob.boundjid.full, BEING_SET_UP)
    told = await site.home.routes()
    cp_id = row(site.edge.name)
    assert cp_id in str(told["stored"]) and cp_id not in str(told["loaded"]), told
    await repaired(site, alice, bob)
    told = await site.home.routes()
    assert cp_id in str(told["loaded"]), told


async def cannot_work(site, alice, bob):
    """Row 39: TLS is required and there is no certificate."""
    mark = site.edge.mark()
    await site.edge.configure("tls.certificate")
    await site.edge.event("config.fault", "tls.certificate", since=mark)
    alarm = await site.edge.alarm(90010)
    assert "tls.certificate" in alarm["seen"], alarm
    since = alice.mark()
    alice.say(bob.boundjid.full, "without a certificate")
    await alice.error("message", since)
    await site.edge.configure("tls.certificate", certificate())
    await site.edge.no_alarm(90010)
    await both_ways(alice, bob)
