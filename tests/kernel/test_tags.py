"""Which tags are allowed; how they come onto rows is proven where rows are made."""

from __future__ import annotations

from typing import Annotated

import pytest

from tests.api.things import WIRE, CreateThing, GetBroken, Thing
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Fault, InvalidArgument
from zstack_appliance.kernel.message import ANY, Action, api
from zstack_appliance.kernel.schema import Ref, Uuid, resource
from zstack_appliance.kernel.tag import SystemTag
from zstack_appliance.kernel.tags import TagPatterns

NO_CLOUD: Cloud = object()  # type: ignore[assignment]  # the rules look at declarations alone


@resource(wire=WIRE, kind="Heavy", vo="HeavyVO")
class HeavyThing(Thing, frozen=True, kw_only=True):
    """A sub-type."""

    weight: int


def even(tokens: dict[str, str]) -> Fault | None:
    return None if int(tokens["size"]) % 2 == 0 else Fault("systemTags", "an odd size")


PATTERNS = TagPatterns(
    (
        SystemTag("ThingVO", "colour::{colour}", "Its colour."),
        SystemTag("ThingVO", "size::{size}", "An even size.", check=even),
        SystemTag("ThingVO", "fact::{fact}", "What the cloud found out.", inherent=True),
        SystemTag("HeavyVO", "crane::{crane}", "What lifts it."),
    ),
    (Thing, HeavyThing),
)


def test_the_pattern_of_a_tag() -> None:
    found = PATTERNS.match(Thing, "colour::red")
    assert found is not None
    assert found.pattern == "colour::{colour}"
    assert PATTERNS.match(Thing, "crane::big") is None
    assert PATTERNS.match(HeavyThing, "crane::big") is not None
    assert PATTERNS.match(HeavyThing, "colour::red") is not None, "a sub-type has its base's"


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("colour::red", None),
        ("size::2", None),
        ("size::3", "an odd size"),
        ("color::red", "no system tag matches[color::red] for resourceType[ThingVO]"),
        ("fact::x", "is set by the cloud itself"),
    ],
)
def test_what_is_wrong_with_a_tag(tag: str, text: str | None) -> None:
    fault = PATTERNS.fault(Thing, tag)
    assert fault is None if text is None else fault is not None and text in fault.text


def test_the_tags_of_a_request() -> None:
    PATTERNS.check(CreateThing(name="a", system_tags=("colour::red", "size::2"), user_tags=("free",)), NO_CLOUD)
    PATTERNS.check(GetBroken(), NO_CLOUD)
    with pytest.raises(InvalidArgument) as caught:
        PATTERNS.check(CreateThing(name="a", system_tags=("size::3", "x")), NO_CLOUD)
    assert len(caught.value.faults) == 2
    with pytest.raises(InvalidArgument, match="tag patterns, which this version does not have"):
        PATTERNS.check(CreateThing(name="a", tag_uuids=("1" * 32,)), NO_CLOUD)


def test_system_tags_need_a_resource_to_go_on() -> None:
    @api("PUT", "/things/actions", access=ANY, wire=WIRE)
    class Tidy(Action[None], frozen=True, kw_only=True):
        thing_uuid: Annotated[Uuid | None, Ref(Thing)] = None

    PATTERNS.check(Tidy(user_tags=("x",)), NO_CLOUD)
    with pytest.raises(InvalidArgument, match="this call is about none"):
        PATTERNS.check(Tidy(system_tags=("colour::red",)), NO_CLOUD)


def test_resources_by_their_wire_type() -> None:
    assert PATTERNS.resource("ThingVO") is Thing
    assert PATTERNS.resource("HeavyVO") is HeavyThing
    with pytest.raises(InvalidArgument, match=r"no resource type\[GnomeVO\]"):
        PATTERNS.resource("GnomeVO")
