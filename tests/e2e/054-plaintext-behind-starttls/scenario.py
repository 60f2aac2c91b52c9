"""What is sent in clear behind <starttls/> is never read as if it had come under TLS (SEC-08a)."""
from lib.peer import TLS, db_result, header, message

INJECTED = (db_result("injector.example", "home.example", "0" * 64)
            + message("x@injector.example", "alice@home.example", "injected"))


async def run(stage):
    await stage.nodes()
    alice = await stage.client("alice@home.example")
    peer = await stage.peer("injector.example")
    peer.verify = lambda verify: "valid"
    for pipelined in (INJECTED, header(from_="injector.example", to="home.example") + INJECTED,
                      " ", "\n"):
        stream = await peer.dial()
        stream.send(header(from_="injector.example", to="home.example"))
        await stream.element("features")
        stream.send(f"<starttls xmlns='{TLS}'/>{pipelined}")
        await stream.end()
    assert not peer.verified, "the injected key was taken for a claim"

    stream = await peer.proven("home.example")
    stream.send(message("x@injector.example", alice.boundjid.full, "fence"))
    await alice.message("fence")
    assert not any(s["body"] == "injected" for s in alice.received), "it came through"
