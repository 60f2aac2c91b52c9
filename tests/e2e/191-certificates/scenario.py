"""`cert csr` makes a request that openssl finds right, with all names that the world looks for;
`cert install` takes what an authority makes of it, and the edge shows it on new streams, while no
process is restarted and no message lost. What does not fit is refused and changes nothing."""
import datetime

from lib import pki, topology
from lib.node import CHILDREN, Refused, listed
from lib.process import command, together
from lib.site import DOMAINS
from lib.talk import both_ways


async def run(stage):
    await stage.nodes()
    edge = stage.edge
    alice, bob = await together(stage.client("alice@home.example"),
                                stage.client("bob@prosody.example"))
    await both_ways(alice, bob)
    before, at_first = edge.settings["tls.certificate"], await shown(edge)
    pids = [edge.pid(child) for child in CHILDREN]
    folder = pki.folder()
    request, answer, half = folder / "csr.pem", folder / "answer.crt", folder / "half.pem"
    try:
        request.write_text(await edge.ctl("cert", "csr"), "utf-8")
        text = await openssl("req", "-in", request, "-noout", "-verify", "-text")
        for domain in DOMAINS:
            assert f"DNS:{domain}" in text and f"_xmpp-server.{domain}" in text, text
        assert "verify OK" in text and "TLS Web Server Authentication" in text, text

        # Answers that are no good, and one that lacks a domain.
        await refused(edge, pki.certificate("prosody.example")[0], "nor for the one in use")
        sign(request, half, DOMAINS[:1], days=-1)
        await refused(edge, half, "ended on")
        assert (await shown(edge)) == at_first
        sign(request, half, DOMAINS[:1])
        told = await edge.ctl("cert", "install", half)
        assert f"not covered: {DOMAINS[1]};" in told, told
        assert (await listing(edge))["uncovered"] == DOMAINS[1]

        # Its key is the one in use now, so an answer with more names is taken too.
        sign(request, answer, DOMAINS)
        told = await edge.ctl("cert", "install", answer)
        assert "not covered" not in told and "CN=Test Authority" in told, told
        assert (await shown(edge)) == await fingerprint(answer)
        row = await listing(edge)
        assert row["uncovered"] == "" and row["days"] in (29, 30), row
        assert row["fingerprint"] == (await fingerprint(answer)).lower(), row
        assert set(DOMAINS) <= set(row["names"].split(",")), row
        assert DOMAINS[0] in await edge.ctl("cert", "list")

        await both_ways(alice, bob)
        assert [edge.pid(child) for child in CHILDREN] == pids
        assert len(between := await streams(edge)) >= 2, between
        for stream in between:
            await edge.ctl("close", stream)
        await both_ways(alice, bob)  # by new streams
        assert "PRIVATE KEY" not in "\n".join(edge.log.lines), "a key is in the log"
    finally:
        await edge.ctl("config", "set", "tls.certificate", *before)


def sign(request, path, names, days=30):
    """What the authority makes of it, for these names."""
    from cryptography import x509  # pylint: disable=import-outside-toplevel
    from cryptography.hazmat.primitives import hashes, serialization  # pylint: disable=C0415
    ca_key, ca = pki.authority()
    asked = x509.load_pem_x509_csr(request.read_bytes())
    now = datetime.datetime.utcnow()
    leaf = (pki.builder(names[0], asked, ca.subject)
            .not_valid_before(now - 2 * pki.DAY).not_valid_after(now + days * pki.DAY)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]),
                           critical=False)
            .sign(ca_key, hashes.SHA256()))
    path.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))


async def refused(edge, path, why):
    try:
        await edge.ctl("cert", "install", path)
    except Refused as refusal:
        assert why in str(refusal), refusal
    else:
        raise AssertionError(f"{path} was installed")


async def openssl(*words, host="prosody"):
    status, out = await command(host, "openssl", *words)
    assert status == 0, out
    return out


async def fingerprint(path):
    out = await openssl("x509", "-in", path, "-noout", "-fingerprint", "-sha256")
    return out.split("=", 1)[1].strip().replace(":", "")


async def shown(edge):
    """The fingerprint of what a stranger is shown."""
    out = await openssl("s_client", "-connect", f"{topology.address(edge.host)}:5269",
                        "-starttls", "xmpp-server", "-xmpphost", DOMAINS[0])
    begin = out.index("-----BEGIN CERTIFICATE-----")
    path = pki.folder() / "shown.crt"
    path.write_text(out[begin:out.index("-----END CERTIFICATE-----") + 26], "utf-8")
    return await fingerprint(path)


async def listing(edge):
    rows = listed(await edge.told("cert", "list"), "certificates")
    return next(row for row in rows if row["setting"] == "tls.certificate")


async def streams(edge):
    """Those that carry stanzas; strangers' come and go."""
    return [row["xcoder"] for row in listed(await edge.told("streams"), "streams")
            if row["state"] == "ready" and row["remote"] == "prosody.example"]
