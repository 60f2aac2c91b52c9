"""A foreign server whose certificate is not for its domain gets nothing and the sender hears why;
with federation.verify_server_certificates off it is believed by dialback alone."""
import ssl

from lib import pki


async def run(stage):
    await stage.nodes()
    alice = await stage.client("alice@home.example")
    peer = await stage.peer("wrong-name.example")
    peer.context = another_name

    since = alice.mark()
    alice.say("x@wrong-name.example", "refused")
    error = await alice.error(since=since)
    assert error["error"]["condition"] == "remote-server-not-found", error
    assert error["error"]["text"] == "the domain's server has no valid certificate", error
    assert peer.served and not peer.stanzas, "it was given the message"

    await stage.edge.set("federation.verify_server_certificates", "off")
    alice.say("x@wrong-name.example", "believed")
    await peer.message("believed")


def another_name(server_side):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server_side else ssl.PROTOCOL_TLS_CLIENT)
    context.load_cert_chain(*pki.certificate("another-name.example"))
    if not server_side:
        context.load_verify_locations(pki.authority_file())
    return context
