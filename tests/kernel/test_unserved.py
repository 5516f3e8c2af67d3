from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest

from tests.running import BASE, running
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.message import ANY, Read, api
from zstack_appliance.kernel.plugin import Plugin, handles
from zstack_appliance.kernel.unserved import UNSERVED, unserved


@api("GET", "/lights", access=ANY, sync=True, reply=None, wire="org.zstack.test")
class GetLights(Read[None], frozen=True, kw_only=True):
    """Has fields that nobody serves."""

    name: str | None = None
    colour: Annotated[str, UNSERVED] | None = None
    dimmed: Annotated[bool, UNSERVED] = False
    groups: Annotated[tuple[str, ...], UNSERVED] | None = None


@handles(GetLights)
async def get_lights(_: GetLights, _cloud: Cloud) -> None:
    """Answer nothing."""


@pytest.mark.parametrize("message", [GetLights(), GetLights(name="x", colour="", dimmed=False, groups=())])
def test_what_says_nothing_is_served(message: GetLights) -> None:
    assert list(unserved(message)) == []


def test_every_field_that_says_something_is_named() -> None:
    faults = list(unserved(GetLights(colour="red", dimmed=True, groups=("a",))))
    assert [fault.field for fault in faults] == ["colour", "dimmed", "groups"]
    assert faults[0].text == "field[colour] is not served by this version; leave it out"


async def test_doors_refuse_it(tmp_path: Path) -> None:
    lights = Plugin(name="lights", handlers=(get_lights,))
    async with running(tmp_path, plugins=(*BASE, lights)) as cloud, cloud.login() as admin:
        assert (await admin.send("GET", "/lights", params={"dimmed": "false", "colour": ""})).status_code == 200
        answer = await admin.send("GET", "/lights", params={"colour": "red"})
        assert answer.json()["error"]["opaque"]["fields"] == {
            "colour": "field[colour] is not served by this version; leave it out"
        }
