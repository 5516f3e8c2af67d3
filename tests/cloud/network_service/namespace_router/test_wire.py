"""What comes over the wire is checked for its form: it ends up in configuration files."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.cloud.network_service.namespace_router.specs import SPEC
from zstack_appliance.cloud.network_service.namespace_router.wire import ApplyRouter


def encoded(**change: Any) -> bytes:
    """The command with some of the router's fields replaced."""
    router = msgspec.to_builtins(SPEC)
    return msgspec.json.encode({"router": {**router, **change}})


def lease(**change: Any) -> dict[str, Any]:
    """A DHCP service with one lease, some of whose fields are replaced."""
    return {"leases": [{"mac": "fa:00:00:00:00:01", "ip": "192.168.77.11", **change}]}


def test_a_router_survives_the_wire() -> None:
    assert msgspec.json.decode(encoded(), type=ApplyRouter).router == SPEC


@pytest.mark.parametrize(
    "change",
    [
        {"gateways": []},
        {"gateways": ["192.168.77.1"]},
        {"mtu": 500},
        {"domain": "lab\nserver=203.0.113.66"},
        {"domain": "lab.example\n"},
        {"domain": "-lab"},
        {"bridge": "br0 up"},
        {"l3NetworkUuid": "3"},
        {"dhcp": lease(mac="fa:00:00:00:00:01,set:known")},
        {"dhcp": lease(mac="FA:00:00:00:00:01")},
        {"dhcp": lease(ip="192.168.77.11\n")},
        {"dhcp": lease(hostname="web,infinite")},
        {"dhcp": lease(hostname="web server")},
        {"dhcp": lease(hostname="w" * 64)},
        {"dhcp": {"leases": [], "leaseSeconds": 1}},
        {"dns": {"upstreams": ["203.0.113.53#54"]}},
    ],
)
def test_what_has_the_wrong_form_does_not_get_in(change: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(encoded(**change), type=ApplyRouter)
