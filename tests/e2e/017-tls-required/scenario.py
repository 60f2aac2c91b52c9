"""TLS required: a peer without TLS is refused in both directions, the features say <required/>,
and nothing but <starttls/> is taken in clear."""
from lib.peer import TLS, child, db_error, db_result, db_verify, message


async def run(stage):
    await stage.nodes()
    alice = await stage.client("alice@home.example")
    plain = await stage.peer("plain.example", tls="none")

    alice.say("x@plain.example", "in clear?")
    error = await alice.error()
    assert error["error"]["condition"] == "remote-server-not-found", error
    assert error["error"]["text"] == (
        "the domain's server has no encryption, which is required here"), error["error"]["text"]
    assert not plain.stanzas, "it got the message"

    stream = await plain.dial()
    features = await stream.open(from_="plain.example", to="home.example")
    starttls = child(features, "starttls")
    assert starttls is not None and child(starttls, "required") is not None, stream.tail()
    stream.send(db_result("plain.example", "home.example",
                          plain.key(stream, "plain.example", "home.example")))
    answer = await stream.element("result")
    assert answer.get("type") == "error" and db_error(answer) == "policy-violation", stream.tail()
    stream.send(db_verify("plain.example", "home.example", "id", "0" * 64))
    answer = await stream.element("verify")
    assert answer.get("type") == "error" and db_error(answer) == "policy-violation", stream.tail()
    assert not plain.verified, "the key was checked all the same"
    stream.send(message("x@plain.example", "alice@home.example", "in clear"))
    assert await stream.stream_error() == "policy-violation", stream.tail()

    late = await plain.dial()
    await late.open(from_="plain.example", to="home.example")
    late.send(f"<starttls xmlns='{TLS}'/>")
    await late.element("proceed")
    await late.start_tls(plain.context(False), False, server_hostname="home.example")
    features = await late.open(from_="plain.example", to="home.example")
    assert child(features, "starttls") is None, "STARTTLS is offered under TLS"
    assert child(features, "dialback") is not None, late.tail()
