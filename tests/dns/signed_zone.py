"""A root zone signed with a key of its own (RFC 4034, ECDSA P-256), as a zone file."""
import base64
import socket
import struct
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

TYPES = {"A": 1, "NS": 2, "SOA": 6, "SRV": 33, "DNSKEY": 48}
ALGORITHM = 13
TTL = 300


def wire_name(name):
    return b"".join(bytes([len(l)]) + l.encode() for l in name.split(".") if l) + b"\0"


def wire_data(kind, text):
    fields = text.split()
    if kind == "A":
        return socket.inet_aton(text)
    if kind == "NS":
        return wire_name(text)
    if kind == "SOA":
        return wire_name(fields[0]) + wire_name(fields[1]) + struct.pack(
            ">5I", *map(int, fields[2:]))
    if kind == "SRV":
        return struct.pack(">3H", *map(int, fields[:3])) + wire_name(fields[3])
    flags, protocol, algorithm, key = fields
    return struct.pack(">HBB", int(flags), int(protocol), int(algorithm)) + base64.b64decode(key)


class SignedZone:
    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        point = self.key.public_key().public_bytes(serialization.Encoding.X962,
                                                   serialization.PublicFormat.UncompressedPoint)
        self.dnskey = "257 3 %d %s" % (ALGORITHM, base64.b64encode(point[1:]).decode())
        self.lines = []
        self.add(".", "SOA", "ns. h. 1 3600 600 86400 60")
        self.add(".", "NS", "ns.")
        self.add(".", "DNSKEY", self.dnskey)

    def anchor(self):
        return ". %d IN DNSKEY %s ; a comment\n" % (TTL, self.dnskey)

    def key_tag(self):
        data = wire_data("DNSKEY", self.dnskey)
        total = sum(byte << 8 if i % 2 == 0 else byte for i, byte in enumerate(data))
        return (total + (total >> 16)) & 0xffff

    def signature(self, name, kind, texts):
        """The RRSIG's text for a set of records."""
        now = int(time.time())
        labels = len([label for label in name.split(".") if label])
        times = (now + 86400, now - 86400)
        head = struct.pack(">HBBIIIH", TYPES[kind], ALGORITHM, labels, TTL, *times,
                           self.key_tag()) + b"\0"
        signed = head
        for data in sorted(wire_data(kind, text) for text in texts):
            signed += wire_name(name) + struct.pack(">HHIH", TYPES[kind], 1, TTL, len(data)) + data
        r, s = utils.decode_dss_signature(self.key.sign(signed, ec.ECDSA(hashes.SHA256())))
        dates = [time.strftime("%Y%m%d%H%M%S", time.gmtime(t)) for t in times]
        return "%s %d %d %d %s %s %d . %s" % (
            kind, ALGORITHM, labels, TTL, *dates, self.key_tag(),
            base64.b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode())

    def add(self, name, kind, *texts, signed=None):
        """A set of records with its signature, or with that of other ones."""
        for text in texts:
            self.lines.append("%s %d IN %s %s" % (name, TTL, kind, text))
        self.lines.append("%s %d IN RRSIG %s" % (name, TTL,
                                                 self.signature(name, kind, signed or texts)))

    def text(self):
        return "\n".join(self.lines) + "\n"
