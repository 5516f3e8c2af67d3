"""Where ``--listen`` says that an appliance is to be reached.

Primitives: `Doorway`, `parse`, `refuse_open_http`, and `most_public` with `plate_of`, the door that others are told of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from zstack_appliance.api.listen import CannotListen
from zstack_appliance.kernel.doorplate import Doorplate

_FORM = re.compile(r"(?:(?P<scheme>https?)://)?(?P<host>\[[0-9a-fA-F:.]+\]|[^:/\[\]\s]+):(?P<port>\d{1,5})/?")


@dataclass(frozen=True)
class Doorway:
    """A TCP address to listen on, and whether in TLS. Port 0 takes any free one."""

    host: str = "127.0.0.1"
    port: int = 8080
    tls: bool = False

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine can reach it."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def host_for_others(self, own_address: str | None) -> str:
        """What a client has to call the host: a door at every address has none of its own.

        Args:
            own_address: by which others reach this machine; None if it has no network.
        """
        if self.host in ("0.0.0.0", "::"):  # noqa: S104 - it is compared
            return own_address or "127.0.0.1"
        return self.host

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


def parse(text: str) -> Doorway:
    """Read ``HOST:PORT``, ``http://HOST:PORT`` or ``https://HOST:PORT``.

    Raises:
        ValueError: it is none of these.
    """
    found = _FORM.fullmatch(text)
    if found is None or int(found["port"]) > 65535:
        raise ValueError(
            f"[{text}] is no address to listen on: give HOST:PORT, such as 127.0.0.1:8080, or https://HOST:PORT"
        )
    return Doorway(found["host"].strip("[]"), int(found["port"]), found["scheme"] == "https")


def most_public(doorways: Sequence[Doorway]) -> int:
    """The place of the first door that others than this machine reach; 0 if there is none."""
    return next((place for place, door in enumerate(doorways) if not door.is_loopback), 0)


def plate_of(doorways: Sequence[Doorway], ports: Sequence[int | None], own_address: str | None) -> Doorplate:
    """What replies say of where the doors are.

    Args:
        doorways: as they were asked for.
        ports: the one that each got, in the same order.
        own_address: by which others reach this machine; None if it has no network.
    """
    place = most_public(doorways)
    door = doorways[place]
    return Doorplate("https" if door.tls else "http", door.host_for_others(own_address), ports[place] or door.port)


def refuse_open_http(doorways: Iterable[Doorway]) -> None:
    """Plain HTTP is for loopback: a password must not cross a network in the clear unasked.

    Raises:
        CannotListen: one of them is in the clear where others can listen in.
    """
    for door in doorways:
        if not door.tls and not door.is_loopback:
            raise CannotListen(
                f"{door.host} is reachable by others, and plain HTTP would show them every password: "
                f"listen on https://{door.host}:{door.port}, or give --insecure-http if the network is trusted"
            )
