"""The gateway's certificate and the little authority behind it, made on this machine and good for nothing else.

A browser that trusts `ca.crt` trusts https://localhost and https://127.0.0.1 of this machine; the authority is
constrained to those names, so that its key, if it were stolen, could forge no other site. Keys have mode 0600.
The certificate lives 90 days and is renewed by itself; the authority lives ten years and has to be trusted again then.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from gevent.ssl import PROTOCOL_TLS_SERVER, SSLContext

from config.private_file import is_private, write_private
from config.reader import Mistake

DAY = timedelta(days=1)
CERTIFICATE_LIVES, RENEWED_BEFORE = 90 * DAY, 30 * DAY
AUTHORITY_LIVES, AUTHORITY_BEFORE = 3650 * DAY, 120 * DAY
NAMES: Sequence[x509.GeneralName] = (
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    x509.IPAddress(ipaddress.ip_address("::1")),
)
PERMITTED: Sequence[x509.GeneralName] = (
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_network("127.0.0.1/32")),
    x509.IPAddress(ipaddress.ip_network("::1/128")),
)


def _now() -> datetime:
    return datetime.now(UTC)


class Keys:
    """`folder`: ca.crt to be trusted, ca.key, server.pem (certificate and its authority's), server.key."""

    def __init__(self, folder: Path, machine: str, now: Callable[[], datetime] = _now) -> None:
        """`machine` stands in the authority's name, so that an installer can tell it from another machine's."""
        self.folder, self.machine, self._now = folder, machine, now
        self.authority, self.certificate = folder / "ca.crt", folder / "server.pem"
        self._authority_key, self.key = folder / "ca.key", folder / "server.key"
        self._context: SSLContext | None = None

    def renew(self) -> bool:
        """Make what is missing or soon over; True when something was made. Raises Mistake when a key is not private."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for key in (self._authority_key, self.key):
            if key.exists() and not is_private(key):
                raise Mistake(f"{key}: others may read this key: delete {self.folder} and trust the new authority")
        made = False
        if not self._lasts(self.authority, self._authority_key, AUTHORITY_BEFORE):
            self._make_authority()
            made = True
        if made or not self._lasts(self.certificate, self.key, RENEWED_BEFORE):
            self._make_certificate()
            made = True
        if made and self._context is not None:
            self._context.load_cert_chain(self.certificate, self.key)  # for the connections that come
        return made

    def context(self) -> SSLContext:
        """What a server speaks TLS with; follows every renewal."""
        self.renew()
        self._context = SSLContext(PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate, self.key)
        return self._context

    def _lasts(self, certificate: Path, key: Path, before: timedelta) -> bool:
        """Whether it is there, is ours, and has more than `before` to live."""
        if not (certificate.exists() and key.exists()):
            return False
        try:
            found = x509.load_pem_x509_certificate(certificate.read_bytes())
            owner = _load(key).public_key()
        except ValueError:  # half written before a power cut, or somebody's edit
            return False
        now = self._now()
        return found.public_key() == owner and found.not_valid_before_utc <= now < found.not_valid_after_utc - before

    def _make_authority(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Bianmin device gateway"),
                x509.NameAttribute(NameOID.COMMON_NAME, f"Bianmin {self.machine}"[:64]),
            ]
        )
        made = (
            self._builder(name, name, key.public_key(), AUTHORITY_LIVES)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.NameConstraints(PERMITTED, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        write_private(self._authority_key, _pem(key))
        write_private(self.authority, made.public_bytes(serialization.Encoding.PEM))

    def _make_certificate(self) -> None:
        authority = x509.load_pem_x509_certificate(self.authority.read_bytes())
        signer, key = _load(self._authority_key), ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        made = (
            self._builder(name, authority.subject, key.public_key(), CERTIFICATE_LIVES)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName(NAMES), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(signer, hashes.SHA256())
        )
        write_private(self.key, _pem(key))
        chain = made.public_bytes(serialization.Encoding.PEM) + authority.public_bytes(serialization.Encoding.PEM)
        write_private(self.certificate, chain)

    def _builder(
        self, name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, lives: timedelta
    ) -> x509.CertificateBuilder:
        now = self._now()
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)  # the browser's clock may be a little behind
            .not_valid_after(now + lives)
        )


def fingerprint(authority: Path) -> str:
    """SHA-256 of a certificate in pairs of hex digits, as browsers show it. Raises Mistake."""
    found = load_authority(authority)
    return found.fingerprint(hashes.SHA256()).hex(":").upper()


def load_authority(authority: Path) -> x509.Certificate:
    """The machine's authority. Raises Mistake while there is none."""
    try:
        return x509.load_pem_x509_certificate(authority.read_bytes())
    except OSError as trouble:
        raise Mistake(
            f"{authority}: cannot be read ({trouble.strerror}); a station with gateway.tls_port makes it when it starts"
        ) from trouble
    except ValueError as wrong:
        raise Mistake(f"{authority}: is no certificate") from wrong


def _load(key: Path) -> ec.EllipticCurvePrivateKey:
    loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise ValueError("another kind of key")
    return loaded


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
