"""Symptom 4: home's AXL service refuses, doesn't answer, or shows another certificate; alarm 25023
says which of these it is, and it is gone once the service is back."""
from lib import pki, topology
from lib.node import AXL_PORT
from lib.talk import NOT_SET_UP, both_ways, bounces, passes

DEADLINE = 120.0
AXL_SECONDS = 2


async def run(stage):
    site = await stage.own_nodes("u")
    alice, bob = await stage.client("alice@home.example"), await stage.client("bob@prosody.example")
    await site.core.configure("timeouts.axl", AXL_SECONDS)

    topology.wall(site.home.host, AXL_PORT, "reject with tcp reset")
    await fails(site, alice, bob, "refused")
    topology.unblock()
    await repaired(site, alice, bob)

    topology.wall(site.home.host, AXL_PORT)
    await fails(site, alice, bob, "answer")
    topology.unblock()
    await repaired(site, alice, bob)

    await site.home.configure("axl.certificate", f"@{pki.with_key('axl.home.example')}")
    await fails(site, alice, bob, "certificate")
    await site.core.joined(site.home)  # which pins the certificate of now
    await repaired(site, alice, bob)


async def fails(site, alice, bob, seen):
    mark = site.core.mark()
    await site.home.sql("delete from xmpps2snodes")
    await site.loaded(site.edge.name, False)
    well, out = await site.core.refresh()
    assert not well and site.home.name in out, out
    alarm = await site.core.alarm(25023, site.home.name)
    assert seen in alarm["seen"].lower(), alarm
    await site.core.event("axl.failed", site.home.name, since=mark)
    await bounces(alice, bob.boundjid.full, NOT_SET_UP)
    await passes(bob, alice)


async def repaired(site, alice, bob):
    await site.core.refresh()
    await site.home.rows(site.edge.name)
    await site.loaded(site.edge.name)
    await site.core.no_alarm(25023)
    await both_ways(alice, bob)
