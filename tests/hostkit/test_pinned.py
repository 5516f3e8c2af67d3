"""Connections go where the rules looked."""

from __future__ import annotations

from ipaddress import ip_address

import httpcore
import pytest

from tests.cloud.backup_storage.local.origin import origin
from zstack_appliance.cloud.backup_storage.driver import FetchPolicy
from zstack_appliance.hostkit.egress import Address, Egress
from zstack_appliance.hostkit.pinned import EgressRefused, PinnedBackend, resolve


class Names:
    """A resolver with one answer after the other; the last one stays."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> tuple[Address, ...]:
        self.asked.append((host, port))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return tuple(ip_address(text) for text in answer)


def backend(names: Names, *allowed: str) -> PinnedBackend:
    return PinnedBackend(Egress.of(FetchPolicy(allowed=allowed), lambda _: False), names)


async def test_the_address_that_was_judged_is_the_one_connected_to() -> None:
    names = Names(("127.0.0.9",), ("127.0.0.1",))
    async with origin(host="127.0.0.9") as server:
        stream = await backend(names, "127.0.0.9").connect_tcp("rebound.example", server.port, 5)
        assert stream.get_extra_info("server_addr")[0] == "127.0.0.9"
        assert names.asked == [("rebound.example", server.port)]
        await stream.aclose()


async def test_one_forbidden_address_among_good_ones_refuses_the_name() -> None:
    async with origin(host="127.0.0.9") as server:
        mixed = backend(Names(("127.0.0.9", "127.0.0.1")), "127.0.0.9")
        with pytest.raises(EgressRefused, match=r"mixed.example .* 127\.0\.0\.1 is a loopback address"):
            await mixed.connect_tcp("mixed.example", server.port, 5)


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    async with origin(host="127.0.0.9") as server:
        two = backend(Names(("127.0.0.8", "127.0.0.9")), "127.0.0.0/28")
        stream = await two.connect_tcp("two.example", server.port, 5)
        assert stream.get_extra_info("server_addr")[0] == "127.0.0.9"
        await stream.aclose()
        with pytest.raises(httpcore.ConnectError):
            await backend(Names(("127.0.0.8",)), "127.0.0.8").connect_tcp("one.example", server.port, 5)


async def test_a_name_without_addresses_does_not_connect() -> None:
    with pytest.raises(httpcore.ConnectError, match="no address"):
        await backend(Names(())).connect_tcp("none.example", 80, 5)


async def test_local_sockets_are_refused() -> None:
    with pytest.raises(EgressRefused, match="local sockets"):
        await backend(Names(())).connect_unix_socket("/run/x")


@pytest.mark.parametrize("spelling", ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
async def test_every_spelling_of_an_address_resolves_to_the_address(spelling: str) -> None:
    assert await resolve(spelling, 80) == (ip_address("127.0.0.1"),)


async def test_a_name_that_does_not_resolve_is_named() -> None:
    with pytest.raises(httpcore.ConnectError, match=r"nowhere\.invalid does not resolve"):
        await resolve("nowhere.invalid", 80)
