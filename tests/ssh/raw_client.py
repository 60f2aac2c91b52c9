"""An SSH client that says what no decent one would: packets of one's own, in any order."""
import hashlib
import os
import socket
import struct

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ALGORITHMS = ("curve25519-sha256", "ssh-ed25519", "aes256-gcm@openssh.com",
              "aes256-gcm@openssh.com", "hmac-sha2-256-etm@openssh.com",
              "hmac-sha2-256-etm@openssh.com", "none", "none", "", "")
SERVICE_REQUEST, SERVICE_ACCEPT, KEXINIT, NEWKEYS = 5, 6, 20, 21
ECDH_INIT, ECDH_REPLY = 30, 31
USERAUTH_REQUEST, USERAUTH_FAILURE, USERAUTH_SUCCESS, GSSAPI_TOKEN = 50, 51, 52, 61
GLOBAL_REQUEST, CHANNEL_OPEN, CHANNEL_CONFIRMED, WINDOW_ADJUST, CHANNEL_DATA = 80, 90, 91, 93, 94
CHANNEL_REQUEST, CHANNEL_SUCCESS = 98, 99


def string(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack(">I", len(data)) + data


CHANNEL_OPEN_SESSION = (bytes([CHANNEL_OPEN]) + string("session") +
                        struct.pack(">III", 0, 1 << 20, 32768))

KEEPALIVE = bytes([GLOBAL_REQUEST]) + string("keepalive@openssh.com") + b"\1"


def mpint(data):
    data = data.lstrip(b"\0")
    return string(b"\0" + data if data[0] & 0x80 else data)


def take_string(data):
    size, = struct.unpack(">I", data[:4])
    return data[4:4 + size], data[4 + size:]


class Cipher:
    def __init__(self, key, iv):
        self.gcm, self.fixed, self.count = AESGCM(key), iv[:4], int.from_bytes(iv[4:12], "big")

    def nonce(self):
        nonce = self.fixed + self.count.to_bytes(8, "big")
        self.count = (self.count + 1) % 2**64
        return nonce


class RawClient:
    """Up to new keys when it is made. Nothing proves to it whom it speaks to."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", int(port)), timeout=10)
        self.data, self.write, self.read = b"", None, None
        self.socket.sendall(b"SSH-2.0-raw\r\n")
        while b"\n" not in self.data:
            self.more()
        theirs, self.data = self.data.split(b"\r\n", 1)
        self.exchange(b"SSH-2.0-raw", theirs)

    def exchange(self, our_version, their_version):
        ours = bytes([KEXINIT]) + os.urandom(16) + b"".join(map(string, ALGORITHMS)) + b"\0" * 5
        self.send(ours)
        theirs = self.receive(KEXINIT)
        key = X25519PrivateKey.generate()
        public = key.public_key().public_bytes(serialization.Encoding.Raw,
                                               serialization.PublicFormat.Raw)
        self.send(bytes([ECDH_INIT]) + string(public))
        host_key, rest = take_string(self.receive(ECDH_REPLY)[1:])
        their_public, _ = take_string(rest)
        secret = mpint(key.exchange(X25519PublicKey.from_public_bytes(their_public)))
        hashed = hashlib.sha256(b"".join(map(string, (
            our_version, their_version, ours, theirs, host_key, public, their_public))) +
            secret).digest()
        self.session = hashed
        made = [hashlib.sha256(secret + hashed + letter + hashed).digest()
                for letter in (b"A", b"B", b"C", b"D")]
        self.send(bytes([NEWKEYS]))
        self.receive(NEWKEYS)
        self.write, self.read = Cipher(made[2], made[0]), Cipher(made[3], made[1])

    def packet(self, payload):
        block = 16 if self.write else 8
        head = 1 if self.write else 5
        padding = block - (head + len(payload)) % block
        padding += block if padding < 4 else 0
        plain = bytes([padding]) + payload + b"\0" * padding
        size = struct.pack(">I", len(plain))
        if not self.write:
            return size + plain
        return size + self.write.gcm.encrypt(self.write.nonce(), plain, size)

    def send(self, *payloads):
        """All in one piece."""
        self.socket.sendall(b"".join(map(self.packet, payloads)))

    def more(self):
        got = self.socket.recv(65536)
        if not got:
            raise ConnectionResetError("closed")
        self.data += got

    def take(self, size):
        while len(self.data) < size:
            self.more()
        got, self.data = self.data[:size], self.data[size:]
        return got

    def receive(self, kind=None):
        """The next packet, or the next of a kind."""
        while True:
            head = self.take(4)
            size, = struct.unpack(">I", head)
            plain = self.take(size + (16 if self.read else 0))
            if self.read:
                plain = self.read.gcm.decrypt(self.read.nonce(), plain, head)
            payload = plain[1:size - plain[0]]
            if kind in (None, payload[0]):
                return payload

    def is_closed(self):
        """Reads until it is."""
        try:
            while True:
                self.receive()
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def ask_for_login(self):
        self.send(bytes([SERVICE_REQUEST]) + string("ssh-userauth"))
        self.receive(SERVICE_ACCEPT)

    @staticmethod
    def login(user, method, rest=b""):
        return (bytes([USERAUTH_REQUEST]) + string(user) + string("ssh-connection") +
                string(method) + rest)

    def log_in(self, user, pem):
        self.ask_for_login()
        key = serialization.load_pem_private_key(pem.read_bytes(), None)
        public = string("ssh-ed25519") + string(key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw))
        request = self.login(user, "publickey", b"\1" + string("ssh-ed25519") + string(public))
        signature = key.sign(string(self.session) + request)
        self.send(request + string(string("ssh-ed25519") + string(signature)))
        self.receive(USERAUTH_SUCCESS)

    def open_channel(self):
        self.send(CHANNEL_OPEN_SESSION)
        payload = self.receive(CHANNEL_CONFIRMED)
        self.channel, self.window = struct.unpack(">II", payload[5:13])

    def open_subsystem(self, name):
        self.send(bytes([CHANNEL_REQUEST]) + struct.pack(">I", self.channel) +
                  string("subsystem") + b"\1" + string(name))
        self.receive(CHANNEL_SUCCESS)

    def say(self, data):
        self.send(bytes([CHANNEL_DATA]) + struct.pack(">I", self.channel) + string(data))
        self.window -= len(data)

    def pour(self, size):
        """Data, as much and as long as the other side's window lets it; returns how much went."""
        went, piece = 0, b"x" * 32000
        try:
            while went < size:
                while self.window < len(piece):
                    self.window += struct.unpack(">I", self.receive(WINDOW_ADJUST)[5:9])[0]
                self.say(piece)
                went += len(piece)
        except OSError:
            pass
        return went
