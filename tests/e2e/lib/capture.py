"""Captures and bundles: taken, unpacked, and read by tshark as anybody would."""
import base64
import re
import sqlite3
import tarfile

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import topology
from .process import until

READ_AS = ("-d", "tcp.port==5269,xmpp", "-d", "tcp.port==7400,tls")
NONCE = 12  # bytes before what is sealed


def tshark(path, *options):
    return topology.run("tshark", "-n", "-r", str(path), *READ_AS, *options)


def packets(path):
    """One line a packet."""
    return tshark(path).splitlines()


def dialogue(path):
    """All that tshark reads as XMPP, in full."""
    return tshark(path, "-Y", "xmpp", "-V")


def summary(path):
    """The same, a line for each packet."""
    return tshark(path, "-Y", "xmpp || tls.handshake")


async def new_streams(edge, domain):
    """Its streams with that domain are closed, so that the next one shakes hands anew."""
    async def ours():
        return [stream["xcoder"] for stream in (await edge.told("streams"))["streams"]
                if stream["remote"] == domain]

    async def gone():
        for xcoder in await ours():
            await edge.try_ctl("close", xcoder)
        return not await ours()
    await until(gone, f"end of the streams with {domain}", instead=ours)


async def saved(node, path, *words):
    """The file that this command saves."""
    path.unlink(missing_ok=True)
    await node.ctl(*words, path)
    assert path.stat().st_mode & 0o777 == 0o600, oct(path.stat().st_mode)
    return path


async def bundle(node, folder):
    """What `diag bundle` saves, unpacked: the path of each file by its name in it."""
    packed = await saved(node, folder / f"{node.name}.tar.gz", "diag", "bundle")
    with tarfile.open(packed, "r:gz") as archive:
        archive.extractall(folder)
        names = [member.name for member in archive.getmembers() if member.isfile()]
    assert len({name.split("/")[0] for name in names}) == 1, names  # one folder
    return {name.split("/", 1)[1]: folder / name for name in names}


def secrets(node):
    """Every secret in its store, opened with the key beside it."""
    key = AESGCM(bytes.fromhex((node.folder / "secrets.key").read_text().strip()))
    store = next(path for path in node.folder.iterdir()
                 if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3")
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
        rows = database.execute("select setting, entries from value").fetchall()
    found = []
    for setting, entries in rows:
        for sealed in re.findall(r"sealed:([A-Za-z0-9+/=]+)", entries):
            raw = base64.b64decode(sealed)
            found.append(key.decrypt(raw[:NONCE], raw[NONCE:], setting.encode()).decode())
    return found


def lines_of(secret):
    """What of a secret would tell it: of a key in PEM each line of digits."""
    return [line for line in secret.splitlines() if len(line) > 5 and not line.startswith("---")]
