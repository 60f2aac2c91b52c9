"""A certificate authority of the run's own, and certificates signed by it."""
import datetime
import functools
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from . import topology

NOW = datetime.datetime.utcnow()
DAY = datetime.timedelta(days=1)


def folder():
    path = topology.RUN / "pki"
    path.mkdir(exist_ok=True)
    return path


def subject(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def write(path, key, certificates):
    """Key and chain beside each other, PEM; returns (certificate path, key path)."""
    chain, private = path.with_suffix(".crt"), path.with_suffix(".key")
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM,
                                          serialization.PrivateFormat.PKCS8,
                                          serialization.NoEncryption()))
    chain.write_bytes(b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates))
    return chain, private


def builder(name, key, issuer):
    return (x509.CertificateBuilder().subject_name(subject(name)).issuer_name(issuer)
            .public_key(key.public_key()).serial_number(x509.random_serial_number()))


@functools.cache
def authority(name="Test Authority"):
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True,
                          content_commitment=False, key_encipherment=False,
                          data_encipherment=False, key_agreement=False, encipher_only=False,
                          decipher_only=False)
    certificate = (builder(name, key, subject(name))
                   .not_valid_before(NOW - DAY).not_valid_after(NOW + 30 * DAY)
                   .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                   .add_extension(usage, critical=True)
                   .sign(key, hashes.SHA256()))
    write(folder() / name.replace(" ", "-").lower(), key, [certificate])
    return key, certificate


def authority_file():
    authority()
    return folder() / "test-authority.crt"


@functools.cache
def certificate(*names, days=30):
    """For these DNS names, for so long from now on; returns (certificate path, key path)."""
    ca_key, ca = authority()
    key = ec.generate_private_key(ec.SECP256R1())
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    leaf = (builder(names[0], key, ca.subject)
            .not_valid_before(NOW - 2 * DAY).not_valid_after(NOW + days * DAY)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]),
                           critical=False)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .sign(ca_key, hashes.SHA256()))
    return write(folder() / (names[0] if days == 30 else f"{days}-days.{names[0]}"), key, [leaf])


@functools.cache
def self_signed(name):
    """Of an authority that nobody knows: itself; returns (certificate path, key path)."""
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = (builder(name, key, subject(name))
            .not_valid_before(NOW - DAY).not_valid_after(NOW + 30 * DAY)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(key, hashes.SHA256()))
    return write(folder() / f"self-signed.{name}", key, [leaf])


def with_key(*names, days=30):
    """The same as one file, chain and key."""
    chain, key = certificate(*names, days=days)
    both = chain.with_suffix(".pem")
    both.write_bytes(chain.read_bytes() + key.read_bytes())
    return both


def pin(certificate_file):
    """As nodes pin each other: SHA-256 of the public key (SubjectPublicKeyInfo), in hex."""
    loaded = x509.load_pem_x509_certificate(certificate_file.read_bytes())
    public = loaded.public_key().public_bytes(serialization.Encoding.DER,
                                              serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).hexdigest()
