"""Requests and answers of the HTTP client."""

from __future__ import annotations

from typing import Any

import pytest

from zstack_appliance.cli.client import Answer, checked, request_of
from zstack_appliance.cli.declared import find_api
from zstack_appliance.cli.exits import ApiError, CliError
from zstack_appliance.kernel.derive.route import CallRoute, Routes


def request(name: str, /, **params: Any) -> tuple[str, str, dict[str, Any] | None]:
    route = Routes([find_api(name)], ()).all[0]
    assert isinstance(route, CallRoute)
    return request_of(route, params)


def test_a_post_wraps_its_parameters_and_puts_tags_beside_them() -> None:
    assert request("CreateZone", name="z", systemTags=["a::b"]) == (
        "POST",
        "/zones",
        {"params": {"name": "z"}, "systemTags": ["a::b"]},
    )


def test_a_put_is_keyed_by_its_action() -> None:
    assert request("StopVmInstance", uuid="1" * 32, type="cold") == (
        "PUT",
        f"/vm-instances/{'1' * 32}/actions",
        {"stopVmInstance": {"type": "cold"}},
    )


def test_gets_and_deletes_have_a_query_string_and_paths_are_quoted() -> None:
    assert request("DeleteZone", uuid="1", deleteMode="Enforcing") == ("DELETE", "/zones/1?deleteMode=Enforcing", None)
    assert request("RemoveDnsFromL3Network", l3NetworkUuid="1", dns="a/b c")[1] == "/l3-networks/1/dns/a%2Fb%20c"
    services = {"p": ["DHCP", "DNS"]}
    path = request("DetachNetworkServiceFromL3Network", l3NetworkUuid="1", networkServices=services)[1]
    assert path == "/l3-networks/1/network-services?networkServices.p=DHCP&networkServices.p=DNS"


@pytest.mark.parametrize(
    ("code", "status"), [("SYS.1006", 1), ("ID.1001", 3), ("ID.1002", 3), ("SYS.1003", 4), ("HOST.1010", 1)]
)
def test_errors_end_by_their_code(code: str, status: int) -> None:
    with pytest.raises(ApiError, match="no luck") as failed:
        checked(Answer(503, {"error": {"code": code, "details": "no luck"}}))
    assert failed.value.exit_code == status


def test_an_error_tells_its_cause_and_every_wrong_field_and_every_candidate() -> None:
    error = {
        "code": "SYS.1007",
        "details": "first",
        "cause": {"details": "deeper"},
        "opaque": {"fields": {"a": "first", "b": "second"}, "rejections": [{"name": "host1", "reason": "full"}]},
    }
    with pytest.raises(ApiError) as failed:
        checked(Answer(503, {"error": error}))
    assert failed.value.message.splitlines() == [
        "first",
        "  because: deeper (SYS.1007)",
        "  a: first",
        "  b: second",
        "  host1: full",
    ]


@pytest.mark.parametrize(
    ("status", "text", "ends"),
    [(400, "missing header 'Authorization'", 3), (404, "no api mapping", 4), (413, "big", 1)],
)
def test_refusals_in_plain_text(status: int, text: str, ends: int) -> None:
    with pytest.raises(CliError) as refused:
        checked(Answer(status, text))
    assert refused.value.exit_code == ends
