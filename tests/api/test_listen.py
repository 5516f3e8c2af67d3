"""Listening sockets: what is bound, and what is said when it cannot be."""

import socket
import stat
from pathlib import Path

import pytest

from tests.api.certificate import self_signed
from zstack_appliance.api.listen import TLS, CannotListen, Listen, ListenUnix, bind


def test_port_0_is_a_real_port() -> None:
    bound, address = bind(Listen("127.0.0.1", 0))
    with bound:
        assert address.port == bound.getsockname()[1] > 0
        with socket.create_connection(("127.0.0.1", address.port)):
            pass


def test_a_name_and_ipv6() -> None:
    for host, url in (("localhost", "http://localhost:"), ("::1", "http://[::1]:")):
        bound, address = bind(Listen(host, 0))
        with bound:
            assert address.url == f"{url}{address.port}/"


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("192.0.2.1", "Cannot assign requested address"),
        ("no.such.host.invalid", "Name or service not known|Temporary"),
    ],
)
def test_an_address_that_is_not_ours(host: str, why: str) -> None:
    with pytest.raises(CannotListen, match=why):
        bind(Listen(host, 0))


def test_a_port_that_is_taken() -> None:
    bound, address = bind(Listen("127.0.0.1", 0))
    assert address.port is not None
    with bound, pytest.raises(CannotListen, match="already in use; stop what uses it or choose another"):
        bind(Listen("127.0.0.1", address.port))


def test_a_socket_file_has_its_mode(tmp_path: Path) -> None:
    bound, address = bind(ListenUnix(tmp_path / "door", mode=0o666))
    with bound:
        assert address.url == f"unix:{tmp_path / 'door'}"
        assert stat.S_IMODE((tmp_path / "door").stat().st_mode) == 0o666


def test_a_socket_file_of_a_dead_process_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "door"
    dead, _ = bind(ListenUnix(path))
    dead.close()
    bound, _ = bind(ListenUnix(path))
    with bound, socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(path))


def test_a_socket_file_of_a_living_process_is_left(tmp_path: Path) -> None:
    living, _ = bind(ListenUnix(tmp_path / "door"))
    with living:
        with pytest.raises(CannotListen, match="already in use"):
            bind(ListenUnix(tmp_path / "door"))
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(tmp_path / "door"))


def test_another_file_is_left(tmp_path: Path) -> None:
    (tmp_path / "door").write_text("precious")
    with pytest.raises(CannotListen, match="already in use"):
        bind(ListenUnix(tmp_path / "door"))
    assert (tmp_path / "door").read_text() == "precious"


def test_tls_files(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    good, other = self_signed(tmp_path), self_signed(tmp_path / "other")
    assert good.context().minimum_version.name == "TLSv1_2"
    with pytest.raises(CannotListen, match="mismatch"):
        TLS(good.certificate, other.key).context()
    with pytest.raises(CannotListen, match="No such file"):
        TLS(tmp_path / "none", good.key).context()
