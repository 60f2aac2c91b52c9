"""A domain without SRV record is found by its address; of two hosts in the SRV record the next is
dialled when the first refuses TCP or breaks off TLS, and the log tells of each attempt."""
from lib.peer import message
from lib.process import together


async def run(stage):
    await stage.nodes()
    alice = await stage.client("alice@home.example")
    await together(by_address_alone(stage, alice), behind_refused_tcp(stage, alice),
                   behind_broken_tls(stage, alice))


async def by_address_alone(stage, alice):
    peer = await stage.peer("address-alone.example", dns=False)
    await record(stage, f"address-alone.example. 60 IN A {peer.address}")
    await both_ways(alice, peer, "address-alone.example")


async def behind_refused_tcp(stage, alice):
    deaf = await stage.peer("second-of-two.example", listen=False, dns=False)
    peer = await stage.peer("second-of-two.example", dns=False)
    await two_hosts(stage, "second-of-two.example", deaf, peer)
    mark = stage.edge.mark()
    await both_ways(alice, peer, "second-of-two.example")
    for address in (deaf.address, peer.address):
        await stage.edge.event("s2s.out.attempt", address, since=mark)


async def behind_broken_tls(stage, alice):
    broken = await stage.peer("behind-tls.example", listen=False, dns=False)
    broken.accept = NoTls(broken.accept)
    await broken.listen()
    peer = await stage.peer("behind-tls.example", dns=False)
    await two_hosts(stage, "behind-tls.example", broken, peer)
    await both_ways(alice, peer, "behind-tls.example")
    assert broken.served, "the first host was not tried"
    assert not broken.stanzas, "it got the message"


class NoTls:
    """Makes streams that say <proceed/> and answer the ClientHello with what is no TLS. (Sooner,
    it might come together with <proceed/>, and the edge rightly throws away what does.)"""

    def __init__(self, accept):
        self.accept = accept

    def __call__(self):
        stream = self.accept()

        def no_tls(*_args, **_options):
            stream.take = lambda _: stream.transport.write(b"this is no TLS record\r\n")
        stream.begin_tls = no_tls
        return stream


async def two_hosts(stage, domain, first, second):
    for priority, peer in enumerate((first, second), 1):
        await record(stage, f"_xmpp-server._tcp.{domain}. 60 IN SRV {priority} 1 5269 "
                     f"host{priority}.{domain}.")
        await record(stage, f"host{priority}.{domain}. 60 IN A {peer.address}")


async def record(stage, text):
    """In the DNS while the scenario lasts."""
    dns = await stage.dns()
    await dns.add(text)

    async def forget():
        await dns.remove(text.split()[0])
    stage.at_end.append(forget)


async def both_ways(alice, peer, domain):
    alice.say(f"x@{domain}", f"to {domain}")
    await peer.message(f"to {domain}")
    stream = await peer.proven("home.example")
    stream.send(message(f"x@{domain}", alice.boundjid.full, f"from {domain}"))
    await alice.message(f"from {domain}")
