"""A home server that is entered by name while no name server answers the core: the alarm names it, and
nothing crashes when both patiences end in the same moment; with an answer its certificate counts."""
from lib import pki, topology
from lib.node import AXL_PORT
from lib.talk import both_ways

NAME, PASSWORD = "axl.home.example", "the-password-of-the-core"
DEADLINE = 120.0


async def run(stage):
    site = await stage.own_nodes("h")
    alice, bob = await stage.client("alice@home.example"), await stage.client("bob@prosody.example")
    core, home = site.core, site.home
    await (await stage.dns()).add(f"{NAME}. 60 IN A {topology.address('home')}")
    await core.ctl("home-server", "remove", home.name)
    await home.configure("axl.users", f"hand {PASSWORD} axl")
    await home.configure("axl.certificate", f"@{pki.with_key(NAME)}")
    await home.sql("delete from xmpps2snodes")
    await add(core, "by-hand", NAME)
    await core.alarm(25023, "by-hand", seen=NAME)  # the firewall lets it ask nobody
    topology.let_ask("inside")
    await core.refresh()
    await core.alarm(25023, "by-hand", seen="certificate")  # of an authority that nobody knows
    assert not await home.table()

    await core.configure("axl.trust", f"@{pki.authority_file()}")
    await home.rows(site.edge.name)
    await core.no_alarm(25023)
    await site.loaded(site.edge.name)
    await both_ways(alice, bob)


async def add(core, name, host):
    file = topology.RUN / "axl-password"
    file.write_text(PASSWORD + "\n")
    await core.ctl("home-server", "add", name, f"address={host}:{AXL_PORT}", "user=hand",
                   f"password=@{file}")
