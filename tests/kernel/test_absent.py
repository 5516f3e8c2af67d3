"""What is known of plugins that are missing."""

from __future__ import annotations

import pytest

from tests.cloud import rows
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.absent import Absent, LeftReference, refuse_missing
from zstack_appliance.kernel.schema import OnDelete

ABSENT = Absent(kinds={("host", "Steel"): "rack", ("primary_storage", "Tape"): "tape"})
STEEL = rows.host(hypervisor_type="Steel")


def test_whose_sub_type_a_row_is_of() -> None:
    assert ABSENT.plugin_of(STEEL) == "rack"
    for row in (rows.host(), rows.host(hypervisor_type="Tape"), rows.zone()):
        assert ABSENT.plugin_of(row) is None
    assert Absent().plugin_of(STEEL) is None


def test_the_kinds_of_a_base() -> None:
    assert ABSENT.kinds_of(Host) == ("Steel",)
    assert ABSENT.kinds_of(Zone) == ()


def test_the_refusal_says_what_to_put_back() -> None:
    said = str(refuse_missing(STEEL, "rack"))
    assert said.startswith("Host[host1] is of type[Steel], and the plugin rack, which brought that, is missing: put")
    assert said.endswith("with deleteMode=Enforcing")


@pytest.mark.parametrize(
    ("effect", "part", "yields"),
    [
        (OnDelete.SET_NULL, False, True),
        (OnDelete.DELETE, True, True),
        (OnDelete.DELETE, False, False),
        (OnDelete.FOLLOWS, True, True),
        (OnDelete.STOP, True, False),
        (OnDelete.DETACH, True, False),
        (OnDelete.VETO, True, False),
    ],
)
def test_what_makes_way(effect: OnDelete, part: bool, yields: bool) -> None:
    reference = LeftReference(
        table="slot", column="rack_uuid", target="rack", effect=effect.value, part=part, nullable=True
    )
    assert reference.yields is yields
