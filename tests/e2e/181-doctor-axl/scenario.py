"""Doctor names symptoms 1 to 4, each from the core, with home's empty table as its consequence: the
password, the role, the schema version, the service itself."""
from lib import doctor, topology
from lib.axl import ADDRESS, Axl
from lib.doctor import Fault
from lib.node import AXL_PORT

DEADLINE = 400.0
OLD, NEW = "the-old-password", "the-new-password"


async def run(stage):
    site = await doctor.site(stage, "da")
    await account(site, OLD, "axl")
    await site.core.configure("timeouts.axl", 2)
    await site.core.ctl("home-server", "password", site.home.name, OLD)
    await doctor.all_named(stage, [
        Fault(1, wrong_password, quick=True),
        Fault(2, role_missing),
        Fault(3, no_version),
        Fault(4, service_refuses),
        Fault(4, service_is_silent),
    ])


async def account(site, password, roles):
    await site.home.configure("axl.users", f"{site.core.name} {password} {roles}")


async def lose_row(site):
    """What the core would write again if it could."""
    await site.home.sql("delete from xmpps2snodes")
    await site.core.refresh()


async def mended(site):
    await site.core.refresh()
    await site.home.rows(site.edge.name)


async def wrong_password(stage):
    site = stage.site
    await account(site, NEW, "axl")
    await lose_row(site)
    yield
    await site.core.ctl("home-server", "password", site.home.name, NEW)
    await mended(site)


async def role_missing(stage):
    site = stage.site
    await site.core.ctl("home-server", "password", site.home.name, NEW)
    await account(site, NEW, "admin")
    await lose_row(site)
    yield
    await account(site, NEW, "axl")
    await mended(site)


async def no_version(stage):
    site = stage.site
    other = await Axl(599).start()
    await site.core.ctl("home-server", "remove", site.home.name)
    await site.core.ctl("home-server", "add", site.home.name, f"address={ADDRESS}:{AXL_PORT}",
                        f"user={site.core.name}", f"password={NEW}", f"verify={other.pin}")
    await lose_row(site)
    yield
    await other.stop()
    await site.core.ctl("home-server", "remove", site.home.name)
    await site.core.joined(site.home)
    await mended(site)


async def service_refuses(stage):
    topology.wall(stage.home.host, AXL_PORT, "reject with tcp reset")
    await lose_row(stage.site)
    yield
    topology.unblock()
    await mended(stage.site)


async def service_is_silent(stage):
    topology.wall(stage.home.host, AXL_PORT)
    await lose_row(stage.site)
    yield
    topology.unblock()
    await mended(stage.site)
