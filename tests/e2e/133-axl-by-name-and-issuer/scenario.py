"""A home server that was not paired with, as a foreign one is added: by its name in the DNS, an account
and an issuer in axl.trust. Its table is kept; a certificate of another name, another issuer or of
yesterday, and a name that the DNS has not, are told by alarm 25023 and write nothing."""
from lib import pki, topology
from lib.node import AXL_PORT
from lib.talk import NOT_SET_UP, both_ways, bounces

DEADLINE = 120.0
HOST, SERVER, PASSWORD = "cups.example", "cups-a", "the-password-of-the-account"


async def run(stage):
    site = await stage.own_nodes("v")
    alice, bob = await stage.client("alice@home.example"), await stage.client("bob@prosody.example")
    await named(stage)
    await site.home.configure("axl.users", f"federation {PASSWORD} axl")
    await site.home.configure("axl.certificate", f"@{pki.with_key(HOST)}")
    await added(site)
    await kept(site, alice, bob)

    await site.home.configure("axl.certificate", f"@{pki.with_key('other.example')}")
    await fails(site, alice, bob, "tls")
    await site.home.configure("axl.certificate", f"@{pki.with_key(HOST, days=-1)}")
    await fails(site, alice, bob, "tls", "expired")
    await site.home.configure("axl.certificate", f"@{pki.with_key(HOST)}")
    await kept(site, alice, bob)

    pki.authority("Another Authority")
    await site.core.configure("axl.trust", f"@{pki.folder() / 'another-authority.crt'}")
    await fails(site, alice, bob, "tls", "issuer")
    await site.core.configure("axl.trust", f"@{pki.authority_file()}")
    await kept(site, alice, bob)

    await no_address(site)
    assert not site.core.log.find(PASSWORD), "the password is in the log"


async def named(stage):
    dns = await stage.dns()
    await dns.add(f"{HOST}. 60 IN A {topology.address(stage.home.host)}")

    async def forget():
        await dns.remove(f"{HOST}.")
    stage.at_end.append(forget)
    await stage.core.configure("dns.servers", topology.SLOW_DNS)


async def added(site):
    """As docs/setup.md has it."""
    file = topology.RUN / "axl-password"
    file.write_text(f"{PASSWORD}\n")
    await site.core.ctl("home-server", "remove", site.home.name)
    await lost(site)
    await site.core.configure("axl.trust", f"@{pki.authority_file()}")
    await site.core.ctl("home-server", "add", SERVER, f"address={HOST}:{AXL_PORT}",
                        "user=federation", f"password=@{file}")


async def lost(site):
    await site.home.sql("delete from xmpps2snodes")
    await site.loaded(site.edge.name, False)


async def kept(site, alice, bob):
    """Written anew, by a refresh at the latest."""
    well, out = await site.core.refresh()
    assert well, out
    await site.home.rows(site.edge.name)
    await site.loaded(site.edge.name)
    servers = await site.core.home_servers()
    assert list(servers) == [SERVER] and servers[SERVER]["state"] == "ready", servers
    await site.core.no_alarm(25023)
    await both_ways(alice, bob)


async def fails(site, alice, bob, *seen):
    await lost(site)
    well, out = await site.core.refresh()
    assert not well and SERVER in out, out
    alarm = await site.core.alarm(25023, SERVER)
    for text in seen:
        assert text in alarm["seen"].lower(), alarm
    assert not await site.home.table()
    await bounces(alice, bob.boundjid.full, NOT_SET_UP)


async def no_address(site):
    """Of one; the other goes on."""
    await site.core.ctl("home-server", "add", "cups-b", f"address=nowhere.example:{AXL_PORT}",
                        "user=federation", f"password={PASSWORD}")
    alarm = await site.core.alarm(25023, "cups-b")
    assert "address" in alarm["seen"] and "nowhere.example" in alarm["seen"], alarm
    await site.core.no_alarm(25023, SERVER)
    await site.core.ctl("home-server", "remove", "cups-b")
    await site.core.no_alarm(25023)
