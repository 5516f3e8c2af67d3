"""How a row's references lead to the resources whose settings hold for it."""

from __future__ import annotations

from typing import Annotated

import pytest

from tests.running import every_plugin
from zstack_appliance.kernel.config import GlobalConfig
from zstack_appliance.kernel.resource_config import OwnValues, ResourceConfig, fault_of, ways_up
from zstack_appliance.kernel.schema import Record, Ref, Uuid, describe, resource, root_of
from zstack_appliance.kernel.store import Batch, Change

WIRE = "org.zstack.test"


@resource(wire=WIRE)
class Town(Record, frozen=True, kw_only=True):
    """The top."""


@resource(wire=WIRE)
class Street(Record, frozen=True, kw_only=True):
    """In a town."""

    town_uuid: Annotated[Uuid, Ref(Town)]


@resource(wire=WIRE)
class House(Record, frozen=True, kw_only=True):
    """On a street; its owner moved here from another one."""

    street_uuid: Annotated[Uuid | None, Ref(Street)] = None
    last_street_uuid: Annotated[Uuid | None, Ref(Street)] = None


@resource(wire=WIRE, kind="Tower")
class Tower(House, frozen=True, kw_only=True):
    """A kind of house."""


def test_the_way_up_follows_the_references() -> None:
    assert ways_up(House) == {
        "HouseVO": (),
        "StreetVO": (("street_uuid", Street),),
        "TownVO": (("street_uuid", Street), ("town_uuid", Town)),
    }


def test_a_sub_type_has_its_bases_place() -> None:
    assert ways_up(Tower) == ways_up(House)
    assert fault_of(GlobalConfig("a", "b", "c", "", bind=("HouseVO",)), Tower, "x") is None


@pytest.mark.parametrize(
    "config", [config for plugin in every_plugin() for config in plugin.configs if config.bind], ids=lambda c: c.path
)
def test_whatever_a_setting_is_bound_to_exists_and_is_on_one_line(config: GlobalConfig) -> None:
    resources = {root_of(cls).vo: cls for plugin in every_plugin() for cls in plugin.resources}
    assert set(config.bind) <= resources.keys()
    nearest = resources[config.bind[0]]
    assert set(config.bind) <= ways_up(describe(nearest).cls).keys(), "nearest first, and each below the next"


def test_settings_that_no_resource_has_for_itself_are_known_at_once() -> None:
    def row(name: str) -> ResourceConfig:
        return ResourceConfig(
            uuid=name[0] * 32,
            create_date=0,
            last_op_date=0,
            resource_uuid="f" * 32,
            resource_type="VmInstanceVO",
            category="vm",
            name=name,
            description="",
            value="1",
        )

    def batch(before: ResourceConfig | None, after: ResourceConfig | None) -> Batch:
        key = (after or before or row("x")).uuid
        return Batch(1, (Change("resource_config", key, before, after, "", None, None),))

    own = OwnValues()
    own.load([row("a")])
    assert (own.have("vm.a"), own.have("vm.b")) == (True, False)
    own.heard(batch(None, row("b")))
    own.heard(batch(row("a"), None))
    assert (own.have("vm.a"), own.have("vm.b")) == (False, True)
