"""The server's certificate: made once, renewed in time, never in place of an administrator's own."""

from __future__ import annotations

import datetime as dt
import stat
from pathlib import Path

import pytest
from cryptography import x509

from tests.api.certificate import self_signed
from zstack_appliance.api.listen import TLS
from zstack_appliance.certificates import have_certificate, read_certificate

NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
NAMES = ("localhost", "cloud.example", "127.0.0.1", "::1")


def have(folder: Path, *, days: int = 0, names: tuple[str, ...] = NAMES) -> TLS:
    return have_certificate(folder / "tls", names, NOW + dt.timedelta(days=days))


def test_made_once_and_usable(tmp_path: Path) -> None:
    tls = have(tmp_path)
    tls.context()
    first = tls.certificate.read_bytes()
    assert have(tmp_path, days=300).certificate.read_bytes() == first
    certificate, ca = read_certificate(tls.certificate), read_certificate(tmp_path / "tls" / "ca.crt")
    certificate.verify_directly_issued_by(ca)
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert alternative.get_values_for_type(x509.DNSName) == ["localhost", "cloud.example"]
    assert [str(ip) for ip in alternative.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]


def test_secrets_are_their_owners_alone(tmp_path: Path) -> None:
    have(tmp_path)
    assert stat.S_IMODE((tmp_path / "tls").stat().st_mode) == 0o700
    for name in ("ca.key", "server.key"):
        assert stat.S_IMODE((tmp_path / "tls" / name).stat().st_mode) == 0o600


@pytest.mark.parametrize(("days", "names"), [(397 - 29, NAMES), (0, (*NAMES, "192.0.2.7"))])
def test_renewed_by_the_same_authority(tmp_path: Path, days: int, names: tuple[str, ...]) -> None:
    first, ca = have(tmp_path).certificate.read_bytes(), (tmp_path / "tls" / "ca.crt").read_bytes()
    renewed = have(tmp_path, days=days, names=names)
    assert renewed.certificate.read_bytes() != first
    renewed.context()
    assert (tmp_path / "tls" / "ca.crt").read_bytes() == ca


def test_an_administrators_own_is_left_alone(tmp_path: Path) -> None:
    tls = have(tmp_path)
    own = self_signed(tmp_path)
    tls.certificate.write_bytes(own.certificate.read_bytes())
    tls.key.write_bytes(own.key.read_bytes())
    assert have(tmp_path, days=3000).certificate.read_bytes() == own.certificate.read_bytes()


@pytest.mark.parametrize("lost", ["server.crt", "server.key", "ca.key", "ca.crt"])
def test_interrupted_anywhere_it_is_made_whole(tmp_path: Path, lost: str) -> None:
    have(tmp_path)
    (tmp_path / "tls" / lost).unlink()
    have(tmp_path).context()
    assert (tmp_path / "tls" / lost).exists()


@pytest.mark.parametrize("name", ["server.crt", "ca.crt"])
def test_damage_is_named(tmp_path: Path, name: str) -> None:
    have(tmp_path)
    (tmp_path / "tls" / name).write_text("nothing")
    with pytest.raises(ValueError, match=f"{name} holds no certificate"):
        have(tmp_path)
