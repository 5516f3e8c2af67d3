"""Choosing between the web and local files, by the rules that a host really has."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path
from typing import Literal

import pytest
import trio

from tests.cloud.backup_storage.local.origin import origin
from tests.contracts.loopback import silent
from zstack_appliance.cloud.backup_storage.driver import FetchPolicy
from zstack_appliance.cloud.backup_storage.local.fetch import fetch, trusted
from zstack_appliance.kernel.remote import HostCommandFailed

CONTENT = b"an image" * 1000


Info = (
    tuple[Literal[socket.AddressFamily.AF_INET], socket.SocketKind, int, str, tuple[str, int]]
    | tuple[
        Literal[socket.AddressFamily.AF_INET6],
        socket.SocketKind,
        int,
        str,
        tuple[str, int, int, int] | tuple[int, bytes],
    ]
)
"""One answer of ``getaddrinfo``, as its typeshed stub has it."""


class Rebinding(trio.abc.HostnameResolver):
    """A name server whose answer changes after the first question."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def getaddrinfo(
        self,
        host: bytes | None,
        port: bytes | str | int | None,
        family: int = 0,
        type: int = 0,  # noqa: A002 - the name is trio's
        proto: int = 0,
        flags: int = 0,
    ) -> list[Info]:
        self.asked += 1
        address = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [(socket.AddressFamily.AF_INET, socket.SOCK_STREAM, 6, "", (address, int(port or 0)))]

    async def getnameinfo(self, sockaddr: tuple[str, int] | tuple[str, int, int, int], flags: int) -> tuple[str, str]:
        raise NotImplementedError


async def test_a_local_file_is_copied_with_its_checksums(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(CONTENT)
    policy = FetchPolicy(directories=(str(tmp_path),))
    came = await fetch(f"file://{tmp_path}/x", tmp_path / "target", policy, silent)
    assert came.size == len(CONTENT)
    assert came.digests == {
        "md5": hashlib.md5(CONTENT).hexdigest(),
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
    }


async def test_a_file_that_no_rule_opens_is_not_even_created(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(CONTENT)
    with pytest.raises(HostCommandFailed, match="not below a directory"):
        await fetch(f"file://{tmp_path}/x", tmp_path / "target", FetchPolicy(), silent)
    assert not (tmp_path / "target").exists()


async def test_the_web_is_reached_through_the_systems_resolver(tmp_path: Path) -> None:
    async with origin(host="127.0.0.9") as server:
        server.serve("/x", CONTENT)
        names = Rebinding("127.0.0.9", "127.0.0.1")
        trio.socket.set_custom_hostname_resolver(names)
        url = f"http://rebound.example:{server.port}/x"
        came = await fetch(url, tmp_path / "target", FetchPolicy(allowed=("127.0.0.9",)), silent)
        assert came.size == len(CONTENT)
        assert names.asked == 1


async def test_a_name_of_this_machine_is_refused(tmp_path: Path) -> None:
    trio.socket.set_custom_hostname_resolver(Rebinding("127.0.0.1"))
    with pytest.raises(HostCommandFailed, match=r"innocent\.example is refused: its address 127\.0\.0\.1"):
        await fetch("http://innocent.example/x", tmp_path / "target", FetchPolicy(), silent)


async def test_a_name_that_rebinds_after_the_check_is_not_followed(tmp_path: Path) -> None:
    async with origin(host="127.0.0.1") as server:
        server.serve("/x", CONTENT)
        # The first answer is harmless and silent; asking again would give this machine.
        trio.socket.set_custom_hostname_resolver(Rebinding("127.0.0.9", "127.0.0.1"))
        policy = FetchPolicy(allowed=("127.0.0.9",))
        with pytest.raises(HostCommandFailed, match="refused"):
            await fetch(f"http://rebound.example:{server.port}/x", tmp_path / "target", policy, silent)
        assert server.requests == []


async def test_both_public_and_local_authorities_are_trusted() -> None:
    assert (await trusted()).cert_store_stats()["x509_ca"] > 50
