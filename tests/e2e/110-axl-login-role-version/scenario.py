"""Symptoms 1, 2 and 3: outward messages bounce since the core may not write home's table: wrong
password, a role that is missing, no schema version in common; each is named, repaired and gone."""
from lib.axl import ADDRESS, Axl
from lib.node import AXL_PORT
from lib.talk import NOT_SET_UP, both_ways, bounces, passes

DEADLINE = 150.0
OLD, NEW = "the-old-password", "the-new-password"


async def run(stage):
    site = await stage.own_nodes("l")
    alice, bob = await stage.client("alice@home.example"), await stage.client("bob@prosody.example")
    await account(site, OLD, "axl")
    await site.core.ctl("home-server", "password", site.home.name, OLD)
    await repaired(site, alice, bob)
    await wrong_password(site, alice, bob)
    await role_missing(site, alice, bob)
    await older_version(site, alice, bob)
    await no_version(stage, alice, bob)


async def account(site, password, roles):
    """Of the core, at home's AXL service."""
    await site.home.configure("axl.users", f"{site.core.name} {password} {roles}")


async def row_is_lost(site):
    await site.home.sql("delete from xmpps2snodes")
    await site.loaded(site.edge.name, False)


async def fails(site, alice, bob, status, seen, fix=""):
    """What the operator finds: one-way messages, the core's log, the alarm."""
    mark = site.core.mark()
    well, out = await site.core.refresh()
    assert not well and site.home.name in out and fix in out, out
    await site.core.log.wait_for(
        rf'Module="network\.axl" .*Function="executeSQLQuery" Status="{status}"', mark)
    await site.core.event("axl.failed", site.home.name, since=mark)
    alarm = await site.core.alarm(25023, site.home.name)
    assert seen in alarm["seen"].lower(), alarm
    servers = await site.core.home_servers()
    assert servers[site.home.name]["state"] == "failed", servers
    assert not await site.home.table()
    await bounces(alice, bob.boundjid.full, NOT_SET_UP)
    await site.home.alarm(90006)
    await passes(bob, alice)


async def repaired(site, alice, bob):
    well, out = await site.core.refresh()
    assert well, out
    await site.home.rows(site.edge.name)
    await site.loaded(site.edge.name)
    await site.core.no_alarm(25023)
    await site.home.no_alarm(90006)
    await both_ways(alice, bob)


async def wrong_password(site, alice, bob):
    """Row 1."""
    await account(site, NEW, "axl")
    await row_is_lost(site)
    await fails(site, alice, bob, 401, "password")
    await site.core.ctl("home-server", "password", site.home.name, NEW)
    await repaired(site, alice, bob)


async def role_missing(site, alice, bob):
    """Row 2."""
    await account(site, NEW, "admin")
    await row_is_lost(site)
    await fails(site, alice, bob, 403, "role", "Standard AXL API Access")
    await account(site, NEW, "axl")
    await repaired(site, alice, bob)


async def older_version(site, alice, bob):
    """Row 3, where there is a version that both have: the core finds it by itself."""
    await site.home.set("axl.versions", "9.1")
    await row_is_lost(site)
    mark = site.core.mark()
    await repaired(site, alice, bob)
    assert site.core.log.find('Status="599"', mark), "it did not try the newer ones"
    servers = await site.core.home_servers()
    assert servers[site.home.name]["version"] == "9.1", servers
    await site.home.set("axl.versions")


async def no_version(stage, alice, bob):
    """Row 3, where there is none: the core is pointed at a server that takes no version of ours."""
    site = stage.site
    newer = await Axl(599).start()
    stage.at_end.append(newer.stop)
    await site.core.ctl("home-server", "remove", site.home.name)
    await site.core.ctl("home-server", "add", site.home.name, f"address={ADDRESS}:{AXL_PORT}",
                        f"user={site.core.name}", f"password={NEW}", f"verify={newer.pin}")
    await row_is_lost(site)
    await fails(site, alice, bob, 599, "version")
    tried = [text for text in newer.asked if "executeSQLQuery" in text]
    for version in ("14.0", "12.5", "11.5", "9.1"):
        assert any(f"AXL/API/{version}" in text for text in tried), tried
    await site.core.ctl("home-server", "remove", site.home.name)
    await site.core.joined(site.home)
    await repaired(site, alice, bob)
