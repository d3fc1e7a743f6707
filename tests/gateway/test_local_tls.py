"""The gateway over TLS with its own little authority, and the files by which an installer has both let through."""

from __future__ import annotations

import base64
import json
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509

from config.reader import Mistake
from devices.cli import device
from devices.gateway import create_gateway, serve
from devices.gateway.local import policy
from devices.gateway.local.tls import Keys
from devices.gateway.server import Secure

HALL = """
[machine]
name = "window-3"
roles = ["window"]
hall = "http://192.168.1.10:8000"
state = "state"
[gateway]
"""


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "tls", "window-3")


def trusting(keys: Keys) -> ssl.SSLContext:
    """A client that trusts this authority and no other, as strictly as can be."""
    context = ssl.create_default_context(cafile=str(keys.authority))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def get(port: int, context: ssl.SSLContext, name: str = "127.0.0.1", path: str = "/v1/hello") -> bytes:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plug,
        context.wrap_socket(plug, server_hostname=name) as secure,
    ):
        head = f"Host: {name}:{port}\r\nOrigin: https://b.example\r\nConnection: close"
        secure.sendall(f"GET {path} HTTP/1.1\r\n{head}\r\n\r\n".encode())
        got = b""
        while piece := secure.recv(65536):
            got += piece
        return got


@pytest.fixture
def secure(clerk, keys):
    app = create_gateway(clerk.station, title="3 号窗口")
    clerk.local.mount(app)
    with serve(app, "127.0.0.1", 0, Secure(0, keys.context(), keys.renew, every=0.05)) as server:
        yield server


def test_a_browser_that_trusts_the_authority_gets_through(secure, keys):
    for name in ("localhost", "127.0.0.1"):
        assert b'"gateway":"bianmin"' in get(secure.secure_port, trusting(keys), name)
    assert secure.secure_port != secure.port


def test_others_do_not_and_no_trouble_is_made_of_it(secure, keys, capfd):
    with pytest.raises(ssl.SSLCertVerificationError):
        get(secure.secure_port, ssl.create_default_context())
    with pytest.raises(ssl.SSLCertVerificationError):
        get(secure.secure_port, trusting(keys), "business.example")
    assert b'"gateway":"bianmin"' in get(secure.secure_port, trusting(keys))
    assert "Traceback" not in "".join(capfd.readouterr())


def test_a_rebound_name_is_turned_away_over_tls_too(secure, keys):
    context = trusting(keys)
    context.check_hostname = False
    assert b" 421 " in get(secure.secure_port, context, "evil.example").splitlines()[0]


def test_keys_are_private_and_the_authority_is_good_for_this_machine_only(keys):
    assert keys.renew() is True
    assert keys.renew() is False
    for file in keys.folder.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file
    authority = x509.load_pem_x509_certificate(keys.authority.read_bytes())
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical
    assert {str(name.value) for name in limits.value.permitted_subtrees} == {"localhost", "127.0.0.1/32", "::1/128"}
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    (keys.folder / "ca.key").chmod(0o644)
    with pytest.raises(Mistake, match="others may read this key"):
        keys.renew()


def test_a_stolen_authority_forges_no_other_site(keys, tmp_path):
    """A certificate for another name by the same authority, which OpenSSL refuses to believe."""
    from cryptography.hazmat.primitives import hashes, serialization

    keys.renew()
    signer = serialization.load_pem_private_key((keys.folder / "ca.key").read_bytes(), None)
    authority = x509.load_pem_x509_certificate(keys.authority.read_bytes())
    mine = serialization.load_pem_private_key(keys.key.read_bytes(), None)
    real = x509.load_pem_x509_certificate(keys.certificate.read_bytes())
    forged = x509.CertificateBuilder(
        issuer_name=authority.subject,
        subject_name=real.subject,
        public_key=mine.public_key(),
        serial_number=7,
        not_valid_before=real.not_valid_before_utc,
        not_valid_after=real.not_valid_after_utc,
        extensions=[
            x509.Extension(
                x509.SubjectAlternativeName.oid,
                False,
                x509.SubjectAlternativeName([x509.DNSName("bank.example")]),
            ),
            x509.Extension(
                x509.AuthorityKeyIdentifier.oid,
                False,
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
            ),
        ],
    ).sign(signer, hashes.SHA256())
    file = tmp_path / "forged.pem"
    file.write_bytes(forged.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file, keys.key)
    client = ssl.create_default_context(cafile=str(keys.authority))
    ends = ssl.MemoryBIO(), ssl.MemoryBIO()
    theirs = server.wrap_bio(*ends, server_side=True)
    ours = client.wrap_bio(ends[1], ends[0], server_hostname="bank.example")
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        for _ in range(4):
            for side in (ours, theirs):
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    continue


def test_the_certificate_renews_itself_while_the_gateway_runs(clerk, tmp_path, until):
    now = [datetime.now(UTC) - timedelta(days=61)]
    keys = Keys(tmp_path / "tls", "window-3", now=lambda: now[0])
    app = create_gateway(clerk.station, title="t")
    clerk.local.mount(app)

    def serial(port: int) -> int:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as plug,
            trusting(keys).wrap_socket(plug, server_hostname="localhost") as secure,
        ):
            return int(secure.getpeercert()["serialNumber"], 16)

    with serve(app, "127.0.0.1", 0, Secure(0, keys.context(), keys.renew, every=0.05)) as server:
        first, authority = serial(server.secure_port), keys.authority.read_bytes()
        now[0] += timedelta(days=59)
        assert keys.renew() is False
        now[0] = datetime.now(UTC)  # 29 days before its end
        assert until(lambda: serial(server.secure_port) != first)
        assert keys.authority.read_bytes() == authority  # still the one that is trusted


@pytest.mark.parametrize("damage", ["server.pem", "server.key", "ca.crt", "ca.key"])
def test_a_half_written_file_is_made_anew(keys, damage):
    keys.renew()
    file = keys.folder / damage
    file.write_bytes(file.read_bytes()[:50])
    assert keys.renew() is True
    assert keys.context()


def test_a_taken_tls_port_is_named(clerk, keys):
    app = create_gateway(clerk.station, title="t")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"gateway.tls_port: 127.0.0.1:{port} cannot be used"):
            serve(app, "127.0.0.1", 0, Secure(port, keys.context()))


# ---- the installer's commands ----


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(device, ["gateway", *words])
    return result.exit_code, result.output


def test_the_policy_names_the_pages_and_carries_the_authority(tmp_path):
    file = tmp_path / "hall.toml"
    file.write_text(HALL + 'origins = ["https://business.example.gov.cn"]\ntls_port = 8775\n')
    code, text = run("policy", str(file))
    assert code == 1 and "a station with gateway.tls_port makes it" in text
    keys = Keys(tmp_path / "state" / "gateway-tls", "window-3")
    keys.renew()
    code, text = run("policy", str(file), "--origin", "http://old.example:8080")
    made = json.loads(text)
    assert code == 0
    listed = ["http://old.example:8080", "https://business.example.gov.cn"]
    assert made["LocalNetworkAccessAllowedForUrls"] == made["LoopbackNetworkAllowedForUrls"] == listed
    assert made["OverrideSecurityRestrictionsOnInsecureOrigin"] == ["http://old.example:8080"]
    trusted = x509.load_der_x509_certificate(base64.b64decode(made["CACertificates"][0]))
    assert trusted == x509.load_pem_x509_certificate(keys.authority.read_bytes())
    code, text = run("policy", str(file), "--folder", str(tmp_path / "etc"))
    written = tmp_path / "etc" / "bianmin-gateway.json"
    assert code == 0 and str(written) in text
    assert written.stat().st_mode & 0o777 == 0o644
    assert set(json.loads(written.read_text())) == {
        "LocalNetworkAccessAllowedForUrls",
        "LoopbackNetworkAllowedForUrls",
        "CACertificates",
    }
    code, text = run("ca", str(file))
    assert code == 0 and str(keys.authority) in text
    assert run("ca", str(file), "--pem")[1] == keys.authority.read_text()


def test_a_policy_for_nobody_is_not_written(tmp_path):
    file = tmp_path / "hall.toml"
    file.write_text(HALL)
    assert run("policy", str(file)) == (1, f"{file}: gateway.origins names no page; name it there, or with --origin\n")
    code, text = run("policy", str(file), "--origin", "business.example")
    assert code == 1 and "expected an origin" in text
    assert run("pairings", str(file)) == (0, "None is paired.\n")


def test_folders_of_browsers_that_are_there(tmp_path):
    assert policy.folders(tmp_path) == []
    (tmp_path / "etc/opt/chrome").mkdir(parents=True)
    (tmp_path / "etc/chromium").mkdir()
    assert policy.folders(tmp_path) == [
        tmp_path / "etc/chromium/policies/managed",
        tmp_path / "etc/opt/chrome/policies/managed",
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('origins = ["business.example"]', "origins: an origin is like"),
        ('origins = ["https://business.example/"]', "origins: an origin is like"),
        ('origins = ["*"]', "origins: an origin is like"),
        ("tls_port = 8765", "tls_port must differ from port"),
        ("tls_port = 8766", "tls_port must differ from port"),
        ("facade = true", "facade needs origins"),
    ],
)
def test_what_hall_toml_may_not_say(tmp_path, line, said):
    from config import machine

    file = tmp_path / "hall.toml"
    file.write_text(HALL + line + "\n")
    with pytest.raises(Mistake, match=f"gateway: {said}"):
        machine.load(file)
