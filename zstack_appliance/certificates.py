"""The certificate that browsers and clients see: `have_certificate` makes what is missing or about to expire.

An appliance is its own certificate authority: whoever has once told a browser or ``curl --cacert`` to trust
``tls/ca.crt`` of the data folder trusts every certificate that is made later. An administrator's own
certificate takes the place of ``tls/server.crt`` and ``tls/server.key``; one that we did not sign is never
replaced.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from zstack_appliance.api.listen import TLS

CA_DAYS, SERVER_DAYS = 3650, 397
"""How long they last. 397 days is the most that browsers accept of a server's."""
RENEW_DAYS = 30
"""A server's certificate is made anew when it has less left; each start looks."""

Name = str | IPv4Address | IPv6Address


def have_certificate(folder: Path, names: Sequence[str], now: dt.datetime) -> TLS:
    """Have a server certificate in a folder, signed by the authority there, and say where it is. Blocks.

    Args:
        folder: ``tls`` of the data folder; made if missing.
        names: host names and addresses that it is for.
        now: the time.

    Raises:
        ValueError: a file there is damaged; the text names it.
        OSError: the folder cannot be written to.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    tls = TLS(folder / "server.crt", folder / "server.key")
    ca_key, ca = _authority(folder, now)
    if tls.certificate.exists() and tls.key.exists():
        found = read_certificate(tls.certificate)
        if not _signed_by(found, ca) or not _is_stale(found, names, now):
            return tls
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder("zstack-appliance", ca.subject, key, now, SERVER_DAYS)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    # The certificate last: without it the next start makes both anew.
    tls.certificate.unlink(missing_ok=True)
    _write(tls.key, _pem_key(key), 0o600)
    _write(tls.certificate, _pem(certificate) + _pem(ca), 0o644)
    return tls


def read_certificate(path: Path) -> x509.Certificate:
    """The first certificate of a PEM file.

    Raises:
        ValueError: it holds none.
    """
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError as error:
        raise ValueError(
            f"{path} holds no certificate ({error}); restore it, or remove it to have a new one"
        ) from error


def _authority(folder: Path, now: dt.datetime) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key_path, path = folder / "ca.key", folder / "ca.crt"
    if key_path.exists() and path.exists():
        key = serialization.load_pem_private_key(key_path.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{key_path} is not the key that was made here; restore it from a backup")
        return key, read_certificate(path)
    key = ec.generate_private_key(ec.SECP256R1())
    name = f"zstack-appliance authority {os.urandom(3).hex()}"
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        _builder(name, _name(name), key, now, CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    path.unlink(missing_ok=True)
    _write(key_path, _pem_key(key), 0o600)
    _write(path, _pem(certificate), 0o644)
    return key, certificate


def _builder(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: dt.datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A client's clock may be behind ours.
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _is_stale(certificate: x509.Certificate, names: Sequence[str], now: dt.datetime) -> bool:
    """Whether it ends soon, or lacks a name that the machine has by now."""
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    covered = {*extension.get_values_for_type(x509.DNSName), *extension.get_values_for_type(x509.IPAddress)}
    missing = {_general(name).value for name in names} - covered
    return bool(missing) or certificate.not_valid_after_utc - now < dt.timedelta(days=RENEW_DAYS)


def _signed_by(certificate: x509.Certificate, ca: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(ca)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _general(name: str) -> x509.DNSName | x509.IPAddress:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _pem_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    part = path.with_name(f".{path.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
