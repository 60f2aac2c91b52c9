"""Doctor names what is wrong at home: symptoms 5 to 9 about its table, its router and its server's
own federation, 39 where settings cannot be in force, and that the server is not attached."""
from lib import doctor
from lib.doctor import Fault
from lib.process import until
from lib.site import certificate

DEADLINE = 400.0
OFF = '"s2s"; "s2s_auth_certs"; "dialback"'


async def run(stage):
    await doctor.site(stage, "dt")
    await doctor.all_named(stage, [
        Fault(5, empty_table, quick=True),
        Fault(5, another_edge),
        Fault(6, row_of_an_edge_that_is_no_more),
        Fault(7, restart_due, quick=True),
        Fault(8, restart_untold),
        Fault(9, server_federates),
        Fault(39, no_certificate),
        Fault(101, server_down),
    ])


async def mended(site):
    await site.core.refresh()
    await site.home.rows(site.edge.name)


async def empty_table(stage):
    await stage.home.sql("delete from xmpps2snodes")
    yield
    await mended(stage.site)


async def another_edge(stage):
    cp_id = "cm-2_s2scp-1.edge-of-before"
    await stage.home.sql(f"update xmpps2snodes set cp_id='{cp_id}'")
    yield
    await stage.home.sql(f"delete from xmpps2snodes where cp_id='{cp_id}'")
    await mended(stage.site)


async def row_of_an_edge_that_is_no_more(stage):
    cp_id = "cm-2_s2scp-1.edge-of-before"
    await stage.home.sql(f"insert into xmpps2snodes(pkid, cp_id) values(newid(), '{cp_id}')")
    yield
    await stage.home.sql(f"delete from xmpps2snodes where cp_id='{cp_id}'")
    await mended(stage.site)


async def written_anew(site):
    """The router reads an empty table, then the core writes the row again."""
    await site.home.configure("router.apply", "restart")
    await site.home.sql("delete from xmpps2snodes")
    await restart(site)
    await mended(site)


async def restart(site):
    mark = site.home.mark()
    await site.home.ctl("restart", "router")
    await site.home.event("router.restarted", since=mark)


async def restart_due(stage):
    await written_anew(stage.site)
    await until(stage.home.notifications, "notification")
    yield
    await restart(stage.site)
    await stage.home.configure("router.apply", "live")


async def restart_untold(stage):
    await written_anew(stage.site)
    notices = await until(stage.home.notifications, "notification")
    await stage.home.ctl("notifications", "delete", notices[0]["number"])
    yield
    await restart(stage.site)
    await stage.home.configure("router.apply", "live")


async def federating(stage, disabled):
    users = await stage.users()
    mark = stage.home.mark()
    await users.stop()
    await stage.home.event("attachment.down", since=mark)
    users.options["disabled"] = disabled
    await users.start()
    await stage.home.event("attachment.up", since=mark, deadline=60)


async def server_federates(stage):
    try:
        await federating(stage, "")
        yield
    finally:
        await federating(stage, OFF)


async def no_certificate(stage):
    mark = stage.edge.mark()
    await stage.edge.configure("tls.certificate")
    await stage.edge.event("config.fault", "tls.certificate", since=mark)
    yield
    await stage.edge.configure("tls.certificate", certificate())


async def server_down(stage):
    users = await stage.users()
    mark = stage.home.mark()
    await users.stop()
    await stage.home.event("attachment.down", since=mark)
    yield
    await users.start()
    await stage.home.event("attachment.up", since=mark, deadline=60)
